// SPDX-License-Identifier: Apache-2.0
#include "base/prng.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::base {
namespace {

// The first outputs of the published splitmix64 for seed 1234567.
TEST(Prng, splitmix_matches_published_numbers) {
  uint64_t state = 1234567;
  EXPECT_EQ(splitmix64(&state), 6457827717110365317u);
  EXPECT_EQ(splitmix64(&state), 3203168211198807973u);
  EXPECT_EQ(splitmix64(&state), 9817491932198370423u);
}

TEST(Prng, the_same_seed_gives_the_same_numbers) {
  Prng a(5), b(5), c(6);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t value = a.next_u64();
    EXPECT_EQ(value, b.next_u64());
    differs |= value != c.next_u64();
  }
  EXPECT_TRUE(differs);
}

TEST(Prng, uniform_stays_below_its_bound_and_reaches_all) {
  Prng prng(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 70'000; ++i) ++seen[prng.uniform(7)];
  for (const int n : seen) {
    EXPECT_GT(n, 9'500);
    EXPECT_LT(n, 10'500);
  }
  EXPECT_EQ(prng.uniform(0), 0u);
  EXPECT_EQ(prng.uniform(1), 0u);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(prng.uniform(UINT64_MAX), UINT64_MAX);
}

TEST(Prng, chances_come_in_millionths) {
  Prng prng(2);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_FALSE(prng.chance_ppm(0));
    EXPECT_TRUE(prng.chance_ppm(1'000'000));
    hits += prng.chance_ppm(250'000) ? 1 : 0;
  }
  EXPECT_GT(hits, 24'000);
  EXPECT_LT(hits, 26'000);
}

TEST(Prng, splitting_leaves_the_parent_alone) {
  Prng parent(3), twin(3);
  Prng one = parent.split(1), again = parent.split(1), two = parent.split(2);
  const uint64_t first = one.next_u64();
  EXPECT_EQ(first, again.next_u64());
  EXPECT_NE(first, two.next_u64());
  EXPECT_EQ(parent.next_u64(), twin.next_u64());
  EXPECT_NE(parent.split(1).next_u64(), first);
}

}  // namespace
}  // namespace sluice::base
