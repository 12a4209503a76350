// SPDX-License-Identifier: Apache-2.0
#include "sim/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

namespace sluice::sim {
namespace {

// The vectors that the authors publish with their implementation (Random123, kat_vectors).
TEST(Philox, known_answers) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, is_philox_over_a_counter) {
  Random random(0x299f31d0a4093822, static_cast<Stream>(7), 9);
  for (uint32_t block = 0; block < 3; ++block) {
    const auto words = philox({block, 0, 9, 7}, {0xa4093822, 0x299f31d0});
    EXPECT_EQ(random.next(), uint64_t{words[1]} << 32 | words[0]);
    EXPECT_EQ(random.next(), uint64_t{words[3]} << 32 | words[2]);
  }
}

TEST(Random, every_part_of_the_name_makes_another_sequence) {
  Random base(1, Stream::kSpray, 0);
  Random other_seed(2, Stream::kSpray, 0);
  Random other_stream(1, Stream::kLoss, 0);
  Random other_entity(1, Stream::kSpray, 1);
  for (int i = 0; i < 100; ++i) {
    const uint64_t number = base.next();
    EXPECT_NE(number, other_seed.next());
    EXPECT_NE(number, other_stream.next());
    EXPECT_NE(number, other_entity.next());
  }
}

TEST(Random, below_keeps_below_and_is_even) {
  Random random(5, Stream::kFirstFree, 0);
  EXPECT_EQ(random.below(0), 0u);
  EXPECT_EQ(random.below(1), 0u);
  std::vector<int> hits(7);
  for (int i = 0; i < 70'000; ++i) ++hits[random.below(7)];
  for (const int hit : hits) EXPECT_NEAR(hit, 10'000, 400);
  // A bound just above half the range rejects nearly half of the draws, and all results are legal.
  for (int i = 0; i < 1'000; ++i) EXPECT_LE(random.below((1ull << 63) + 1), 1ull << 63);
}

TEST(Random, unit_is_in_range_and_even) {
  Random random(6, Stream::kFirstFree, 0);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double unit = random.unit();
    ASSERT_GE(unit, 0.0);
    ASSERT_LT(unit, 1.0);
    sum += unit;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.004);
}

TEST(Random, happens_as_often_as_it_should) {
  Random random(7, Stream::kFirstFree, 0);
  int quarter = 0;
  for (int i = 0; i < 40'000; ++i) quarter += random.happens(1u << 30) ? 1 : 0;
  EXPECT_NEAR(quarter, 10'000, 350);
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(random.happens(0));
}

TEST(Random, exponential_has_its_moments) {
  Random random(8, Stream::kFirstFree, 0);
  constexpr double kMean = 1e6;
  constexpr int kDraws = 400'000;
  double sum = 0;
  double squares = 0;
  int beyond = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = static_cast<double>(random.exponential(Picos(1'000'000)).value());
    sum += x;
    squares += x * x;
    beyond += x > 3e6 ? 1 : 0;
  }
  EXPECT_NEAR(sum / kDraws, kMean, 0.006 * kMean);
  EXPECT_NEAR(squares / kDraws, 2 * kMean * kMean, 0.03 * kMean * kMean);
  EXPECT_NEAR(beyond / double{kDraws}, 0.0498, 0.0012);  // e^-3
}

TEST(ExactLog, is_within_its_bound) {
  Random random(9, Stream::kFirstFree, 0);
  for (int i = 0; i < 200'000; ++i) {
    const double x = 1.0 - random.unit();
    const double truth = std::log(x);
    EXPECT_NEAR(exact_log(x), truth, std::max(1.0, std::fabs(truth)) * 0x1p-50) << x;
  }
  for (const double x :
       {0x1p-53, 0x1p-1, 1.0, 1.4142135623730950, 1.4142135623730951, 2.0, 1e300}) {
    const double truth = std::log(x);
    EXPECT_NEAR(exact_log(x), truth, std::max(1.0, std::fabs(truth)) * 0x1p-50) << x;
  }
  EXPECT_EQ(exact_log(1.0), 0.0);
}

// The bits themselves: any build that computes others would make other runs.
TEST(ExactLog, has_the_same_bits_in_every_build) {
  Random random(10, Stream::kFirstFree, 0);
  uint64_t hash = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t bits = std::bit_cast<uint64_t>(exact_log(1.0 - random.unit()));
    hash = std::rotl(hash, 7) ^ bits;
  }
  EXPECT_EQ(hash, 0xc298a201426687feu) << std::hex << hash;
}

}  // namespace
}  // namespace sluice::sim
