// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_PATH_JUDGE_H_
#define SLUICE_TRANSPORT_PATH_JUDGE_H_

#include <array>
#include <cstdint>

#include "base/types.h"
#include "wire/header.h"

namespace sluice::transport {

// What the receiver of a lane's packets sees of the paths that their sender uses in equal parts:
// one that brings nothing while the others do is dead, or very slow, and one whose packets alone
// are marked by ECN is overloaded. The sender is then asked to leave it.
class PathJudge {
 public:
  // Arrivals between two judgements, of which each path has the same share.
  static constexpr uint32_t kShare = 2;
  static constexpr uint32_t kRound = kShare * wire::kPaths;
  // Where so large a part of the others' packets is marked too, what is overloaded is behind all.
  static constexpr uint32_t kCommonMarks = 4;
  // Nothing is said for so many round trips after something was, as packets that were sent before
  // the sender heard of it still arrive.
  static constexpr uint32_t kQuietRoundTrips = 2;

  void start() { *this = PathJudge(); }

  // A packet arrived on `path`, `marked` by ECN or not; the lane's round trip takes `rtt`. Returns
  // the paths to leave, as a set of 1 << path; nearly always 0.
  uint16_t note(uint8_t path, bool marked, base::Nanos rtt, base::Nanos now) {  // PROTOCOL MUST-T25
    ++arrived_[path];
    marked_[path] += marked;
    return ++arrivals_ < kRound ? 0 : judge(rtt, now);
  }

 private:
  uint16_t judge(base::Nanos rtt, base::Nanos now);
  uint16_t bad_ones() const;

  std::array<uint8_t, wire::kPaths> arrived_{};
  std::array<uint8_t, wire::kPaths> marked_{};
  uint8_t arrivals_ = 0;
  base::Nanos quiet_until_{};
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_PATH_JUDGE_H_
