// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_LAZY_ARRAY_H_
#define SLUICE_BASE_LAZY_ARRAY_H_

#include <cstddef>
#include <memory>
#include <type_traits>

#include "base/check.h"
#include "base/large_memory.h"

namespace sluice::base {

// Room for a fixed number of objects that are made one by one, when they are first needed. The
// constructor makes the only allocation, and touches none of it: what is never made costs address
// space and no memory. Addresses never change. Not thread-safe.
template <class T>
class LazyArray {
 public:
  explicit LazyArray(size_t size)
      : room_(static_cast<T*>(map_untouched(size * sizeof(T)))), size_(size) {}
  ~LazyArray() { unmap(room_, size_ * sizeof(T)); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;

  // Makes the object at this place, anew where there is one.
  T* make(size_t index) {
    SLUICE_DCHECK(index < size_);
    return std::construct_at(room_ + index);
  }
  size_t size() const { return size_; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);  // Nobody knows which of them were made.
  static_assert(alignof(T) <= 4096);

  T* const room_;
  const size_t size_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_LAZY_ARRAY_H_
