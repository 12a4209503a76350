// SPDX-License-Identifier: Apache-2.0
#include "sim/event_queue.h"

#include <algorithm>
#include <bit>

namespace sluice::sim {
namespace {

constexpr size_t kFirstChunks = 1024;
constexpr uint64_t kNever = UINT64_MAX;
// Up to here sorting by insertion beats the general sort.
constexpr size_t kFewEvents = 16;

}  // namespace

EventQueue::EventQueue() : heads_(kBuckets, kNone), occupied_(kBuckets / 64) {}

void EventQueue::grow() {
  const size_t old_size = chunks_.size();
  const size_t new_size = std::max(kFirstChunks, old_size * 2);
  chunks_.resize(new_size);
  for (size_t i = old_size; i + 1 < new_size; ++i) {
    chunks_[i].events[0].next = static_cast<uint32_t>(i + 1);
  }
  free_ = static_cast<uint32_t>(old_size);
}

void EventQueue::push_elsewhere(const Event& event) {
  if (bucket_of(event.time) <= current_bucket_) {
    push_current(event);
  } else {
    push_far(event);
  }
}

void EventQueue::push_current(const Event& event) {
  if (read_ == current_.size()) {
    current_.clear();
    read_ = 0;
  }
  current_.push_back(event);
  size_t i = current_.size() - 1;
  for (; i > read_ && is_before(event, current_[i - 1]); --i) current_[i] = current_[i - 1];
  current_[i] = event;
}

void EventQueue::push_far(const Event& event) {
  size_t i = far_.size();
  far_.push_back(event);
  while (i > 0) {
    const size_t parent = (i - 1) / 4;
    if (!is_before(event, far_[parent])) break;
    far_[i] = far_[parent];
    i = parent;
  }
  far_[i] = event;
}

void EventQueue::pop_far() {
  const Event last = far_.back();
  far_.pop_back();
  const size_t size = far_.size();
  if (size == 0) return;
  size_t i = 0;
  for (;;) {
    const size_t first = 4 * i + 1;
    if (first >= size) break;
    size_t best = first;
    for (size_t child = first + 1; child < std::min(first + 4, size); ++child) {
      if (is_before(far_[child], far_[best])) best = child;
    }
    if (!is_before(far_[best], last)) break;
    far_[i] = far_[best];
    i = best;
  }
  far_[i] = last;
}

// The first slot from `slot` on, up to the last one, whose list is not empty; kNever if none is.
uint64_t EventQueue::next_slot_from(uint64_t slot) const {
  const uint64_t word = slot / 64;
  const uint64_t here = occupied_[word] >> (slot % 64) << (slot % 64);
  if (here != 0) return word * 64 + std::countr_zero(here);
  uint64_t group = (word + 1) / 64;
  if (group == kBuckets / 4096) return kNever;
  uint64_t words = groups_[group] >> ((word + 1) % 64) << ((word + 1) % 64);
  while (words == 0) {
    if (++group == kBuckets / 4096) return kNever;
    words = groups_[group];
  }
  const uint64_t found = group * 64 + std::countr_zero(words);
  return found * 64 + std::countr_zero(occupied_[found]);
}

// The next bucket after the current one that holds events; kNever when all of them are empty.
uint64_t EventQueue::next_near_bucket() const {
  const uint64_t first = current_bucket_ + 1;
  uint64_t slot = next_slot_from(first % kBuckets);
  if (slot == kNever) slot = next_slot_from(0);
  if (slot == kNever) return kNever;
  return first + (slot - first) % kBuckets;
}

// Moves a bucket's events into current_, which is empty, in order.
void EventQueue::open(uint64_t bucket) {
  const uint64_t slot = bucket % kBuckets;
  current_.clear();
  read_ = 0;
  uint32_t count = (heads_[slot] & 3) + 1;
  for (uint32_t i = heads_[slot] >> 2; i != kNone; count = 4) {
    Event* events = chunks_[i].events;
    current_.insert(current_.end(), events, events + count);
    const uint32_t older = events->next;
    events->next = free_;
    free_ = i;
    i = older;
  }
  heads_[slot] = kNone;
  occupied_[slot / 64] &= ~(1ull << (slot % 64));
  if (occupied_[slot / 64] == 0) groups_[slot / 4096] &= ~(1ull << (slot / 64 % 64));
  sort_current();
}

void EventQueue::sort_current() {
  if (current_.size() > kFewEvents) {
    std::sort(current_.begin(), current_.end(), is_before);
    return;
  }
  for (size_t i = 1; i < current_.size(); ++i) {
    if (!is_before(current_[i], current_[i - 1])) continue;
    const Event event = current_[i];
    size_t j = i;
    for (; j > 0 && is_before(event, current_[j - 1]); --j) current_[j] = current_[j - 1];
    current_[j] = event;
  }
}

// With current_ used up: goes to the bucket of the next event, unless that begins after `until`.
// False when there is none. The next event is then the first of current_ or of far_.
bool EventQueue::advance(Picos until) {
  const uint64_t near = next_near_bucket();
  const uint64_t far = far_.empty() ? kNever : bucket_of(far_.front().time);
  const uint64_t bucket = std::min(near, far);
  if (bucket == kNever || bucket > bucket_of(until)) return false;
  // A far event may lie in a bucket that has been opened already.
  current_bucket_ = std::max(current_bucket_, bucket);
  if (near == bucket) open(bucket);
  return true;
}

Picos EventQueue::next_time() const {
  Picos first = far_.empty() ? Picos::max() : far_.front().time;
  if (read_ < current_.size()) return std::min(first, current_[read_].time);
  const uint64_t near = next_near_bucket();
  if (near == kNever) return first;
  const uint32_t head = heads_[near % kBuckets];
  uint32_t count = (head & 3) + 1;
  for (uint32_t i = head >> 2; i != kNone; i = chunks_[i].events[0].next, count = 4) {
    for (uint32_t k = 0; k < count; ++k) first = std::min(first, chunks_[i].events[k].time);
  }
  return first;
}

}  // namespace sluice::sim
