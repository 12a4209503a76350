// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_HISTOGRAM_H_
#define SLUICE_BASE_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice::base {

// A log-linear histogram of any u64: values below 128 are kept exactly, each power of two above is
// cut into 64 buckets, so that a reported value is at most 1/64 above a recorded one. About 30 KB,
// in place: it does not belong on a stack. Integers only, so every build reports the same.
class Histogram {
 public:
  void record(uint64_t value) {
    ++buckets_[bucket_of(value)];
    ++count_;
    sum_ = saturating_add(sum_, value);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  void merge(const Histogram& other);
  void clear() { *this = Histogram(); }

  uint64_t count() const { return count_; }
  // All recorded values added up; it stays at the top of the range instead of wrapping.
  uint64_t sum() const { return sum_; }
  // The exact extremes; 0 when nothing is recorded.
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t max() const { return max_; }

  // A value that at least ppm millionths of the recorded values do not exceed: 500'000 is the
  // median, 999'000 p99.9, 1'000'000 or more the maximum. 0 when nothing is recorded.
  uint64_t quantile_ppm(uint32_t ppm) const;

 private:
  static constexpr uint32_t kSubBits = 6;
  static constexpr size_t kSubBuckets = size_t{1} << kSubBits;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) * kSubBuckets;

  static uint64_t saturating_add(uint64_t a, uint64_t b) {
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
  }
  static size_t bucket_of(uint64_t value) {
    if (value < kSubBuckets) return static_cast<size_t>(value);
    const uint32_t exponent = static_cast<uint32_t>(std::bit_width(value)) - 1 - kSubBits;
    return exponent * kSubBuckets + static_cast<size_t>(value >> exponent);
  }
  static uint64_t highest_in(size_t bucket);

  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
  std::array<uint64_t, kBuckets> buckets_{};
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_HISTOGRAM_H_
