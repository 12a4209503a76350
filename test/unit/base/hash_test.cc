// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <set>

#include "base/prng.h"

namespace sluice::base {
namespace {

TEST(Hash, folding_keeps_both_halves_of_the_product) {
  EXPECT_EQ(folded_multiply(3, 5), 15u);
  EXPECT_EQ(folded_multiply(uint64_t{1} << 63, 6), 3u);
}

TEST(Hash, the_seed_changes_the_result) {
  std::set<uint64_t> results;
  for (uint64_t seed = 0; seed < 1000; ++seed) results.insert(mix64(12345, seed));
  EXPECT_GT(results.size(), 995u);
}

TEST(Hash, one_input_bit_changes_about_half_of_the_output) {
  Prng prng(3);
  for (int bit = 0; bit < 64; ++bit) {
    int changed = 0;
    for (int i = 0; i < 200; ++i) {
      const uint64_t value = prng.next_u64();
      const uint64_t seed = prng.next_u64();
      changed += std::popcount(mix64(value, seed) ^ mix64(value ^ (uint64_t{1} << bit), seed));
    }
    EXPECT_GT(changed, 200 * 28) << "bit " << bit;
    EXPECT_LT(changed, 200 * 36) << "bit " << bit;
  }
}

// Ids are dense, or dense in high bits alone: neither may crowd the buckets, whatever the seed.
TEST(Hash, dense_keys_spread_over_the_buckets) {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, UINT64_MAX, uint64_t{0x1234567890ABCDEF}}) {
    for (const int shift : {0, 16, 32, 52}) {
      std::array<int, 1024> buckets{};
      for (uint64_t i = 0; i < 4096; ++i) ++buckets[mix64(i << shift, seed) % 1024];
      int fullest = 0;
      for (const int n : buckets) fullest = std::max(fullest, n);
      EXPECT_LE(fullest, 20) << "seed " << seed << " shift " << shift;
    }
  }
}

}  // namespace
}  // namespace sluice::base
