// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_SIZE_BUCKETS_H_
#define SLUICE_TRANSPORT_SIZE_BUCKETS_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/intrusive_list.h"

namespace sluice::transport {

// A shortest-first queue in constant time: lists by size class, 1 << `fine` classes to the octave
// (with four of them the head is within a fifth of the true shortest); first in, first out inside a
// class.
template <class T, base::ListNode T::*member, uint8_t T::*bucket, uint32_t fine = 2>
class SizeBuckets {
 public:
  bool empty() const {
    for (const uint64_t word : occupied_) {
      if (word != 0) return false;
    }
    return true;
  }
  static bool contains(const T& item) { return (item.*member).linked(); }

  void insert(T& item, uint32_t size) {
    const uint8_t b = class_of(size);
    item.*bucket = b;
    lists_[b].push_back(item);
    occupied_[b >> 6] |= uint64_t{1} << (b & 63);
  }
  void erase(T& item) {
    const uint8_t b = item.*bucket;
    lists_[b].erase(item);
    if (lists_[b].empty()) occupied_[b >> 6] &= ~(uint64_t{1} << (b & 63));
  }
  // Moves an item whose size changed, if its class did.
  void update(T& item, uint32_t size) {
    if (class_of(size) == item.*bucket) return;
    erase(item);
    insert(item, size);
  }
  // An item has had its turn: it goes behind the others of its class.
  void rotate(T& item, uint32_t size) {
    const uint8_t b = item.*bucket;
    if (class_of(size) == b && lists_[b].single()) return;
    erase(item);
    insert(item, size);
  }
  // The first item of the smallest class, or nullptr.
  T* front() {
    for (size_t i = 0; i < occupied_.size(); ++i) {
      if (occupied_[i] != 0) return lists_[64 * i + std::countr_zero(occupied_[i])].front();
    }
    return nullptr;
  }

  static uint8_t class_of(uint32_t size) {
    constexpr uint32_t kSteps = 1u << fine;  // To the octave.
    if (size < kSteps) return static_cast<uint8_t>(size);
    const uint32_t octave = static_cast<uint32_t>(std::bit_width(size)) - 1;
    return static_cast<uint8_t>(((octave - fine + 1) << fine) +
                                ((size >> (octave - fine)) & (kSteps - 1)));
  }

 private:
  static constexpr uint32_t kClasses = (33 - fine) << fine;  // Up to those of 2^32 - 1.

  std::array<base::IntrusiveList<T, member>, kClasses> lists_;
  std::array<uint64_t, (kClasses + 63) / 64> occupied_{};
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_SIZE_BUCKETS_H_
