// SPDX-License-Identifier: Apache-2.0
#include "base/buddy_arena.h"

#include <algorithm>
#include <new>

#include "base/check.h"

namespace sluice::base {
namespace {

constexpr std::align_val_t kPage{4096};

size_t checked_size(size_t bytes) {
  SLUICE_CHECK(std::has_single_bit(bytes) && bytes >= BuddyArena::kMinBlock);
  return bytes;
}

}  // namespace

BuddyArena::BuddyArena(uint8_t* memory, size_t bytes) : BuddyArena(memory, bytes, false) {}

BuddyArena::BuddyArena(size_t bytes)
    : BuddyArena(static_cast<uint8_t*>(::operator new(checked_size(bytes), kPage)), bytes, true) {}

BuddyArena::BuddyArena(uint8_t* memory, size_t bytes, bool owned)
    : memory_(memory),
      owned_(owned),
      leaves_(checked_size(bytes) / kMinBlock),
      bytes_free_(bytes),
      largest_(2 * leaves_) {
  SLUICE_CHECK(reinterpret_cast<uintptr_t>(memory) % kCacheLine == 0);
  uint8_t rank = rank_of(bytes);
  for (size_t first = 1; first <= leaves_; first *= 2, --rank) {
    std::fill_n(largest_.data() + first, first, rank);
  }
}

BuddyArena::~BuddyArena() {
  if (owned_) ::operator delete(memory_, kPage);
}

uint8_t* BuddyArena::allocate(size_t bytes) {
  const size_t block = block_bytes(bytes);
  const uint8_t rank = rank_of(block);
  if (block == 0 || rank > largest_[1]) return nullptr;
  size_t node = 1;
  uint8_t node_rank = rank_of(bytes_total());
  while (node_rank > rank) {
    // The side whose largest block is the smaller one that does, so that large blocks are kept
    // whole. A rank too small wraps to a large surplus; without branches, as none is predictable.
    const uint8_t left = static_cast<uint8_t>(largest_[2 * node] - rank);
    const uint8_t right = static_cast<uint8_t>(largest_[2 * node + 1] - rank);
    node = 2 * node + static_cast<size_t>(right < left);
    --node_rank;
  }
  largest_[node] = 0;
  refresh_ancestors(node, rank);
  bytes_free_ -= block;
  // A block that is not 0 has a rank that is not, which the analyzer cannot know.
  // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult)
  return memory_ + ((node << (rank - 1)) - leaves_) * kMinBlock;
}

void BuddyArena::release(uint8_t* block) {
  SLUICE_CHECK(block >= memory_ && block < memory_ + bytes_total());
  const size_t offset = static_cast<size_t>(block - memory_);
  SLUICE_CHECK(offset % kMinBlock == 0);
  // Upwards from the leaf, the first node with nothing free is the allocated block.
  size_t node = leaves_ + offset / kMinBlock;
  uint8_t rank = 1;
  while (largest_[node] != 0) {
    node /= 2;
    ++rank;
    SLUICE_CHECK(node != 0);
  }
  SLUICE_CHECK((node << (rank - 1)) - leaves_ == offset / kMinBlock);
  largest_[node] = rank;
  refresh_ancestors(node, rank);
  bytes_free_ += block_of_rank(rank);
}

// Brings the nodes above `node`, which has the given rank, up to date; two whole free buddies
// become one.
void BuddyArena::refresh_ancestors(size_t node, uint8_t rank) {
  while (node > 1) {
    const uint8_t own = largest_[node];
    const uint8_t buddy = largest_[node ^ 1];
    const bool whole = own == rank && buddy == rank;
    node /= 2;
    ++rank;
    const uint8_t updated = whole ? rank : std::max(own, buddy);
    if (largest_[node] == updated) return;
    largest_[node] = updated;
  }
}

}  // namespace sluice::base
