// SPDX-License-Identifier: Apache-2.0
#include "transport/rtt.h"

#include <algorithm>

namespace sluice::transport {

void RttEstimator::reset() {
  smoothed_ = base::Nanos{};
  variance_ = base::Nanos{};
  samples_ = 0;
}

void RttEstimator::sample(base::Nanos rtt) {
  const uint64_t r = rtt.value();
  if (samples_++ == 0) {
    smoothed_ = rtt;
    variance_ = base::Nanos(r / 2);
    return;
  }
  const uint64_t s = smoothed_.value();
  const uint64_t error = r > s ? r - s : s - r;
  variance_ = base::Nanos((3 * variance_.value() + error) / 4);
  smoothed_ = base::Nanos((7 * s + r) / 8);
}

base::Nanos RttEstimator::timeout(uint32_t backoff) const {
  const uint64_t estimate =
      has_sample() ? smoothed_.value() + 4 * variance_.value() : initial_.value();
  const uint64_t bounded = std::clamp(estimate, floor_.value(), ceiling_.value());
  const uint64_t backed_off = backoff >= 16 ? ceiling_.value() : bounded << backoff;
  return base::Nanos(std::min(backed_off, std::max(bounded, ceiling_.value())));
}

base::Nanos RttEstimator::reordering() const { return base::Nanos(expected().value() / 4); }

}  // namespace sluice::transport
