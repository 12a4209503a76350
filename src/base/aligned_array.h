// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_ALIGNED_ARRAY_H_
#define SLUICE_BASE_ALIGNED_ARRAY_H_

#include <cstddef>
#include <memory>
#include <new>

#include "base/check.h"
#include "base/large_memory.h"
#include "base/prefetch.h"

namespace sluice::base {

// A fixed-length array of value-initialised objects whose first element starts a cache line, and
// where it is large a huge page. The constructor makes the only allocation; addresses never change.
template <class T>
class AlignedArray {
 public:
  explicit AlignedArray(size_t size)
      : data_(static_cast<T*>(::operator new(size * sizeof(T), alignment(size)))), size_(size) {
    if (is_large(size)) advise_huge_pages(data_, size * sizeof(T));
    std::uninitialized_value_construct_n(data_, size_);
  }
  ~AlignedArray() {
    std::destroy_n(data_, size_);
    ::operator delete(data_, alignment(size_));
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
  static bool is_large(size_t size) { return size * sizeof(T) >= kHugePage; }
  static std::align_val_t alignment(size_t size) {
    if (is_large(size)) return std::align_val_t{kHugePage};
    return std::align_val_t{alignof(T) > kCacheLine ? alignof(T) : kCacheLine};
  }

  T* data_;
  size_t size_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_ALIGNED_ARRAY_H_
