// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_BITMAP_H_
#define SLUICE_BASE_BITMAP_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/aligned_array.h"
#include "base/check.h"

namespace sluice::base {

// A fixed number of bits, all clear at first. The searches look at 64 bits a step.
class Bitmap {
 public:
  // No such bit.
  static constexpr size_t kNone = SIZE_MAX;

  explicit Bitmap(size_t bits) : words_((bits + 63) / 64), bits_(bits) {}

  void set(size_t i) {
    SLUICE_DCHECK(i < bits_);
    words_[i / 64] |= mask(i);
  }
  void clear(size_t i) {
    SLUICE_DCHECK(i < bits_);
    words_[i / 64] &= ~mask(i);
  }
  bool test(size_t i) const {
    SLUICE_DCHECK(i < bits_);
    return (words_[i / 64] & mask(i)) != 0;
  }
  void clear_all() {
    for (size_t w = 0; w < words_.size(); ++w) words_[w] = 0;
  }

  // The lowest set bit, or the lowest clear one, at or after `from`; kNone when there is none.
  size_t find_first_set() const { return find_first_set_from(0); }
  size_t find_first_set_from(size_t from) const { return find(from, 0); }
  size_t find_first_clear_from(size_t from) const { return find(from, ~uint64_t{0}); }

  size_t size() const { return bits_; }

 private:
  static uint64_t mask(size_t i) { return uint64_t{1} << (i % 64); }

  // The lowest bit at or after `from` that is set once the words are flipped by `flip`.
  size_t find(size_t from, uint64_t flip) const {
    if (from >= bits_) return kNone;
    size_t word = from / 64;
    uint64_t left = (words_[word] ^ flip) & (~uint64_t{0} << (from % 64));
    while (left == 0) {
      if (++word == words_.size()) return kNone;
      left = words_[word] ^ flip;
    }
    const size_t found = word * 64 + static_cast<size_t>(std::countr_zero(left));
    return found < bits_ ? found : kNone;
  }

  AlignedArray<uint64_t> words_;
  size_t bits_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_BITMAP_H_
