// SPDX-License-Identifier: Apache-2.0
#include "base/interval_set.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/prng.h"

namespace sluice::base {
namespace {

using Set = IntervalSet<4>;
using Insert = Set::Insert;
using Interval = Set::Interval;

std::vector<Interval> ranges(const Set& set) { return {set.begin(), set.end()}; }

TEST(IntervalSet, tells_new_old_and_mixed_ranges_apart) {
  Set set;
  EXPECT_EQ(set.insert(10, 20), Insert::kInserted);
  EXPECT_EQ(set.insert(10, 20), Insert::kDuplicate);
  EXPECT_EQ(set.insert(12, 18), Insert::kDuplicate);
  EXPECT_EQ(set.insert(5, 5), Insert::kDuplicate);
  EXPECT_EQ(set.insert(15, 25), Insert::kPartial);
  EXPECT_EQ(set.insert(25, 30), Insert::kInserted);
  EXPECT_EQ(set.insert(5, 10), Insert::kInserted);
  EXPECT_EQ(ranges(set), (std::vector<Interval>{{5, 30}}));
  EXPECT_EQ(set.total(), 25u);
}

TEST(IntervalSet, is_full_only_when_a_range_more_is_needed) {
  Set set;
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(set.insert(i * 10, i * 10 + 5), Insert::kInserted);
  const std::vector<Interval> before = ranges(set);
  EXPECT_EQ(set.insert(50, 55), Insert::kFull);
  EXPECT_EQ(set.insert(6, 7), Insert::kFull);
  EXPECT_EQ(ranges(set), before);
  EXPECT_EQ(set.insert(5, 10), Insert::kInserted);
  EXPECT_EQ(set.size(), 3u);
  EXPECT_EQ(set[0], (Interval{0, 15}));
  EXPECT_EQ(set.insert(50, 55), Insert::kInserted);
}

TEST(IntervalSet, joins_everything_a_range_spans) {
  Set set;
  set.insert(10, 20);
  set.insert(30, 40);
  set.insert(50, 60);
  EXPECT_EQ(set.insert(15, 50), Insert::kPartial);
  EXPECT_EQ(ranges(set), (std::vector<Interval>{{10, 60}}));
  EXPECT_EQ(set.insert(0, 100), Insert::kPartial);
  EXPECT_EQ(set.total(), 100u);
}

TEST(IntervalSet, refuses_to_cut_a_range_when_full) {
  Set set;
  for (uint32_t i = 0; i < 4; ++i) set.insert(i * 10, i * 10 + 5);
  EXPECT_FALSE(set.erase(11, 12));
  EXPECT_EQ(set.total(), 20u);
  EXPECT_TRUE(set.erase(10, 12));
  EXPECT_TRUE(set.erase(13, 25));
  EXPECT_EQ(ranges(set), (std::vector<Interval>{{0, 5}, {12, 13}, {30, 35}}));
  EXPECT_TRUE(set.erase(31, 32));
  EXPECT_EQ(set.size(), 4u);
}

TEST(IntervalSet, finds_gaps_and_runs) {
  Set set;
  set.insert(10, 20);
  set.insert(30, 40);
  EXPECT_EQ(set.first_gap(0, 100), (Interval{0, 10}));
  EXPECT_EQ(set.first_gap(10, 100), (Interval{20, 30}));
  EXPECT_EQ(set.first_gap(15, 25), (Interval{20, 25}));
  EXPECT_EQ(set.first_gap(12, 18), (Interval{18, 18}));
  EXPECT_EQ(set.first_gap(35, 100), (Interval{40, 100}));
  EXPECT_EQ(set.first_gap(50, 40), (Interval{40, 40}));
  EXPECT_EQ(set.contiguous_end(10), 20u);
  EXPECT_EQ(set.contiguous_end(19), 20u);
  EXPECT_EQ(set.contiguous_end(20), 20u);
  EXPECT_EQ(set.contiguous_end(0), 0u);
}

TEST(IntervalSet, works_at_the_ends_of_the_range) {
  IntervalSet<2, uint64_t> wide;
  wide.insert(UINT64_MAX - 1, UINT64_MAX);
  wide.insert(0, UINT64_MAX - 1);
  EXPECT_EQ(wide.total(), UINT64_MAX);
  EXPECT_EQ(wide.size(), 1u);
  wide.erase_below(UINT64_MAX);
  EXPECT_TRUE(wide.empty());
}

constexpr uint32_t kSpace = 48;

struct Model {
  std::vector<bool> bits = std::vector<bool>(kSpace, false);

