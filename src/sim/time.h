// SPDX-License-Identifier: Apache-2.0
//
// Virtual time. One picosecond is the unit because at the rates of Ethernet a byte then lasts a
// whole number of units, so that no rounding can make two runs differ.
#ifndef SLUICE_SIM_TIME_H_
#define SLUICE_SIM_TIME_H_

#include <cstdint>

#include "base/check.h"
#include "base/types.h"

namespace sluice::sim {

struct PicosTag;

// A point in virtual time (since the start of the run) or a length of it, in picoseconds: 213 days
// fit. Picos::max() means "never".
using Picos = base::Quantity<PicosTag, uint64_t>;

inline constexpr uint64_t kPicosPerNano = 1000;

constexpr Picos picos(uint64_t n) { return Picos(n); }

// The time the protocol sees: whole nanoseconds, rounded down. "Never" stays "never".
constexpr base::Nanos to_nanos(Picos time) {
  return time == Picos::max() ? base::Nanos::max() : base::Nanos(time.value() / kPicosPerNano);
}

// A time too far for the picosecond range becomes "never". to_nanos(to_picos(t)) == t otherwise, so
// that a deadline is reached at exactly the time it was set for.
constexpr Picos to_picos(base::Nanos time) {
  return time.value() > Picos::max().value() / kPicosPerNano ? Picos::max()
                                                             : Picos(time.value() * kPicosPerNano);
}

// The time `delta` after `now`; it stays at "never" rather than wrapping into the past.
constexpr Picos after(Picos now, Picos delta) {
  return delta > Picos::max() - now ? Picos::max() : now + delta;
}

// Whether one byte lasts a whole number of picoseconds at this rate: true for 1, 10, 25, 40, 50,
// 100, 200, 400 and 800 Gb/s among others.
constexpr bool is_exact_rate(uint32_t gbps) { return gbps != 0 && 8000 % gbps == 0; }

// How long one byte lasts at an exact rate; another rate stops the process.
constexpr uint32_t picos_per_byte(uint32_t gbps) {
  SLUICE_CHECK(is_exact_rate(gbps));
  return 8000 / gbps;
}

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TIME_H_
