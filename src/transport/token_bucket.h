// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_TOKEN_BUCKET_H_
#define SLUICE_TRANSPORT_TOKEN_BUCKET_H_

#include <algorithm>
#include <cstdint>

#include "base/types.h"

namespace sluice::transport {

// Admits `rate` events a second on average and `burst` at once; begins full. Counts in
// nanoseconds, so that no fraction is lost.
class TokenBucket {
 public:
  // `rate` is 1 to 10^9, `burst` at least 1.
  TokenBucket(uint32_t rate, uint32_t burst)
      : cost_(kNanosPerSecond / rate), capacity_(cost_ * burst), level_(capacity_) {}

  bool take(base::Nanos now) {
    const uint64_t gained = base::elapsed(last_, now).value();
    level_ = gained > capacity_ - level_ ? capacity_ : level_ + gained;
    last_ = std::max(last_, now);
    if (level_ < cost_) return false;
    level_ -= cost_;
    return true;
  }

 private:
  static constexpr uint64_t kNanosPerSecond = 1'000'000'000;

  uint64_t cost_;
  uint64_t capacity_;
  uint64_t level_;
  base::Nanos last_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_TOKEN_BUCKET_H_
