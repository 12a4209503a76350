// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_FLAT_TABLE_H_
#define SLUICE_BASE_FLAT_TABLE_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/aligned_array.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/prefetch.h"

namespace sluice::base {

// A hash table of at most `capacity` entries over integers of up to 64 bits (or StrongInts): open
// addressing over twice as many slots. Each slot counts the entries that had to pass it on their
// way to a free one, so that a search ends where nobody passed, and an entry that goes moves no
// other and leaves no tombstone (F14's overflow counts: Meta, folly/container/F14.md). Nothing is
// allocated after construction. A pointer to a value is good until the value is erased. The seed
// should be random where peers choose keys. Keys that differ in their last `kNearBits` bits only
// lie side by side, so that keys given out in order touch a new cache line only now and then, and
// the one that is next then is asked for in advance.
template <class Key, class Value, unsigned kNearBits = 0>
class FlatTable {
 public:
  FlatTable(size_t capacity, uint64_t seed)
      : slots_(std::bit_ceil(capacity < 4 ? size_t{8} : capacity * 2) + 1),
        capacity_(capacity),
        mask_(slots_.size() - 2),
        seed_(seed) {
    SLUICE_CHECK(mask_ <= UINT32_MAX);
    for (size_t i = 0; i < slots_.size(); ++i) slots_[i].key = kEmpty;
  }

  // The value of the key, or nullptr.
  Value* find(Key key) {
    const uint64_t bits = key_bits(key);
    if (bits == kEmpty) [[unlikely]] {
      return has_reserved_ ? &reserved().value : nullptr;
    }
    Slot& slot = slots_[search(bits, home(bits))];
    return slot.key == bits ? &slot.value : nullptr;
  }
  const Value* find(Key key) const { return const_cast<FlatTable*>(this)->find(key); }

  // Sets the key's value, replacing one that is there. nullptr when the key is new and the table
  // holds capacity() entries.
  Value* insert(Key key, Value value) {
    const uint64_t bits = key_bits(key);
    if (bits == kEmpty) [[unlikely]] {
      return insert_reserved(std::move(value));
    }
    size_t i = home(bits);
    if (kNearBits != 0 && bits % kSlotsPerLine == 0) {
      base::prefetch(&slots_[(i + kSlotsPerLine) & mask_]);
    }
    Slot* slot = &slots_[search(bits, i)];
    if (slot->key != bits) {
      if (size_ == capacity_) [[unlikely]] {
        return nullptr;
      }
      ++size_;
      for (; slots_[i].key != kEmpty; i = next(i)) ++slots_[i].passed;
      slot = &slots_[i];
      slot->key = bits;
    }
    slot->value = std::move(value);
    return &slot->value;
  }

  // Whether the key was there.
  bool erase(Key key) {
    const uint64_t bits = key_bits(key);
    if (bits == kEmpty) [[unlikely]] {
      if (!has_reserved_) return false;
      has_reserved_ = false;
      reserved().value = Value();
      --size_;
      return true;
    }
    const size_t first = home(bits);
    const size_t position = search(bits, first);
    Slot& slot = slots_[position];
    if (slot.key != bits) return false;
    for (size_t i = first; i != position; i = next(i)) --slots_[i].passed;
    slot.key = kEmpty;
    slot.value = Value();
    --size_;
    return true;
  }

  // Starts to load the line where the search for the key begins.
  void prefetch(Key key) const { base::prefetch(&slots_[home(key_bits(key))]); }

  // Calls f(Key, Value&) for each entry, in no useful order; f must not insert or erase.
  template <class F>
  void for_each(F&& f) {
    for (size_t i = 0; i <= mask_; ++i) {
      if (slots_[i].key != kEmpty) f(key_of(slots_[i].key), slots_[i].value);
    }
    if (has_reserved_) f(key_of(kEmpty), reserved().value);
  }

  void clear() {
    for (size_t i = 0; i < slots_.size(); ++i) slots_[i] = Slot{kEmpty, Value(), 0};
    has_reserved_ = false;
    size_ = 0;
  }

  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }

 private:
  struct Slot {
    uint64_t key;
    Value value;
    uint32_t passed;  // Entries whose search begins here or before, and that lie further on.
  };

  static constexpr uint64_t kSlotsPerLine = sizeof(Slot) < 64 ? 64 / sizeof(Slot) : 1;

  // Marks a free slot. The real key of this value lives in a slot of its own behind the others.
  static constexpr uint64_t kEmpty = UINT64_MAX;

  static constexpr uint64_t key_bits(Key key) {
    if constexpr (requires { key.value(); }) {
      return static_cast<uint64_t>(key.value());
    } else {
      return static_cast<uint64_t>(key);
    }
  }
  static constexpr Key key_of(uint64_t bits) {
    if constexpr (requires(Key key) { key.value(); }) {
      return Key(static_cast<typename Key::rep>(bits));
    } else {
      return static_cast<Key>(bits);
    }
  }

  size_t home(uint64_t bits) const {
    constexpr uint64_t kNear = (uint64_t{1} << kNearBits) - 1;
    const uint64_t group = mix64(bits >> kNearBits, seed_) << kNearBits;
    return static_cast<size_t>(group | (bits & kNear)) & mask_;
  }

  // Where a search goes on: beyond the group, so that one that meets another's passes it in one
  // step, and one further, so that it gets to every slot (the step is odd, the slots a power of 2).
  size_t next(size_t i) const {
    constexpr size_t kStep = kNearBits == 0 ? 1 : (size_t{1} << kNearBits) + 1;
    return (i + kStep) & mask_;
  }

  Slot& reserved() { return slots_[mask_ + 1]; }
  Value* insert_reserved(Value value) {
    if (!has_reserved_) {
      if (size_ == capacity_) return nullptr;
      ++size_;
      has_reserved_ = true;
    }
    reserved().value = std::move(value);
    return &reserved().value;
  }

  // The slot that holds the key, or one that holds another or none. Entries stay where they are
  // when those before them go, so that in a small table all slots may have been passed.
  size_t search(uint64_t bits, size_t i) const {
    for (size_t left = mask_; slots_[i].key != bits && slots_[i].passed != 0 && left != 0; --left)
      i = next(i);
    return i;
  }

  AlignedArray<Slot> slots_;
  size_t capacity_;
  size_t mask_;
  uint64_t seed_;
  size_t size_ = 0;
  bool has_reserved_ = false;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_FLAT_TABLE_H_
