// SPDX-License-Identifier: Apache-2.0
#include "base/workload.h"

#include <gtest/gtest.h>

#include <map>

#include "base/prng.h"

namespace sluice::base {
namespace {

TEST(Workload, a_fixed_size_is_always_drawn) {
  const Workload workload = Workload::fixed(64);
  Prng prng(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(workload.sample(prng.next_u64()), 64u);
  ASSERT_EQ(workload.classes().size(), 1u);
  EXPECT_EQ(workload.classes()[0].name(), "64");
  EXPECT_EQ(workload.mean(), 64);
}

TEST(Workload, unknown_names_are_refused) {
  EXPECT_FALSE(Workload::named("W6", 1000).ok());
  EXPECT_FALSE(Workload::named("", 1000).ok());
}

TEST(Workload, tables_ascend_and_end_at_the_whole) {
  for (std::span<const QuantilePoint> table :
       {std::span<const QuantilePoint>(kW1), std::span<const QuantilePoint>(kW2),
        std::span<const QuantilePoint>(kW3), std::span<const QuantilePoint>(kW4),
        std::span<const QuantilePoint>(kW5)}) {
    EXPECT_EQ(table.front().below, 0u);
    EXPECT_EQ(table.back().below, 1'000'000'000u);
    for (size_t i = 1; i < table.size(); ++i) {
      EXPECT_GE(table[i].size, table[i - 1].size);
      EXPECT_GE(table[i].below, table[i - 1].below);
    }
  }
}

// Counts the size in the middle of each of many equal parts; `part` divides kWhole.
double mean_by_counting(const Workload& workload, uint32_t part) {
  double sum = 0;
  for (uint64_t share = part / 2; share < Workload::kWhole; share += part) {
    sum += workload.quantile(static_cast<uint32_t>(share));
  }
  return sum / (Workload::kWhole / part);
}

TEST(Workload, the_mean_is_that_of_what_is_drawn) {
  for (const char* name : {"W1", "W2", "W3", "W4", "W5"}) {
    for (const uint32_t max_size : {7u, 100u, 1460u, 1'000'000u, 100'000'000u}) {
      const auto workload = Workload::named(name, max_size);
      ASSERT_TRUE(workload.ok());
      const double counted = mean_by_counting(*workload, 2000);
      EXPECT_NEAR(workload->mean(), counted, counted * 1e-3) << name << " " << max_size;
    }
  }
}

TEST(Workload, shares_and_quantiles_are_inverse) {
  for (const char* name : {"W1", "W2", "W3", "W4", "W5"}) {
    const auto workload = Workload::named(name, 1'000'000);
    ASSERT_TRUE(workload.ok());
    EXPECT_EQ(workload->share_up_to(workload->max_size()), Workload::kWhole);
    EXPECT_EQ(workload->share_up_to(0), 0u);
    for (uint32_t size = 1; size < workload->max_size(); size += 1 + size / 7) {
      const uint32_t share = workload->share_up_to(size);
      if (share != 0) {
        EXPECT_LE(workload->quantile(share), size) << name;
      }
      if (share != Workload::kWhole) {
        EXPECT_GT(workload->quantile(share + 1), size) << name;
      }
    }
  }
  EXPECT_EQ(Workload::fixed(64).share_up_to(63), 0u);
  EXPECT_EQ(Workload::fixed(64).share_up_to(64), Workload::kWhole);
  EXPECT_EQ(Workload::fixed(64).quantile(500'000'000), 64u);
}

TEST(Workload, the_ends_of_the_random_numbers_are_the_ends_of_the_sizes) {
  const auto workload = Workload::named("W2", 10'000'000);
  ASSERT_TRUE(workload.ok());
  EXPECT_EQ(workload->sample(0), workload->quantile(1));
  EXPECT_EQ(workload->sample(UINT64_MAX), workload->max_size());
  EXPECT_EQ(workload->sample(uint64_t{1} << 63), workload->quantile(500'000'001));
}

// The figures are those of util/dist.cc in PlatformLab/HomaModule.
TEST(Workload, w3_has_the_mean_and_the_quantiles_of_the_original) {
  const auto workload = Workload::named("W3", 20'000'000);
  ASSERT_TRUE(workload.ok());
  EXPECT_NEAR(workload->mean(), 2927.7, 60);
  Prng prng(7);
  constexpr int kDraws = 200'000;
  int below_36 = 0;
  int below_268 = 0;
  int below_1755 = 0;
  for (int i = 0; i < kDraws; ++i) {
    const uint32_t size = workload->sample(prng.next_u64());
    below_36 += size <= 36 ? 1 : 0;
    below_268 += size <= 268 ? 1 : 0;
    below_1755 += size <= 1755 ? 1 : 0;
  }
  EXPECT_NEAR(below_36, kDraws * 0.109, kDraws * 0.01);
  EXPECT_NEAR(below_268, kDraws * 0.524, kDraws * 0.03);
  EXPECT_NEAR(below_1755, kDraws * 0.900, kDraws * 0.005);
}

TEST(Workload, the_largest_size_is_a_bound) {
  const auto workload = Workload::named("W5", 1'000'000);
  ASSERT_TRUE(workload.ok());
  EXPECT_EQ(workload->max_size(), 1'000'000u);
  Prng prng(3);
  for (int i = 0; i < 10'000; ++i) EXPECT_LE(workload->sample(prng.next_u64()), 1'000'000u);
}

TEST(Workload, the_same_seed_draws_the_same_sizes) {
  const auto workload = Workload::named("W4", 1'000'000);
  Prng one(5);
  Prng two(5);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(workload->sample(one.next_u64()), workload->sample(two.next_u64()));
}

TEST(Workload, classes_cover_every_size_in_order) {
  for (const char* name : {"W1", "W2", "W3", "W4", "W5"}) {
    const auto workload = Workload::named(name, 1'000'000);
    ASSERT_TRUE(workload.ok());
    const auto& classes = workload->classes();
    ASSERT_LE(classes.size(), kMaxSizeClasses);
    for (size_t i = 1; i < classes.size(); ++i) EXPECT_EQ(classes[i].from, classes[i - 1].to + 1);
    EXPECT_EQ(classes.back().to, workload->max_size()) << name;
    Prng prng(9);
    for (int i = 0; i < 1000; ++i) {
      const uint32_t size = workload->sample(prng.next_u64());
      const SizeClass& mine = classes[workload->class_of(size)];
      EXPECT_GE(size, mine.from);
      EXPECT_LE(size, mine.to);
    }
  }
}

TEST(Workload, w3_has_ten_classes_of_about_the_same_weight) {
  const auto workload = Workload::named("W3", 1'000'000);
  ASSERT_EQ(workload->classes().size(), 10u);
  Prng prng(11);
  std::map<size_t, int> drawn;
  for (int i = 0; i < 100'000; ++i) ++drawn[workload->class_of(workload->sample(prng.next_u64()))];
  for (const auto& [index, count] : drawn) EXPECT_NEAR(count, 10'000, 2'500) << index;
}

}  // namespace
}  // namespace sluice::base
