// SPDX-License-Identifier: Apache-2.0
#include "sim/port.h"

namespace sluice::sim {
namespace {

// For the standard heap, whose top is the greatest.
constexpr auto kIsLater = [](const auto& a, const auto& b) {
  return a.rank > b.rank || (a.rank == b.rank && a.order > b.order);
};

}  // namespace

void PortQueue::push_ranked(PacketPool& pool, PacketHandle handle) {
  ranked_->heap.push_back({pool[handle].rank, ranked_->next_order++, handle});
  std::push_heap(ranked_->heap.begin(), ranked_->heap.end(), kIsLater);
}

PacketHandle PortQueue::pop_ranked() {
  std::pop_heap(ranked_->heap.begin(), ranked_->heap.end(), kIsLater);
  const PacketHandle handle = ranked_->heap.back().handle;
  ranked_->heap.pop_back();
  return handle;
}

}  // namespace sluice::sim
