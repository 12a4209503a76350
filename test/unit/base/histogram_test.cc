// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/prng.h"

namespace sluice::base {
namespace {

TEST(Histogram, reports_zeros_when_empty) {
  const auto histogram = std::make_unique<Histogram>();
  EXPECT_EQ(histogram->count(), 0u);
  EXPECT_EQ(histogram->min(), 0u);
  EXPECT_EQ(histogram->max(), 0u);
  EXPECT_EQ(histogram->quantile_ppm(500'000), 0u);
}

TEST(Histogram, is_exact_for_small_values) {
  const auto histogram = std::make_unique<Histogram>();
  for (uint64_t v = 1; v <= 100; ++v) histogram->record(v);
  EXPECT_EQ(histogram->quantile_ppm(0), 1u);
  EXPECT_EQ(histogram->quantile_ppm(500'000), 50u);
  EXPECT_EQ(histogram->quantile_ppm(990'000), 99u);
  EXPECT_EQ(histogram->quantile_ppm(990'001), 100u);
  EXPECT_EQ(histogram->quantile_ppm(1'000'000), 100u);
  EXPECT_EQ(histogram->sum(), 5050u);
}

TEST(Histogram, holds_the_whole_range) {
  const auto histogram = std::make_unique<Histogram>();
  for (int shift = 0; shift < 64; ++shift) histogram->record(uint64_t{1} << shift);
  histogram->record(0);
  histogram->record(UINT64_MAX);
  EXPECT_EQ(histogram->count(), 66u);
  EXPECT_EQ(histogram->min(), 0u);
  EXPECT_EQ(histogram->max(), UINT64_MAX);
  EXPECT_EQ(histogram->sum(), UINT64_MAX);
  EXPECT_EQ(histogram->quantile_ppm(999'999), UINT64_MAX);
}

TEST(Histogram, one_value_is_reported_exactly_at_every_quantile) {
  const auto histogram = std::make_unique<Histogram>();
  histogram->record(1'234'567);
  for (const uint32_t ppm : {0u, 1u, 500'000u, 999'999u, 1'000'000u}) {
    EXPECT_EQ(histogram->quantile_ppm(ppm), 1'234'567u);
  }
}

TEST(Histogram, errs_upwards_by_at_most_one_part_in_64) {
  Prng prng(8);
  for (int round = 0; round < 20; ++round) {
    const auto histogram = std::make_unique<Histogram>();
    std::vector<uint64_t> values;
    for (int i = 0; i < 1000; ++i) {
      values.push_back(prng.next_u64() >> prng.uniform(64));
      histogram->record(values.back());
    }
    std::sort(values.begin(), values.end());
    for (uint32_t permille = 1; permille <= 1000; ++permille) {
      const uint64_t exact = values[permille - 1];
      const uint64_t reported = histogram->quantile_ppm(permille * 1000);
      ASSERT_GE(reported, exact);
      ASSERT_LE(reported - exact, exact / 64);
    }
  }
}

TEST(Histogram, merging_equals_recording_both) {
  Prng prng(9);
  const auto a = std::make_unique<Histogram>(), b = std::make_unique<Histogram>(),
             both = std::make_unique<Histogram>();
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = prng.uniform(1'000'000);
    (i % 3 == 0 ? a : b)->record(value);
    both->record(value);
  }
  a->merge(*b);
  EXPECT_EQ(a->count(), both->count());
  EXPECT_EQ(a->sum(), both->sum());
  EXPECT_EQ(a->min(), both->min());
  EXPECT_EQ(a->max(), both->max());
  for (uint32_t ppm = 0; ppm <= 1'000'000; ppm += 10'000) {
    EXPECT_EQ(a->quantile_ppm(ppm), both->quantile_ppm(ppm));
  }
  a->clear();
  EXPECT_EQ(a->count(), 0u);
  EXPECT_EQ(a->quantile_ppm(500'000), 0u);
}

}  // namespace
}  // namespace sluice::base
