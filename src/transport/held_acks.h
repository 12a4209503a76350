// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_HELD_ACKS_H_
#define SLUICE_TRANSPORT_HELD_ACKS_H_

#include <array>
#include <cstdint>

#include "base/types.h"

namespace sluice::transport {

// The longest that an ACK may be held back where the sender allows it (PROTOCOL §9); it adds this
// to its own retransmission timeout, so both sides need the same figure. And how long the release
// of a response is held back where the callee allows it (§12).
inline constexpr base::Nanos kLazyHold = base::millis(2);

// Ids of one-way messages of a lane whose acknowledgement waits for company, as runs: most callers
// send ids in order, so that one run holds them all.
class HeldAcks {
 public:
  static constexpr uint32_t kMaxRuns = 8;
  static constexpr uint32_t kMaxIds = 64;  // So many are worth a packet of their own.

  struct Run {
    uint64_t first = 0;
    uint32_t count = 0;
  };

  bool empty() const { return runs_ == 0; }
  // Enough for a packet: nothing is gained by waiting for more.
  bool full() const { return ids_ >= kMaxIds || runs_ == kMaxRuns; }
  uint32_t ids() const { return ids_; }

  // `id` is not held yet, and full() is false.
  void add(uint64_t id);
  // The oldest run, taken out; one of no ids when empty.
  Run take();
  void clear() { runs_ = ids_ = 0; }

 private:
  std::array<Run, kMaxRuns> run_;
  uint32_t runs_ = 0;
  uint32_t ids_ = 0;
};

// What prompt acknowledgements may cost a sender's peers: a share of the bytes it sends. Messages
// so short that a packet for each would exceed it allow their ACK to wait.
class AckBudget {
 public:
  static constexpr uint32_t kShare = 64;        // One of so many bytes sent.
  static constexpr uint32_t kAckBytes = 128;    // Of wire time, of a packet with one ACK in it.
  static constexpr uint32_t kMostBytes = 4096;  // Saved up.

  // Counts a message of `bytes`; true when its ACK may come at once.
  bool afford(uint32_t bytes);

 private:
  uint64_t saved_ = 0;  // In 1/kShare bytes.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_HELD_ACKS_H_
