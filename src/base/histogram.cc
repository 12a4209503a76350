// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

namespace sluice::base {

void Histogram::merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ = saturating_add(sum_, other.sum_);
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

uint64_t Histogram::highest_in(size_t bucket) {
  if (bucket < 2 * kSubBuckets) return bucket;
  const size_t exponent = bucket / kSubBuckets - 1;
  const uint64_t leading = kSubBuckets + bucket % kSubBuckets;
  return (leading << exponent) | ((uint64_t{1} << exponent) - 1);
}

uint64_t Histogram::quantile_ppm(uint32_t ppm) const {
  if (count_ == 0) return 0;
  if (ppm >= 1'000'000) return max_;
  __extension__ using Wide = unsigned __int128;
  const Wide scaled = static_cast<Wide>(count_) * ppm + 999'999;
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(scaled / 1'000'000));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::clamp(highest_in(i), min_, max_);
  }
  return max_;
}

}  // namespace sluice::base
