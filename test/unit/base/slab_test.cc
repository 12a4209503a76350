// SPDX-License-Identifier: Apache-2.0
#include "base/slab.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/prng.h"

namespace sluice::base {
namespace {

struct Item {
  uint64_t payload = 42;
};

TEST(Slab, hands_out_each_object_once) {
  Slab<Item> slab(4);
  std::set<Item*> items;
  for (int i = 0; i < 4; ++i) items.insert(slab.allocate());
  EXPECT_EQ(items.size(), 4u);
  EXPECT_EQ(items.count(nullptr), 0u);
  EXPECT_EQ(slab.allocate(), nullptr);
  EXPECT_EQ(slab.in_use(), 4u);
}

TEST(Slab, reuses_the_latest_released_object_as_it_was_left) {
  Slab<Item> slab(4);
  Item* const first = slab.allocate();
  EXPECT_EQ(first->payload, 42u);
  slab.allocate();
  first->payload = 7;
  slab.release(first);
  EXPECT_EQ(slab.allocate(), first);
  EXPECT_EQ(first->payload, 7u);
}

TEST(Slab, index_and_object_name_each_other) {
  Slab<Item> slab(8);
  Item* const item = slab.allocate();
  const uint32_t index = slab.index_of(item);
  EXPECT_EQ(&slab.at(index), item);
  EXPECT_TRUE(slab.is_live(index));
  slab.release(item);
  EXPECT_FALSE(slab.is_live(index));
  EXPECT_FALSE(slab.is_live(8));
  EXPECT_FALSE(slab.is_live(UINT32_MAX));
}

TEST(Slab, without_capacity_is_always_exhausted) {
  Slab<Item> slab(0);
  EXPECT_EQ(slab.allocate(), nullptr);
}

TEST(SlabDeathTest, a_double_release_stops_the_process) {
  Slab<Item> slab(2);
  Item* const item = slab.allocate();
  slab.release(item);
  EXPECT_DEATH(slab.release(item), "");
}

TEST(Slab, matches_a_model_under_random_use) {
  Prng prng(1);
  Slab<Item> slab(100);
  std::map<uint32_t, uint64_t> live;
  for (int step = 0; step < 50'000; ++step) {
    if (prng.chance_ppm(520'000)) {
      Item* const item = slab.allocate();
      ASSERT_EQ(item == nullptr, live.size() == 100);
      if (item == nullptr) continue;
      item->payload = prng.next_u64();
      ASSERT_TRUE(live.emplace(slab.index_of(item), item->payload).second);
    } else if (!live.empty()) {
      const auto it = std::next(live.begin(), static_cast<long>(prng.uniform(live.size())));
      ASSERT_EQ(slab.at(it->first).payload, it->second);
      slab.release(&slab.at(it->first));
      live.erase(it);
    }
    ASSERT_EQ(slab.in_use(), live.size());
  }
  for (uint32_t i = 0; i < slab.capacity(); ++i) EXPECT_EQ(slab.is_live(i), live.count(i) == 1);
}

}  // namespace
}  // namespace sluice::base
