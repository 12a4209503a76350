// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_RECOVERY_POLICY_H_
#define SLUICE_TRANSPORT_RECOVERY_POLICY_H_

#include <cstdint>
#include <memory>
#include <span>

#include "base/types.h"
#include "transport/config.h"
#include "transport/exchange.h"
#include "transport/rtt.h"

namespace sluice::transport {

// A stretch of a message to be asked for again.
struct ResendRange {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// When missing bytes count as lost: the receiver's side of recovery. Called only for messages with
// holes (on_progress) or without progress for a timeout (on_timeout); deterministic; no memory.
class RecoveryPolicy {
 public:
  virtual ~RecoveryPolicy() = default;

  // After a burst that left holes in `message`. `packet` is the payload of a full packet. Writes
  // the ranges to ask for now and returns how many.
  virtual size_t on_progress(Reassembly* message, const RttEstimator& rtt, uint32_t packet,
                             base::Nanos now, std::span<ResendRange> out) = 0;

  // After a burst that left no hole in it.
  virtual void on_closed(Reassembly* /*message*/, base::Nanos /*now*/) {}

  // The retransmission timer of `message` fired: everything allowed and missing is asked for.
  virtual size_t on_timeout(Reassembly* message, base::Nanos now, std::span<ResendRange> out) = 0;
};

// The policy named by config.recovery.
std::unique_ptr<RecoveryPolicy> make_recovery_policy(const EndpointConfig& config);

// What policies share. The first writes the holes of `message` in [from, to), as many as fit, and
// returns how many; the second all that is allowed and missing, the rest of which is asked for as
// bytes arrive.
size_t collect_holes(const Reassembly& message, uint32_t from, uint32_t to,
                     std::span<ResendRange> out);
size_t ask_for_all(Reassembly* message, base::Nanos now, std::span<ResendRange> out);
// All holes below `to` have been asked for.
void note_asked(Reassembly* message, uint32_t to, base::Nanos now);

// For networks that keep a message on one path. Holes followed by three packets' worth of later
// bytes, or open for a quarter of the round trip (RFC 8985 §6.2), are asked for at once, each once;
// the timer asks again. Packets of a later priority prove nothing about those of an earlier one,
// which get a whole time-out.
class GapRecovery final : public RecoveryPolicy {
 public:
  static constexpr uint32_t kReorderPackets = 3;

  size_t on_progress(Reassembly* message, const RttEstimator& rtt, uint32_t packet, base::Nanos now,
                     std::span<ResendRange> out) override;
  size_t on_timeout(Reassembly* message, base::Nanos now, std::span<ResendRange> out) override;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_RECOVERY_POLICY_H_
