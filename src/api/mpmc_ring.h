// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_MPMC_RING_H_
#define SLUICE_API_MPMC_RING_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/aligned_array.h"

namespace sluice::internal {

// A bounded queue of small numbers between any number of producer and consumer threads: each cell
// carries the turn whose producer or consumer it waits for (D. Vyukov's scheme). What was written
// before a push is visible after the pop. Nobody ever waits for a lock; a thread that is suspended
// inside push() hides the entries behind its own until it goes on.
class MpmcRing {
 public:
  // Holds `capacity` entries, rounded up to a power of two: two at least, since with one cell a
  // full ring and an empty one would look alike.
  explicit MpmcRing(size_t capacity)
      : cells_(std::bit_ceil(capacity < 2 ? size_t{2} : capacity)), mask_(cells_.size() - 1) {
    for (size_t i = 0; i < cells_.size(); ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  // False when the ring is full.
  bool push(uint32_t value) {
    size_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at & mask_];
      const size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
          cell.value = value;
          cell.turn.store(at + 1, std::memory_order_release);
          return true;
        }
      } else if (turn < at) {
        return false;
      } else {
        at = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  // False when the ring is empty.
  bool pop(uint32_t* value) {
    size_t at = head_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at & mask_];
      const size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at + 1) {
        if (head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
          *value = cell.value;
          cell.turn.store(at + cells_.size(), std::memory_order_release);
          return true;
        }
      } else if (turn < at + 1) {
        return false;
      } else {
        at = head_.load(std::memory_order_relaxed);
      }
    }
  }

  // Whether pop() would find something now.
  bool ready() const {
    const size_t at = head_.load(std::memory_order_relaxed);
    return cells_[at & mask_].turn.load(std::memory_order_acquire) > at;
  }

  // How many entries there were a moment ago; exact while nobody pushes or pops.
  size_t size() const {
    const size_t head = head_.load(std::memory_order_acquire);
    const size_t tail = tail_.load(std::memory_order_acquire);
    return tail > head ? tail - head : 0;
  }
  size_t capacity() const { return cells_.size(); }

 private:
  struct Cell {
    std::atomic<size_t> turn{0};
    uint32_t value = 0;
  };

  base::AlignedArray<Cell> cells_;
  size_t mask_;
  alignas(base::kCacheLine) std::atomic<size_t> tail_{0};
  alignas(base::kCacheLine) std::atomic<size_t> head_{0};
};

}  // namespace sluice::internal

#endif  // SLUICE_API_MPMC_RING_H_
