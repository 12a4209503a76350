// SPDX-License-Identifier: Apache-2.0
#include "base/buddy_arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

#include "base/prng.h"

namespace sluice::base {
namespace {

constexpr size_t kMin = BuddyArena::kMinBlock;

TEST(BuddyArena, rounds_to_powers_of_two) {
  EXPECT_EQ(BuddyArena::block_bytes(0), kMin);
  EXPECT_EQ(BuddyArena::block_bytes(kMin), kMin);
  EXPECT_EQ(BuddyArena::block_bytes(kMin + 1), 2 * kMin);
  EXPECT_EQ(BuddyArena::block_bytes(SIZE_MAX), 0u);
}

TEST(BuddyArena, gives_all_of_its_memory_and_no_more) {
  BuddyArena arena(4096);
  EXPECT_EQ(arena.largest_free(), 4096u);
  EXPECT_EQ(arena.allocate(4097), nullptr);
  EXPECT_EQ(arena.allocate(SIZE_MAX), nullptr);
  uint8_t* const all = arena.allocate(4096);
  ASSERT_NE(all, nullptr);
  std::memset(all, 1, 4096);
  EXPECT_EQ(arena.allocate(1), nullptr);
  EXPECT_EQ(arena.bytes_free(), 0u);
  EXPECT_EQ(arena.largest_free(), 0u);
  arena.release(all);
  EXPECT_EQ(arena.largest_free(), 4096u);
}

TEST(BuddyArena, keeps_large_blocks_whole) {
  BuddyArena arena(4096);
  uint8_t* const a = arena.allocate(256);
  uint8_t* const b = arena.allocate(256);
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(arena.largest_free(), 2048u);
  EXPECT_EQ(arena.bytes_free(), 4096u - 512u);
  arena.release(a);
  EXPECT_EQ(arena.largest_free(), 2048u);
  arena.release(b);
  EXPECT_EQ(arena.largest_free(), 4096u);
}

TEST(BuddyArena, works_in_memory_it_is_handed) {
  alignas(64) static uint8_t memory[1024];
  BuddyArena arena(memory, sizeof(memory));
  uint8_t* const a = arena.allocate(300);
  EXPECT_GE(a, memory);
  EXPECT_LE(a + 512, memory + sizeof(memory));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 64, 0u);
  BuddyArena smallest(memory, kMin);
  EXPECT_EQ(smallest.allocate(1), memory);
  EXPECT_EQ(smallest.allocate(1), nullptr);
  smallest.release(memory);
  EXPECT_EQ(smallest.bytes_free(), kMin);
}

TEST(BuddyArenaDeathTest, stops_at_a_pointer_that_is_no_live_block) {
  BuddyArena arena(4096);
  uint8_t* const block = arena.allocate(1024);
  EXPECT_DEATH(arena.release(block + 256), "");
  EXPECT_DEATH(arena.release(block + 1), "");
  EXPECT_DEATH(arena.release(block + 4096), "");
  arena.release(block);
  EXPECT_DEATH(arena.release(block), "");
  EXPECT_DEATH(BuddyArena(3000), "");
  EXPECT_DEATH(BuddyArena(128), "");
}

// What an address-blind allocator could serve: is there a free aligned run of that size?
bool model_has(const std::vector<bool>& used, size_t block) {
  const size_t leaves = block / kMin;
  for (size_t first = 0; first + leaves <= used.size(); first += leaves) {
    size_t i = 0;
    while (i < leaves && !used[first + i]) ++i;
    if (i == leaves) return true;
  }
  return false;
}

size_t model_largest(const std::vector<bool>& used) {
  for (size_t block = used.size() * kMin; block >= kMin; block /= 2) {
    if (model_has(used, block)) return block;
  }
  return 0;
}

TEST(BuddyArena, matches_a_model_under_random_use) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Prng prng(seed);
    const size_t size = kMin << prng.uniform(8);
    BuddyArena arena(size);
    uint8_t* const base = arena.allocate(size);
    arena.release(base);
    std::vector<bool> used(size / kMin, false);
    std::map<size_t, size_t> live;
    const auto mark = [&](size_t offset, size_t block, bool value) {
      for (size_t i = offset / kMin; i < (offset + block) / kMin; ++i) {
        ASSERT_NE(used[i], value);
        used[i] = value;
      }
    };
    for (int step = 0; step < 3'000; ++step) {
      if (live.empty() || prng.chance_ppm(550'000)) {
        const size_t bytes = 1 + prng.uniform(uint64_t{1} << (4 + prng.uniform(13)));
        const size_t block = BuddyArena::block_bytes(bytes);
        uint8_t* const got = arena.allocate(bytes);
        ASSERT_EQ(got != nullptr, model_has(used, block));
        if (got == nullptr) continue;
        const size_t offset = static_cast<size_t>(got - base);
        ASSERT_EQ(offset % block, 0u);
        ASSERT_NO_FATAL_FAILURE(mark(offset, block, true));
        live[offset] = block;
      } else {
        const auto it = std::next(live.begin(), static_cast<long>(prng.uniform(live.size())));
        arena.release(base + it->first);
        ASSERT_NO_FATAL_FAILURE(mark(it->first, it->second, false));
        live.erase(it);
      }
      size_t held = 0;
      for (const auto& [offset, block] : live) held += block;
      ASSERT_EQ(arena.bytes_free(), size - held);
      ASSERT_EQ(arena.largest_free(), model_largest(used));
    }
  }
}

}  // namespace
}  // namespace sluice::base
