// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_BUDDY_ARENA_H_
#define SLUICE_BASE_BUDDY_ARENA_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/aligned_array.h"

namespace sluice::base {

// A buddy allocator over one block of 2^k bytes: landing memory for messages. All sizes are rounded
// up to a power of two of at least kMinBlock, so blocks are aligned to 64 bytes and to kMinBlock
// relative to the start. Both verbs cost O(log n); the books (1/128 of the memory) are kept outside
// it, so whatever writes into the memory cannot break them. Not thread-safe.
class BuddyArena {
 public:
  static constexpr size_t kMinBlock = 256;

  // Manages memory the caller keeps alive. `memory` is aligned to 64 and `bytes` is a power of two,
  // at least kMinBlock; anything else stops the process.
  BuddyArena(uint8_t* memory, size_t bytes);
  // Allocates the memory itself, page-aligned, and does not touch it.
  explicit BuddyArena(size_t bytes);
  ~BuddyArena();
  BuddyArena(const BuddyArena&) = delete;
  BuddyArena& operator=(const BuddyArena&) = delete;

  // A block of at least `bytes`, or nullptr when there is none. The contents are undefined.
  uint8_t* allocate(size_t bytes);

  // Takes back what allocate() returned; a pointer that is not a live block stops the process.
  void release(uint8_t* block);

  // What allocate(bytes) takes from the arena; 0 when no arena could hold it.
  static constexpr size_t block_bytes(size_t bytes) {
    if (bytes <= kMinBlock) return kMinBlock;
    return bytes > (SIZE_MAX >> 1) + 1 ? 0 : std::bit_ceil(bytes);
  }

  size_t bytes_total() const { return leaves_ * kMinBlock; }
  size_t bytes_free() const { return bytes_free_; }
  // The largest block that could be allocated now; 0 when the arena is full.
  size_t largest_free() const { return block_of_rank(largest_[1]); }

 private:
  // A block size as a small number: 1 is kMinBlock, 2 twice that, and so on; 0 is no block.
  static constexpr uint8_t rank_of(size_t block) {
    return static_cast<uint8_t>(std::bit_width(block / kMinBlock));
  }
  static constexpr size_t block_of_rank(uint8_t rank) {
    return rank == 0 ? 0 : kMinBlock << (rank - 1);
  }

  BuddyArena(uint8_t* memory, size_t bytes, bool owned);
  void refresh_ancestors(size_t node, uint8_t rank);

  uint8_t* memory_;
  bool owned_;
  size_t leaves_;
  size_t bytes_free_;
  // The rank of the largest free block in each subtree of a binary tree over the leaves: node 1 is
  // the whole arena, the children of n are 2n and 2n + 1. Below an allocated or a whole free block
  // the nodes keep the state "whole and free".
  AlignedArray<uint8_t> largest_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_BUDDY_ARENA_H_
