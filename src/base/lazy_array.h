// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_LAZY_ARRAY_H_
#define SLUICE_BASE_LAZY_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

#include "base/aligned_array.h"
#include "base/check.h"

namespace sluice::base {

// Room for a fixed number of objects that are made one by one, when they are first needed. The
// constructor makes the only allocation, and touches none of it: what is never made costs address
// space and no memory. Addresses never change. Not thread-safe.
template <class T>
class LazyArray {
 public:
  explicit LazyArray(size_t size)
      : room_(static_cast<T*>(::operator new(size * sizeof(T), alignment()))), size_(size) {}
  ~LazyArray() { ::operator delete(room_, alignment()); }
  LazyArray(const LazyArray&) = delete;
  LazyArray& operator=(const LazyArray&) = delete;

  // Makes the object at this place, anew where there is one.
  T* make(size_t index) {
    SLUICE_DCHECK(index < size_);
    return std::construct_at(room_ + index);
  }
  size_t size() const { return size_; }

 private:
  // Nobody knows which of them were made.
  static_assert(std::is_trivially_destructible_v<T>);

  static constexpr std::align_val_t alignment() {
    return std::align_val_t{alignof(T) > kCacheLine ? alignof(T) : kCacheLine};
  }

  T* const room_;
  const size_t size_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_LAZY_ARRAY_H_
