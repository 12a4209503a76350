// SPDX-License-Identifier: Apache-2.0
//
// What the endpoints of one host tell each other of credit. Each of its lcores grants by itself:
// together they would promise the host's one downlink as many times over; and each holds a part of
// what others have granted to the host, of which its uplink can use no more for being shared out.
#ifndef SLUICE_TRANSPORT_CREDIT_BOARD_H_
#define SLUICE_TRANSPORT_CREDIT_BOARD_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

namespace sluice::transport {

// One entry for each member, written by its thread alone and read by the others, without order: a
// figure that is a burst old costs a queue of some packets and breaks no promise. No member waits
// for another to give way, so nobody has to be woken: each may always have its even share of the
// credit, among those that hold or want some, and whatever the others leave.
class CreditBoard {
 public:
  // What the other members have to send.
  struct Waiting {
    uint64_t unspent = 0;  // Bytes granted to them and not sent.
    bool any = false;      // One of them has a message that may be sent.
  };

  explicit CreditBoard(uint32_t members) : entries_(members) {}

  // The member's thread: bytes that it has granted and not received, and whether it has messages
  // that want more.
  void publish_granted(uint32_t member, uint64_t outstanding, bool wants) {
    set(&entries_[member].granted, outstanding, wants);
  }

  // The member's thread: how many of `all` bytes it may have granted and not received now.
  uint64_t allowed(uint32_t member, uint64_t all) const {
    uint64_t others = 0;
    uint64_t sharers = 1;
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      if (i == member) continue;
      const uint64_t word = entries_[i].granted.load(std::memory_order_relaxed);
      others += word >> 1;
      sharers += word != 0 ? 1 : 0;
    }
    return std::max(all / sharers, all > others ? all - others : 0);
  }

  // The member's thread: bytes granted to it and not sent, and whether it has a message to send.
  void publish_unspent(uint32_t member, uint64_t unspent, bool any) {
    set(&entries_[member].unspent, unspent, any);
  }

  // The member's thread.
  Waiting others(uint32_t member) const {
    Waiting sum;
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      if (i == member) continue;
      const uint64_t word = entries_[i].unspent.load(std::memory_order_relaxed);
      sum.unspent += word >> 1;
      sum.any |= (word & 1) != 0;
    }
    return sum;
  }

 private:
  // Bytes and a flag in a word. Written only when they change, so that readers keep the line.
  static void set(std::atomic<uint64_t>* word, uint64_t bytes, bool flag) {
    const uint64_t value = bytes << 1 | (flag ? 1 : 0);
    if (word->load(std::memory_order_relaxed) == value) return;
    word->store(value, std::memory_order_relaxed);
  }

  // A cache line each, so that writing one does not take the others from their owners.
  struct alignas(64) Entry {
    std::atomic<uint64_t> granted{0};
    std::atomic<uint64_t> unspent{0};
  };
  std::vector<Entry> entries_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CREDIT_BOARD_H_
