// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_RACK_RECOVERY_H_
#define SLUICE_TRANSPORT_RACK_RECOVERY_H_

#include "transport/recovery_policy.h"

namespace sluice::transport {

// For networks that send the packets of a message over several paths, where later ones prove
// nothing: a hole counts as lost when it has been open for longer than reordering takes here. That
// is learnt, as in RFC 8985 §6.2, from the holes that closed by themselves: twice the longest that
// was seen lately, at least a quarter of the round trip and at most a time-out. While bytes
// arrive, a hole that is still open some round trips after it was asked for has been lost again.
class RackRecovery final : public RecoveryPolicy {
 public:
  size_t on_progress(Reassembly* message, const RttEstimator& rtt, uint32_t packet, base::Nanos now,
                     std::span<ResendRange> out) override;
  void on_closed(Reassembly* message, base::Nanos now) override;
  size_t on_timeout(Reassembly* message, base::Nanos now, std::span<ResendRange> out) override;

  // The longest that a hole was open lately which closed by itself.
  base::Nanos skew() const { return skew_; }

 private:
  static constexpr uint32_t kForget = 64;  // Each hole that closes takes this part off the longest.

  static constexpr uint64_t kAnswerRoundTrips = 3;

  void learn(const Reassembly& message, base::Nanos now);

  base::Nanos skew_{};
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_RACK_RECOVERY_H_
