// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_SEND_QUEUE_H_
#define SLUICE_TRANSPORT_SEND_QUEUE_H_

#include <cstdint>

#include "base/intrusive_list.h"
#include "transport/exchange.h"
#include "transport/size_buckets.h"

namespace sluice::transport {

// The messages of several packets that have bytes they may send, and the order in which they do:
// fewest bytes left first, but of the packets that were granted one in `turn_share` goes to the
// messages in turn. So every receiver hears now and then from a sender that is busy with others,
// and learns from its marks that credit is of no use there (SIRD's mix of fair and SRPT senders,
// NSDI 2025 §4.3).
class SendQueue {
 public:
  // 0: no turns, the fewest bytes left always.
  explicit SendQueue(uint32_t turn_share) : turn_share_(turn_share) {}

  bool empty() const { return by_size_.empty(); }
  // There is more than one message.
  bool several() const { return !turns_.empty() && !turns_.single(); }
  static bool contains(const Outgoing& message) { return message.node.linked(); }

  // `left`: bytes that the message has still to send. It has its cold part.
  void insert(Outgoing& message, uint32_t left) {
    by_size_.insert(message, left);
    turns_.push_back(cold_of(message));
  }
  void update(Outgoing& message, uint32_t left) { by_size_.update(message, left); }
  void erase(Outgoing& message) {
    by_size_.erase(message);
    turns_.erase(cold_of(message));
  }

  // Whose packet is next, or nullptr; it stays in the queue.
  Outgoing* next() {
    Outgoing* const shortest = by_size_.front();
    if (turn_share_ == 0 || shortest == nullptr || shortest->sent < cold_of(*shortest).unasked) {
      return shortest;
    }
    if (++served_ < turn_share_) return shortest;
    served_ = 0;
    ColdPart* const turn = turns_.pop_front();
    turns_.push_back(*turn);
    return turn->out;
  }

 private:
  const uint32_t turn_share_;
  uint32_t served_ = 0;
  SizeBuckets<Outgoing, &Outgoing::node, &Outgoing::bucket> by_size_;
  base::IntrusiveList<ColdPart, &ColdPart::turn_node> turns_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_SEND_QUEUE_H_
