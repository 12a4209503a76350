// SPDX-License-Identifier: Apache-2.0
#include "base/spsc_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/prng.h"

namespace sluice::base {
namespace {

TEST(SpscRing, is_first_in_first_out_and_bounded) {
  SpscRing<int> ring(3);
  EXPECT_EQ(ring.capacity(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(4));
  EXPECT_EQ(ring.size(), 4u);
  int out = -1;
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(ring.pop(&out));
    EXPECT_EQ(out, i);
  }
  EXPECT_FALSE(ring.pop(&out));
  EXPECT_TRUE(ring.empty());
}

TEST(SpscRing, a_burst_is_cut_to_what_fits) {
  SpscRing<int> ring(8);
  const std::array<int, 6> in{0, 1, 2, 3, 4, 5};
  EXPECT_EQ(ring.push_burst(in), 6u);
  EXPECT_EQ(ring.push_burst(in), 2u);
  EXPECT_EQ(ring.push_burst(in), 0u);
  std::array<int, 16> out{};
  EXPECT_EQ(ring.pop_burst(out), 8u);
  EXPECT_EQ(out[7], 1);
  EXPECT_EQ(ring.pop_burst(out), 0u);
}

TEST(SpscRing, two_threads_lose_and_reorder_nothing) {
  constexpr uint64_t kCount = 200'000;
  SpscRing<uint64_t> ring(64);
  std::thread producer([&] {
    Prng prng(1);
    std::array<uint64_t, 32> burst{};
    uint64_t next = 0;
    while (next < kCount) {
      const size_t want = std::min<size_t>(1 + prng.uniform(burst.size()), kCount - next);
      for (size_t i = 0; i < want; ++i) burst[i] = next + i;
      const size_t pushed = ring.push_burst(std::span<const uint64_t>(burst.data(), want));
      next += pushed;
      if (pushed == 0) std::this_thread::yield();
    }
  });
  uint64_t expected = 0;
  uint64_t wrong = 0;
  std::array<uint64_t, 32> burst{};
  while (expected < kCount) {
    const size_t popped = ring.pop_burst(burst);
    for (size_t i = 0; i < popped; ++i) wrong += burst[i] == expected++ ? 0 : 1;
    if (popped == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace sluice::base
