// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_TIMER_WHEEL_H_
#define SLUICE_BASE_TIMER_WHEEL_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/types.h"

namespace sluice::base {

// One timer, a member or a base of what it times; from a member, container_of() leads back. As with
// ListNode the armed state belongs to the address: a copy is not armed, and assigning to an armed
// timer copies `kind` alone.
class TimerNode {
 public:
  TimerNode() = default;
  explicit TimerNode(uint32_t timer_kind) : kind(timer_kind) {}
  TimerNode(const TimerNode& other) : kind(other.kind) {}
  TimerNode& operator=(const TimerNode& other) {
    kind = other.kind;
    return *this;
  }

  bool linked() const { return next_ != nullptr; }
  // When it fires; meaningful while linked, and in the callback.
  Nanos deadline() const { return deadline_; }

  // The owner's own: what to do when it fires. The wheel never looks at it.
  uint32_t kind = 0;

 private:
  friend class TimerWheel;

  uint32_t slot_ = 0;
  TimerNode* next_ = nullptr;
  TimerNode* prev_ = nullptr;
  Nanos deadline_;
};

// A hierarchical timing wheel over the whole range of Nanos: 64 slots per level, each level 64
// times coarser than the one below, the finest slot 2^granularity_bits ns wide. Arming and
// cancelling cost O(1); a timer moves to a finer level at most once per level on its way; empty
// slots are skipped by bitmaps, so a jump of hours costs no more than a step. Slots only group
// timers: each fires at its exact deadline or at the first advance() after it, never before.
// Nothing is allocated. An armed timer must be cancelled before it dies.
class TimerWheel {
 public:
  explicit TimerWheel(uint32_t granularity_bits = 10, Nanos now = Nanos::zero())
      : shift_(granularity_bits), tick_(now.value() >> granularity_bits) {
    SLUICE_CHECK(granularity_bits < 32);
  }
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms the timer, or moves it when it is armed. Nanos::max() means never, and only cancels.
  void arm(TimerNode& node, Nanos deadline) {
    cancel(node);
    node.deadline_ = deadline;
    if (deadline == Nanos::max()) return;
    insert(node);
    ++size_;
    next_ = std::min(next_, deadline);
  }

  // Disarms the timer; nothing happens to one that is not armed.
  void cancel(TimerNode& node) {
    if (!node.linked()) return;
    unlink(node);
    if (--size_ == 0) next_ = Nanos::max();
  }

  // No timer fires before this; Nanos::max() when none is armed. After advance(now) it lies beyond
  // `now`, unless a callback armed a timer that is due already. It is exact when the next timer is
  // near and may be early when it is far or was cancelled: advance() then refines it.
  Nanos next_deadline() const { return next_; }

  // Calls fire(TimerNode&) for each timer with a deadline of at most `now`, disarmed before the
  // call, and returns how many there were. Timers of an earlier slot fire first. The callback may
  // arm and cancel any timer and destroy the fired one; a timer it arms fires in a later advance()
  // even when due already. A time before the last one fires what is due at that time, no more.
  template <class F>
  size_t advance(Nanos now, F&& fire) {
    if (now < next_) [[likely]] {
      return 0;
    }
    collect(now);
    size_t fired = 0;
    while (TimerNode* const node = heads_[kDueSlot]) {
      cancel(*node);
      fire(*node);
      ++fired;
    }
    return fired;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  static constexpr uint32_t kSlotBits = 6;
  static constexpr uint32_t kSlots = 1u << kSlotBits;
  static constexpr uint32_t kLevels = 11;
  // One list more: the timers that advance() has found due and is firing.
  static constexpr uint32_t kDueSlot = kLevels * kSlots;

  // Where a timer goes is decided by the highest group of six bits in which its tick differs from
  // the current one: all timers of a level are then ahead of the current tick in that group, and
  // the first occupied slot of the lowest occupied level is the earliest.
  void insert(TimerNode& node) {
    const uint64_t tick = std::max(node.deadline_.value() >> shift_, tick_);
    const uint64_t difference = tick ^ tick_;
    const uint32_t level =
        difference == 0 ? 0 : static_cast<uint32_t>(std::bit_width(difference) - 1) / kSlotBits;
    const uint32_t index = static_cast<uint32_t>(tick >> (level * kSlotBits)) % kSlots;
    append(node, level * kSlots + index);
    occupied_[level] |= uint64_t{1} << index;
    levels_ |= 1u << level;
  }

  // Each slot is a ring, its head the oldest member.
  void append(TimerNode& node, uint32_t slot) {
    TimerNode*& head = heads_[slot];
    node.slot_ = slot;
    if (head == nullptr) {
      head = node.next_ = node.prev_ = &node;
      return;
    }
    node.next_ = head;
    node.prev_ = head->prev_;
    head->prev_->next_ = &node;
    head->prev_ = &node;
  }

  void unlink(TimerNode& node) {
    TimerNode*& head = heads_[node.slot_];
    if (node.next_ == &node) {
      head = nullptr;
      mark_empty(node.slot_);
    } else {
      node.prev_->next_ = node.next_;
      node.next_->prev_ = node.prev_;
      if (head == &node) head = node.next_;
    }
    node.next_ = node.prev_ = nullptr;
  }

  void mark_empty(uint32_t slot) {
    if (slot == kDueSlot) return;
    const uint32_t level = slot / kSlots;
    occupied_[level] &= ~(uint64_t{1} << (slot % kSlots));
    if (occupied_[level] == 0) levels_ &= ~(1u << level);
  }

  uint32_t first_slot() const;
  uint64_t first_tick(uint32_t slot) const;
  void collect(Nanos now);
  void take_due(uint32_t slot, Nanos now);
  void cascade(uint32_t slot);
  Nanos earliest() const;

  uint32_t shift_;
  // Bit l is set when level l has a timer, and bit s of occupied_[l] when its slot s has.
  uint32_t levels_ = 0;
  uint64_t tick_;
  Nanos next_ = Nanos::max();
  size_t size_ = 0;
  std::array<uint64_t, kLevels> occupied_{};
  std::array<TimerNode*, kDueSlot + 1> heads_{};
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_TIMER_WHEEL_H_
