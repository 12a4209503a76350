// SPDX-License-Identifier: Apache-2.0
#include "base/flat_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "base/types.h"

namespace sluice::base {
namespace {

TEST(FlatTable, finds_what_was_inserted) {
  FlatTable<MessageId, uint32_t> table(10, 99);
  EXPECT_EQ(table.find(MessageId(1)), nullptr);
  ASSERT_NE(table.insert(MessageId(1), 11), nullptr);
  ASSERT_NE(table.insert(MessageId(2), 22), nullptr);
  table.prefetch(MessageId(1));
  EXPECT_EQ(*table.find(MessageId(1)), 11u);
  EXPECT_EQ(*table.find(MessageId(2)), 22u);
  EXPECT_EQ(*table.insert(MessageId(1), 33), 33u);
  EXPECT_EQ(*table.find(MessageId(1)), 33u);
  EXPECT_EQ(table.size(), 2u);
}

TEST(FlatTable, is_full_at_its_capacity_and_not_before) {
  FlatTable<uint64_t, int> table(3, 1);
  for (uint64_t key = 0; key < 3; ++key) ASSERT_NE(table.insert(key, 1), nullptr);
  EXPECT_EQ(table.insert(3, 1), nullptr);
  EXPECT_EQ(table.insert(UINT64_MAX, 1), nullptr);
  EXPECT_NE(table.insert(2, 5), nullptr);
  EXPECT_TRUE(table.erase(0));
  EXPECT_NE(table.insert(3, 1), nullptr);
}

TEST(FlatTable, every_key_is_a_key) {
  FlatTable<uint64_t, int> table(4, 7);
  EXPECT_EQ(table.find(UINT64_MAX), nullptr);
  EXPECT_FALSE(table.erase(UINT64_MAX));
  ASSERT_NE(table.insert(UINT64_MAX, 5), nullptr);
  ASSERT_NE(table.insert(0, 6), nullptr);
  table.prefetch(UINT64_MAX);
  EXPECT_EQ(*table.find(UINT64_MAX), 5);
  EXPECT_EQ(table.size(), 2u);
  int sum = 0;
  table.for_each([&](uint64_t, int& value) { sum += value; });
  EXPECT_EQ(sum, 11);
  EXPECT_TRUE(table.erase(UINT64_MAX));
  EXPECT_EQ(table.find(UINT64_MAX), nullptr);
  EXPECT_EQ(table.size(), 1u);
}

TEST(FlatTable, drops_a_value_when_its_entry_goes) {
  FlatTable<uint32_t, std::shared_ptr<int>> table(8, 7);
  const auto value = std::make_shared<int>(1);
  for (uint32_t key = 0; key < 8; ++key) table.insert(key, value);
  EXPECT_EQ(value.use_count(), 9);
  for (uint32_t key = 0; key < 4; ++key) table.erase(key);
  EXPECT_EQ(value.use_count(), 5);
  table.clear();
  EXPECT_EQ(value.use_count(), 1);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.find(5), nullptr);
}

// Few distinct keys and a full table make long runs that wrap around the end.
TEST(FlatTable, matches_a_model_under_random_use) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Prng prng(seed);
    const size_t capacity = 1 + prng.uniform(60);
    FlatTable<uint64_t, uint64_t> table(capacity, prng.next_u64());
    std::map<uint64_t, uint64_t> model;
    for (int step = 0; step < 10'000; ++step) {
      const uint64_t key = prng.uniform(100) - 1;
      if (prng.chance_ppm(550'000)) {
        const uint64_t value = prng.next_u64();
        const bool fits = model.count(key) == 1 || model.size() < capacity;
        ASSERT_EQ(table.insert(key, value) != nullptr, fits);
        if (fits) model[key] = value;
      } else {
        ASSERT_EQ(table.erase(key), model.erase(key) == 1);
      }
      const uint64_t probe = prng.uniform(100) - 1;
      const auto expected = model.find(probe);
      const uint64_t* const found = table.find(probe);
      ASSERT_EQ(found != nullptr, expected != model.end());
      if (found != nullptr) {
        ASSERT_EQ(*found, expected->second);
      }
      ASSERT_EQ(table.size(), model.size());
    }
    std::map<uint64_t, uint64_t> seen;
    table.for_each([&](uint64_t key, uint64_t& value) { seen[key] = value; });
    EXPECT_EQ(seen, model);
  }
}