  void put(uint32_t begin, uint32_t end, bool value) {
    for (uint32_t i = begin; i < end; ++i) bits[i] = value;
  }
  uint32_t held(uint32_t begin, uint32_t end) const {
    uint32_t n = 0;
    for (uint32_t i = begin; i < end; ++i) n += bits[i] ? 1 : 0;
    return n;
  }
  std::vector<Interval> ranges() const {
    std::vector<Interval> result;
    for (uint32_t i = 0; i < kSpace; ++i) {
      if (!bits[i]) continue;
      if (result.empty() || result.back().end != i) result.push_back({i, i});
      result.back().end = i + 1;
    }
    return result;
  }
};

void check_queries(const Set& set, const Model& model, uint32_t begin, uint32_t end) {
  const uint32_t held = model.held(begin, end);
  ASSERT_EQ(set.covers(begin, end), held == end - begin);
  ASSERT_EQ(set.overlaps(begin, end), held > 0);
  ASSERT_EQ(set.total(), model.held(0, kSpace));
  uint32_t run = begin;
  while (run < kSpace && model.bits[run]) ++run;
  ASSERT_EQ(set.contiguous_end(begin), run);
  const uint32_t gap = std::min(run, end);
  uint32_t gap_end = gap;
  while (gap_end < end && !model.bits[gap_end]) ++gap_end;
  ASSERT_EQ(set.first_gap(begin, end), (Interval{gap, gap_end}));
}

void random_step(Prng* prng, Set* set, Model* model) {
  const uint32_t begin = static_cast<uint32_t>(prng->uniform(kSpace));
  const uint32_t end = begin + static_cast<uint32_t>(prng->uniform(std::min(12u, kSpace - begin)));
  Model changed = *model;
  const uint64_t choice = prng->uniform(10);
  if (choice < 6) {
    changed.put(begin, end, true);
    const bool full = changed.ranges().size() > Set::capacity();
    const uint32_t held = model->held(begin, end);
    const Insert expected = held == end - begin ? Insert::kDuplicate
                            : full              ? Insert::kFull
                            : held == 0         ? Insert::kInserted
                                                : Insert::kPartial;
    ASSERT_EQ(set->insert(begin, end), expected);
    if (!full) *model = changed;
  } else if (choice < 9) {
    changed.put(begin, end, false);
    const bool fits = changed.ranges().size() <= Set::capacity();
    ASSERT_EQ(set->erase(begin, end), fits);
    if (fits) *model = changed;
  } else {
    const uint32_t limit = static_cast<uint32_t>(prng->uniform(kSpace / 2));
    set->erase_below(limit);
    model->put(0, limit, false);
  }
  ASSERT_EQ(ranges(*set), model->ranges());
  check_queries(*set, *model, begin, end);
}

TEST(IntervalSet, matches_a_model_under_random_use) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Prng prng(seed);
    Set set;
    Model model;
    for (int step = 0; step < 2'000; ++step) {
      ASSERT_NO_FATAL_FAILURE(random_step(&prng, &set, &model)) << "seed " << seed;
    }
    set.clear();
    EXPECT_TRUE(set.empty());
    EXPECT_EQ(set.total(), 0u);
  }
}

}  // namespace
}  // namespace sluice::base
