// SPDX-License-Identifier: Apache-2.0
#include "transport/path_judge.h"

#include <algorithm>
#include <numeric>

namespace sluice::transport {

uint16_t PathJudge::judge(base::Nanos rtt, base::Nanos now) {
  const uint16_t bad = now < quiet_until_ ? uint16_t{0} : bad_ones();
  if (bad != 0) quiet_until_ = base::after(now, rtt * kQuietRoundTrips);
  arrived_.fill(0);
  marked_.fill(0);
  arrivals_ = 0;
  return bad;
}

uint16_t PathJudge::bad_ones() const {
  // A sender that keeps to one path says nothing about others.
  if (std::count(arrived_.begin(), arrived_.end(), uint8_t{0}) == wire::kPaths - 1) return 0;
  const uint32_t marked = std::accumulate(marked_.begin(), marked_.end(), 0u);
  uint32_t bad = 0;
  for (uint32_t path = 0; path < wire::kPaths; ++path) {
    const uint32_t here = arrived_[path];
    const uint32_t others_marked = marked - marked_[path];
    const bool overloaded =
        here >= kShare && marked_[path] == here && others_marked * kCommonMarks < kRound - here;
    if (here == 0 || overloaded) bad |= 1u << path;
  }
  return static_cast<uint16_t>(bad);
}

}  // namespace sluice::transport
