// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_ALIGNED_ARRAY_H_
#define SLUICE_BASE_ALIGNED_ARRAY_H_

#include <cstddef>
#include <memory>
#include <new>

#include "base/check.h"

namespace sluice::base {

inline constexpr size_t kCacheLine = 64;

// A fixed-length array of value-initialised objects whose first element starts a cache line. The
// constructor makes the only allocation; addresses never change.
template <class T>
class AlignedArray {
 public:
  explicit AlignedArray(size_t size)
      : data_(static_cast<T*>(::operator new(size * sizeof(T), kAlignment))), size_(size) {
    std::uninitialized_value_construct_n(data_, size_);
  }
  ~AlignedArray() {
    std::destroy_n(data_, size_);
    ::operator delete(data_, kAlignment);
  }
  AlignedArray(const AlignedArray&) = delete;
  AlignedArray& operator=(const AlignedArray&) = delete;

  T& operator[](size_t i) {
    SLUICE_DCHECK(i < size_);
    return data_[i];
  }
  const T& operator[](size_t i) const {
    SLUICE_DCHECK(i < size_);
    return data_[i];
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  static constexpr std::align_val_t kAlignment{alignof(T) > kCacheLine ? alignof(T) : kCacheLine};

  T* data_;
  size_t size_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_ALIGNED_ARRAY_H_