TEST(FlatTable, keeps_neighbours_together_and_matches_a_model_all_the_same) {
  constexpr unsigned kNear = 2;
  FlatTable<uint64_t, uint64_t, kNear> table(64, 5);
  std::map<uint64_t, uint64_t> model;
  Prng prng(3);
  uint64_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (model.size() < table.capacity() && prng.uniform(2) == 0) {
      // Keys in order, as ids are given out, on one of four lanes.
      const uint64_t key = (next / 4 << 10) | prng.uniform(4) << 2 | next % 4;
      ++next;
      ASSERT_NE(table.insert(key, next), nullptr);
      model[key] = next;
    } else if (!model.empty()) {
      // Mostly the oldest goes, at times any other.
      auto victim = model.begin();
      if (prng.uniform(4) == 0) std::advance(victim, prng.uniform(model.size()));
      ASSERT_TRUE(table.erase(victim->first));
      ASSERT_FALSE(table.erase(victim->first));
      model.erase(victim);
    }
    if (step % 64 != 0) continue;
    ASSERT_EQ(table.size(), model.size());
    for (const auto& [key, value] : model) ASSERT_EQ(*table.find(key), value);
  }
  table.clear();
  uint64_t* places[4];
  for (uint64_t key = 8; key < 12; ++key) places[key - 8] = table.insert(key, key);
  const auto address = [&](int i) { return reinterpret_cast<uintptr_t>(places[i]); };
  for (int i = 2; i < 4; ++i) EXPECT_EQ(address(i) - address(i - 1), address(1) - address(0));
  EXPECT_LE(address(1) - address(0), 24u);
}

// In a small table live entries may have passed every slot, so that no count ends a search.
TEST(FlatTable, a_search_ends_where_every_slot_was_passed) {
  FlatTable<uint64_t, uint64_t, 6> table(4, 11);
  std::map<uint64_t, uint64_t> model;
  Prng prng(7);
  for (int step = 0; step < 300'000; ++step) {
    const uint64_t key = prng.uniform(1000);
    if (model.size() == table.capacity()) {
      auto victim = model.begin();
      std::advance(victim, prng.uniform(model.size()));
      ASSERT_TRUE(table.erase(victim->first));
      model.erase(victim);
    }
    ASSERT_EQ(table.find(key) != nullptr, model.count(key) == 1);
    ASSERT_NE(table.insert(key, key), nullptr);
    model[key] = key;
  }
}

// Groups that meet: each entry passes others on its way in, and what is passed may go first.
TEST(FlatTable, finds_entries_beyond_a_hole) {
  constexpr unsigned kNear = 6;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FlatTable<uint64_t, uint64_t, kNear> table(256, seed);
    std::map<uint64_t, const uint64_t*> places;
    for (uint64_t key = 0; key < 256; ++key) places[key * 37] = table.insert(key * 37, key);
    for (uint64_t key = 0; key < 256; key += 2) ASSERT_TRUE(table.erase(key * 37));
    for (uint64_t key = 0; key < 256; ++key) {
      const uint64_t* const found = table.find(key * 37);
      ASSERT_EQ(found, key % 2 == 0 ? nullptr : places[key * 37]) << "an entry never moves";
    }
    for (uint64_t key = 1; key < 256; key += 2) ASSERT_TRUE(table.erase(key * 37));
    for (uint64_t key = 0; key < 256; ++key) ASSERT_NE(table.insert(key, key), nullptr);
    for (uint64_t key = 0; key < 256; ++key) ASSERT_EQ(*table.find(key), key);
  }
}

}  // namespace
}  // namespace sluice::base
