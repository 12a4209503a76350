// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_SLAB_H_
#define SLUICE_BASE_SLAB_H_

#include <cstdint>

#include "base/aligned_array.h"
#include "base/check.h"

namespace sluice::base {

// A pool of `capacity` objects of one type. Every object is constructed once, with the slab, and
// destroyed with it: allocate() hands out an object as its last user left it, so the caller resets
// what matters. The object released last is handed out first, while it is still in the cache.
// Not thread-safe.
template <class T>
class Slab {
 public:
  explicit Slab(uint32_t capacity) : objects_(capacity), next_(capacity) {
    SLUICE_CHECK(capacity < kLive);
    for (uint32_t i = 0; i < capacity; ++i) next_[i] = i + 1;
  }

  // An object, or nullptr when all are in use.
  T* allocate() {
    if (free_ == capacity()) [[unlikely]] {
      return nullptr;
    }
    const uint32_t index = free_;
    free_ = next_[index];
    next_[index] = kLive;
    ++in_use_;
    return &objects_[index];
  }

  // Takes back an object that allocate() returned; releasing one twice stops the process.
  void release(T* object) {
    const uint32_t index = index_of(object);
    SLUICE_CHECK(next_[index] == kLive);
    next_[index] = free_;
    free_ = index;
    --in_use_;
  }

  uint32_t index_of(const T* object) const {
    SLUICE_DCHECK(object >= objects_.data() && object < objects_.data() + objects_.size());
    return static_cast<uint32_t>(object - objects_.data());
  }

  T& at(uint32_t index) { return objects_[index]; }
  const T& at(uint32_t index) const { return objects_[index]; }

  // Whether the index names an object that is allocated now.
  bool is_live(uint32_t index) const { return index < capacity() && next_[index] == kLive; }

  uint32_t in_use() const { return in_use_; }
  uint32_t capacity() const { return static_cast<uint32_t>(objects_.size()); }

 private:
  static constexpr uint32_t kLive = UINT32_MAX;

  AlignedArray<T> objects_;
  // For a free object the next free one (capacity() ends the list), for a live one kLive.
  AlignedArray<uint32_t> next_;
  uint32_t free_ = 0;
  uint32_t in_use_ = 0;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_SLAB_H_
