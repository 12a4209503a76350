// SPDX-License-Identifier: Apache-2.0
//
// How a run goes on over time: whether what waits grows, and how long a fault is felt.
#ifndef SLUICE_SIM_PROGRESS_H_
#define SLUICE_SIM_PROGRESS_H_

#include <cstdint>
#include <optional>
#include <span>

#include "sim/time.h"

namespace sluice::sim {

// What had happened by some time: bytes of messages, all hosts together, since the start.
struct ProgressPoint {
  Picos time;
  uint64_t submitted = 0;
  uint64_t arrived = 0;  // In packets that are not marked as repeated.

  uint64_t backlog() const { return submitted > arrived ? submitted - arrived : 0; }
};

// By how much the backlog grows, in bytes per picosecond: the slope of the straight line that fits
// the second half of the points best (least squares). The first half is left out because a network
// that has just been loaded fills up whether it is stable or not. 0 for fewer than four points.
double backlog_growth(std::span<const ProgressPoint> points);

// How long after `fault` traffic flows normally again: the time from which on what arrives in every
// span of kRecoverySpan is at least kNormalShare of what arrived before the fault in the same time
// on average. The points are evenly spaced, and some lie before the fault. Absent: not by the last
// point, or there was nothing before.
std::optional<Picos> recovery_time(std::span<const ProgressPoint> points, Picos fault);

// Long enough that the arrivals of 144 hosts differ by less than the rest of the share by chance.
inline constexpr Picos kRecoverySpan(50'000'000);
inline constexpr double kNormalShare = 0.95;

}  // namespace sluice::sim

#endif  // SLUICE_SIM_PROGRESS_H_
