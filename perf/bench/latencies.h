// SPDX-License-Identifier: Apache-2.0
//
// Round trips of one run and their quantiles, for the contestants that link nothing of Sluice.
#ifndef SLUICE_PERF_BENCH_LATENCIES_H_
#define SLUICE_PERF_BENCH_LATENCIES_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::bench {

inline uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

class Latencies {
 public:
  // Memory is taken and touched before the run, so that no page fault lies within a round trip.
  explicit Latencies(size_t most = 4'000'000) : nanos_(most, 0) {}

  // Round trips beyond the memory set aside are counted and not kept.
  void record(uint64_t nanos) {
    if (kept_ < nanos_.size()) {
      nanos_[kept_++] = static_cast<uint32_t>(std::min<uint64_t>(nanos, UINT32_MAX));
    }
    ++count_;
  }

  uint64_t count() const { return count_; }

  // Of those that were kept; 0 when there are none.
  uint32_t quantile(double share) {
    if (kept_ == 0) return 0;
    const auto wanted = static_cast<size_t>(share * static_cast<double>(kept_));
    const size_t rank = std::min(kept_ - 1, wanted);
    const auto place = nanos_.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(nanos_.begin(), place, nanos_.begin() + static_cast<std::ptrdiff_t>(kept_));
    return *place;
  }

 private:
  std::vector<uint32_t> nanos_;
  size_t kept_ = 0;
  uint64_t count_ = 0;
};

}  // namespace sluice::bench

#endif  // SLUICE_PERF_BENCH_LATENCIES_H_
