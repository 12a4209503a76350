// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_EVENT_QUEUE_H_
#define SLUICE_SIM_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "sim/time.h"

namespace sluice::sim {

// What happens at a time; what kind, a and b mean is its maker's business.
struct Event {
  Picos time;
  uint64_t order = 0;  // Of being pushed, times 256, plus the kind.
  uint64_t b = 0;
  uint32_t a = 0;
  uint32_t next = UINT32_MAX;  // The queue's.

  uint8_t kind() const { return static_cast<uint8_t>(order); }
};
static_assert(sizeof(Event) == 32);

// The events to come, in the total order of (time, order): what happens at the same time happens
// in the order in which it was pushed. The near future lies in buckets of about a nanosecond, each
// sorted only when its time has come; what is further away lies in a heap. At the event rates of a
// datacenter a bucket holds a handful, so that a push costs a list insertion and a pop a share of a
// tiny sort.
class EventQueue {
 public:
  EventQueue();

  // Adds an event. A time before now() stops the process: nothing may change the past.
  void push(Picos time, uint8_t kind, uint32_t a, uint64_t b) {
    SLUICE_CHECK(time >= now_);
    const uint64_t order = next_order_++ << 8 | kind;
    const uint64_t bucket = bucket_of(time);
    ++pending_;
    if (bucket - current_bucket_ - 1 < kBuckets - 1) [[likely]] {
      Event* event = place_near(bucket);
      event->time = time;
      event->order = order;
      event->b = b;
      event->a = a;
    } else {
      push_elsewhere({time, order, b, a, kNone});
    }
  }

  // Takes the next event if its time is at most `until`; now() is then its time.
  bool pop(Picos until, Event* event) {
    if (read_ == current_.size()) [[unlikely]] {
      if (!advance(until)) return false;
    }
    const bool far_first = read_ == current_.size() || (!far_.empty() && far_is_before_current());
    const Event& first = far_first ? far_.front() : current_[read_];
    if (first.time > until) return false;
    *event = first;
    now_ = first.time;
    --pending_;
    if (far_first) [[unlikely]] {
      pop_far();
    } else {
      ++read_;
    }
    return true;
  }

  // The time of the next event; "never" when there is none.
  Picos next_time() const;

  // The time of the event popped last.
  Picos now() const { return now_; }
  size_t pending() const { return pending_; }

 private:
  static constexpr uint32_t kBucketShift = 10;  // 1024 ps
  static constexpr uint64_t kBuckets = 16384;   // 16.8 us ahead
  static constexpr uint32_t kNone = UINT32_MAX;

  static uint64_t bucket_of(Picos time) { return time.value() >> kBucketShift; }
  static bool is_before(const Event& a, const Event& b) {
    return a.time < b.time || (a.time == b.time && a.order < b.order);
  }
  bool far_is_before_current() const { return is_before(far_.front(), current_[read_]); }

  // Events of one bucket, oldest first; the first one's `next` names the chunk before it.
  struct Chunk {
    Event events[4];
  };
  // What heads_ holds for a bucket whose newest chunk has that many events, 1 to 4.
  static constexpr uint32_t head_of(uint32_t chunk, uint32_t count) {
    return chunk << 2 | (count - 1);
  }

  // Where a bucket's next event goes; its `next` is set already.
  Event* place_near(uint64_t bucket) {
    const uint64_t slot = bucket % kBuckets;
    const uint32_t head = heads_[slot];
    if (head != kNone && (head & 3) != 3) {
      heads_[slot] = head + 1;
      return &chunks_[(head + 1) >> 2].events[(head + 1) & 3];
    }
    if (free_ == kNone) [[unlikely]]
      grow();
    const uint32_t index = free_;
    Event* first = chunks_[index].events;
    free_ = first->next;
    first->next = head == kNone ? kNone : head >> 2;
    heads_[slot] = head_of(index, 1);
    occupied_[slot / 64] |= 1ull << (slot % 64);
    groups_[slot / 4096] |= 1ull << (slot / 64 % 64);
    return first;
  }
  void push_elsewhere(const Event& event);
  void push_current(const Event& event);
  void push_far(const Event& event);
  void pop_far();
  void grow();
  bool advance(Picos until);
  void open(uint64_t bucket);
  void sort_current();
  uint64_t next_near_bucket() const;
  uint64_t next_slot_from(uint64_t slot) const;

  Picos now_;
  uint64_t next_order_ = 0;
  size_t pending_ = 0;
  // Events of this bucket, and of any before it, are in current_, from read_ on, in order.
  uint64_t current_bucket_ = 0;
  size_t read_ = 0;
  std::vector<Event> current_;
  // Bucket b of the kBuckets - 1 after that one is the list of chunks at heads_[b % kBuckets], in
  // no order. Bits say which lists are not empty, and which 64 of those bits are not all zero.
  std::vector<uint32_t> heads_;
  std::vector<uint64_t> occupied_;
  uint64_t groups_[kBuckets / 4096] = {};
  std::vector<Chunk> chunks_;
  uint32_t free_ = kNone;   // The first of the unused chunks, which are linked by their `next`.
  std::vector<Event> far_;  // A heap of four children per parent, the first event on top.
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_EVENT_QUEUE_H_
