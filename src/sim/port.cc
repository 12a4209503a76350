// SPDX-License-Identifier: Apache-2.0
#include "sim/port.h"

namespace sluice::sim {
namespace {

// For the standard heap, whose top is the greatest.
constexpr auto kIsLater = [](const auto& a, const auto& b) {
  return a.rank > b.rank || (a.rank == b.rank && a.order > b.order);
};

// Packets that name no message are each their own.
uint64_t message_of(const Packet& packet, PacketHandle handle) {
  return packet.user != 0 ? packet.user : 1ull << 63 | handle;
}

}  // namespace

void PortQueue::push_ranked(PacketPool& pool, PacketHandle handle) {
  Packet& packet = pool[handle];
  packet.next = kNoPacket;
  const uint64_t key = message_of(packet, handle);
  RankedMessage& message = ranked_->messages[key];
  if (message.head != kNoPacket) {
    pool[message.tail].next = handle;
    message.tail = handle;
    return;
  }
  message.head = message.tail = handle;
  push_message(packet.rank, key);
}

void PortQueue::push_message(uint64_t rank, uint64_t key) {
  ranked_->heap.push_back({rank, ranked_->next_order++, key});
  std::push_heap(ranked_->heap.begin(), ranked_->heap.end(), kIsLater);
}

PacketHandle PortQueue::pop_ranked(PacketPool& pool) {
  std::pop_heap(ranked_->heap.begin(), ranked_->heap.end(), kIsLater);
  const uint64_t key = ranked_->heap.back().message;
  ranked_->heap.pop_back();
  const auto found = ranked_->messages.find(key);
  const PacketHandle handle = found->second.head;
  const PacketHandle next = pool[handle].next;
  found->second.head = next;
  if (next == kNoPacket) {
    ranked_->messages.erase(found);
  } else {
    push_message(pool[next].rank, key);
  }
  return handle;
}

}  // namespace sluice::sim
