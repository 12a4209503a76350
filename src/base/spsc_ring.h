// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_SPSC_RING_H_
#define SLUICE_BASE_SPSC_RING_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <span>
#include <type_traits>

#include "base/aligned_array.h"

namespace sluice::base {

// A bounded lock-free queue between one producer thread and one consumer thread. Each side keeps
// its own cache line with a copy of the other's position, and reads the shared one only when that
// copy promises too little. What was written before a push is visible after the pop.
template <class T>
class SpscRing {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // Holds `capacity` elements, rounded up to a power of two.
  explicit SpscRing(size_t capacity) : slots_(std::bit_ceil(capacity)), mask_(slots_.size() - 1) {}

  // Producer: false when the ring is full.
  bool push(const T& element) { return push_burst(std::span<const T>(&element, 1)) == 1; }

  // Producer: appends as many of the first elements as fit and returns how many.
  size_t push_burst(std::span<const T> elements) {
    const size_t tail = producer_.position.load(std::memory_order_relaxed);
    size_t room = slots_.size() - (tail - producer_.other);
    if (room < elements.size()) {
      producer_.other = consumer_.position.load(std::memory_order_acquire);
      room = slots_.size() - (tail - producer_.other);
    }
    const size_t count = std::min(room, elements.size());
    if (count == 0) return 0;
    for (size_t i = 0; i < count; ++i) slots_[(tail + i) & mask_] = elements[i];
    producer_.position.store(tail + count, std::memory_order_release);
    return count;
  }

  // Consumer: false when the ring is empty.
  bool pop(T* element) { return pop_burst(std::span<T>(element, 1)) == 1; }

  // Consumer: takes up to elements.size() of the oldest elements and returns how many. Zero means
  // empty; fewer than asked for does not.
  size_t pop_burst(std::span<T> elements) {
    const size_t head = consumer_.position.load(std::memory_order_relaxed);
    size_t ready = consumer_.other - head;
    if (ready == 0) {
      consumer_.other = producer_.position.load(std::memory_order_acquire);
      ready = consumer_.other - head;
    }
    const size_t count = std::min(ready, elements.size());
    if (count == 0) return 0;
    for (size_t i = 0; i < count; ++i) elements[i] = slots_[(head + i) & mask_];
    consumer_.position.store(head + count, std::memory_order_release);
    return count;
  }

  // Any thread: how many elements there were a moment ago; exact for a side while the other rests.
  size_t size() const {
    const size_t head = consumer_.position.load(std::memory_order_acquire);
    return std::min(producer_.position.load(std::memory_order_acquire) - head, slots_.size());
  }
  bool empty() const { return size() == 0; }
  size_t capacity() const { return slots_.size(); }

 private:
  struct alignas(kCacheLine) Side {
    std::atomic<size_t> position{0};
    size_t other = 0;
  };

  AlignedArray<T> slots_;
  size_t mask_;
  Side producer_;
  Side consumer_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_SPSC_RING_H_
