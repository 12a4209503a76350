// SPDX-License-Identifier: Apache-2.0
#include "transport/size_buckets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/prng.h"

namespace sluice::transport {
namespace {

struct Item {
  uint32_t size = 0;
  base::ListNode node;
  uint8_t bucket = 0;
};
using Queue = SizeBuckets<Item, &Item::node, &Item::bucket>;

TEST(SizeBuckets, classes_rise_with_size_four_to_the_octave) {
  for (uint32_t size = 0; size < 5000; ++size) {
    EXPECT_LE(Queue::class_of(size), Queue::class_of(size + 1)) << size;
  }
  EXPECT_EQ(Queue::class_of(8), Queue::class_of(9));
  EXPECT_NE(Queue::class_of(9), Queue::class_of(10));
  EXPECT_EQ(Queue::class_of(16) - Queue::class_of(8), 4);
  EXPECT_LT(Queue::class_of(UINT32_MAX), 124);
}

TEST(SizeBuckets, classes_may_be_octaves) {
  using Octaves = SizeBuckets<Item, &Item::node, &Item::bucket, 0>;
  EXPECT_EQ(Octaves::class_of(0), 0);
  EXPECT_EQ(Octaves::class_of(1), 1);
  EXPECT_EQ(Octaves::class_of(2), 2);
  EXPECT_EQ(Octaves::class_of(3), 2);
  EXPECT_EQ(Octaves::class_of(UINT32_MAX), 32);
  Item longest, shortest;
  Octaves queue;
  queue.insert(longest, UINT32_MAX);
  queue.insert(shortest, 0);
  EXPECT_EQ(queue.front(), &shortest);
  queue.erase(shortest);
  EXPECT_EQ(queue.front(), &longest);
}

TEST(SizeBuckets, the_head_is_within_a_quarter_of_the_shortest) {
  base::Prng prng(3);
  std::vector<Item> items(500);
  Queue queue;
  for (Item& item : items) {
    item.size = 1 + static_cast<uint32_t>(prng.uniform(uint64_t{1} << prng.uniform(31)));
    queue.insert(item, item.size);
  }
  for (size_t left = items.size(); left > 0; --left) {
    Item* head = queue.front();
    ASSERT_NE(head, nullptr);
    uint32_t shortest = UINT32_MAX;
    for (const Item& item : items) {
      if (Queue::contains(item)) shortest = std::min(shortest, item.size);
    }
    EXPECT_LE(head->size, shortest + shortest / 4);
    queue.erase(*head);
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.front(), nullptr);
}

TEST(SizeBuckets, an_update_moves_only_across_classes) {
  Item first, second;
  Queue queue;
  queue.insert(first, 1000);
  queue.insert(second, 1000);
  queue.update(first, 1001);
  EXPECT_EQ(queue.front(), &first) << "the same class: the place is kept";
  queue.update(first, 5000);
  EXPECT_EQ(queue.front(), &second);
  queue.update(first, 10);
  EXPECT_EQ(queue.front(), &first);
  queue.erase(first);
  queue.erase(second);
}

}  // namespace
}  // namespace sluice::transport
