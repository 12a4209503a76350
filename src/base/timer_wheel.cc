// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

namespace sluice::base {

uint32_t TimerWheel::first_slot() const {
  if (levels_ == 0) return kDueSlot;
  const uint32_t level = static_cast<uint32_t>(std::countr_zero(levels_));
  return level * kSlots + static_cast<uint32_t>(std::countr_zero(occupied_[level]));
}

// The tick at which the slot begins: the current tick with the slot's own group of bits set to its
// index and the finer groups to zero.
uint64_t TimerWheel::first_tick(uint32_t slot) const {
  const uint32_t bits = slot / kSlots * kSlotBits;
  const uint64_t below = (uint64_t{1} << bits) - 1;
  const uint64_t own = uint64_t{kSlots - 1} << bits;
  return (tick_ & ~(below | own)) | (uint64_t{slot % kSlots} << bits);
}

// Moves every timer due at `now` to the due list, in the order of the slots, and the current tick
// to that of `now`.
void TimerWheel::collect(Nanos now) {
  const uint64_t target = std::max(now.value() >> shift_, tick_);
  for (uint32_t slot = first_slot(); slot != kDueSlot; slot = first_slot()) {
    const uint64_t begin = first_tick(slot);
    if (begin > target) break;
    // No timer lies before the slot, so the current tick may move up to its beginning.
    tick_ = begin;
    if (slot >= kSlots) {
      cascade(slot);
      continue;
    }
    take_due(slot, now);
    // What is left in this slot is due later within it, and all other slots come after it.
    if (begin == target) break;
  }
  tick_ = target;
  next_ = earliest();
}

void TimerWheel::take_due(uint32_t slot, Nanos now) {
  TimerNode* const last = heads_[slot]->prev_;
  TimerNode* node = heads_[slot];
  for (bool more = true; more;) {
    TimerNode* const following = node->next_;
    more = node != last;
    if (node->deadline_ <= now) {
      unlink(*node);
      append(*node, kDueSlot);
    }
    node = following;
  }
}

// Spreads a slot whose beginning is the current tick over the finer levels, in order.
void TimerWheel::cascade(uint32_t slot) {
  while (TimerNode* const node = heads_[slot]) {
    unlink(*node);
    insert(*node);
  }
}

Nanos TimerWheel::earliest() const {
  const uint32_t slot = first_slot();
  if (slot == kDueSlot) return Nanos::max();
  if (slot >= kSlots) return Nanos(first_tick(slot) << shift_);
  Nanos result = Nanos::max();
  const TimerNode* const head = heads_[slot];
  const TimerNode* node = head;
  do {
    result = std::min(result, node->deadline_);
    node = node->next_;
  } while (node != head);
  return result;
}

}  // namespace sluice::base
