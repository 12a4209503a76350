// SPDX-License-Identifier: Apache-2.0
#include "api/mpmc_ring.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice::internal {
namespace {

TEST(MpmcRing, keeps_order_and_says_when_full_or_empty) {
  MpmcRing ring(4);
  uint32_t value = 0;
  EXPECT_FALSE(ring.ready());
  EXPECT_FALSE(ring.pop(&value));
  for (uint32_t i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(9));
  EXPECT_EQ(ring.size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(ring.ready());
    ASSERT_TRUE(ring.pop(&value));
    EXPECT_EQ(value, i);
  }
  EXPECT_FALSE(ring.pop(&value));
}

TEST(MpmcRing, rounds_the_capacity_up) {
  MpmcRing ring(5);
  EXPECT_EQ(ring.capacity(), 8u);
  MpmcRing smallest(1);
  EXPECT_EQ(smallest.capacity(), 2u);
  uint32_t value = 0;
  for (uint32_t i = 0; i < 10; ++i) {
    EXPECT_TRUE(smallest.push(i));
    EXPECT_TRUE(smallest.push(i));
    EXPECT_FALSE(smallest.push(i));
    EXPECT_TRUE(smallest.pop(&value));
    EXPECT_TRUE(smallest.pop(&value));
    EXPECT_FALSE(smallest.pop(&value));
  }
}

TEST(MpmcRing, loses_and_doubles_nothing_between_threads) {
  constexpr uint32_t kEach = 20000;
  MpmcRing ring(64);
  std::vector<std::atomic<uint32_t>> seen(2 * kEach);
  std::atomic<uint32_t> taken{0};
  std::vector<std::thread> threads;
  for (uint32_t p = 0; p < 2; ++p) {
    threads.emplace_back([&ring, p] {
      for (uint32_t i = 0; i < kEach; ++i) {
        while (!ring.push(p * kEach + i)) std::this_thread::yield();
      }
    });
    threads.emplace_back([&] {
      uint32_t value = 0;
      while (taken.load() < 2 * kEach) {
        if (!ring.pop(&value)) {
          std::this_thread::yield();
          continue;
        }
        seen[value].fetch_add(1);
        taken.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& count : seen) EXPECT_EQ(count.load(), 1u);
}

}  // namespace
}  // namespace sluice::internal
