// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_RTT_H_
#define SLUICE_TRANSPORT_RTT_H_

#include <cstdint>

#include "base/types.h"

namespace sluice::transport {

// Round-trip estimate of one lane, by RFC 6298 §2 in integers (smoothed by 1/8, variance by 1/4).
class RttEstimator {
 public:
  // `initial`, `floor`, `ceiling` of the retransmission timeout.
  RttEstimator(base::Nanos initial, base::Nanos floor, base::Nanos ceiling)
      : initial_(initial), floor_(floor), ceiling_(ceiling) {}

  void reset();
  void sample(base::Nanos rtt);
  bool has_sample() const { return samples_ != 0; }
  uint64_t samples() const { return samples_; }
  base::Nanos smoothed() const { return smoothed_; }
  // The same, but before the first sample as long as a time-out then is.
  base::Nanos expected() const { return has_sample() ? smoothed_ : initial_; }

  // The timeout after `backoff` fruitless ones: (srtt + 4 var) * 2^backoff, within the bounds.
  base::Nanos timeout(uint32_t backoff) const;
  // How long a hole may be mere reordering: a quarter of the round trip (RFC 8985 §6.2).
  base::Nanos reordering() const;

 private:
  base::Nanos initial_;
  base::Nanos floor_;
  base::Nanos ceiling_;
  base::Nanos smoothed_{};
  base::Nanos variance_{};
  uint64_t samples_ = 0;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_RTT_H_
