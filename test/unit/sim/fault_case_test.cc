// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_case.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::sim {
namespace {

bool has(const FaultCase& now, FaultKind kind) {
  return std::find(now.kinds.begin(), now.kinds.end(), kind) != now.kinds.end();
}

// A seed whose plan has both kinds.
FaultCase with(FaultKind one, FaultKind other) {
  for (uint64_t seed = 0;; ++seed) {
    FaultCase now = fault_case(seed);
    if (has(now, one) && has(now, other)) return now;
  }
}

TEST(FaultCase, of_a_seed_is_all_that_its_plan_says) {
  const FaultPlan all = fault_plan(9);
  const FaultPlan same = fault_plan(fault_case(9));
  EXPECT_EQ(all.rate, same.rate);
  EXPECT_EQ(all.calls, same.calls);
  EXPECT_EQ(all.longest_message, same.longest_message);
}

TEST(FaultCase, takes_kinds_away_and_lowers_figures) {
  FaultCase now = fault_case(9);
  const FaultKind kept = now.kinds.front();
  now.kinds = {kept};
  now.calls = 3;
  now.longest_message = 17;
  const FaultPlan plan = fault_plan(now);
  EXPECT_EQ(plan.calls, 3u);
  EXPECT_EQ(plan.longest_message, 17u);
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    EXPECT_EQ(plan.rate[i] != 0, static_cast<FaultKind>(i) == kept) << kFaultNames[i];
  }
}

TEST(FaultCase, comes_back_from_its_text) {
  FaultCase now = fault_case(9);
  now.calls = 5;
  const auto read = parse_fault_case("# why\n\n" + fault_case_text(now));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, now);
  now.kinds.clear();
  EXPECT_NE(fault_case_text(now).find("kinds =\n"), std::string::npos) << "no blank at its end";
  EXPECT_EQ(*parse_fault_case(fault_case_text(now)), now);
  EXPECT_EQ(*parse_fault_case("seed = 9"), fault_case(9));
}

TEST(FaultCase, errors_name_the_line) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "no seed"},
      {"calls = 3", "line 1: the seed comes first"},
      {"seed = x", "line 1: 'seed = x'"},
      {"seed = 1\nkinds = loss, nonsense", "line 2: 'kinds"},
      {"seed = 1\nlongest = 0", "line 2"},
      {"seed = 1\nmore = 3", "line 2"},
      {"seed = 1\ncalls", "line 2"},
  };
  for (const auto& [text, why] : wrong) {
    const auto read = parse_fault_case(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_NE(read.status().message().find(why), std::string::npos) << read.status();
  }
}

TEST(FaultCase, shrinks_to_what_makes_it_fail) {
  const FaultCase whole = with(FaultKind::kLoss, FaultKind::kCrash);
  const auto fails = [](const FaultCase& now) {
    return has(now, FaultKind::kLoss) && has(now, FaultKind::kCrash) && now.calls >= 5 &&
           now.longest_message >= 100;
  };
  const FaultCase small = shrink_fault_case(whole, 200, fails);
  EXPECT_EQ(small.seed, whole.seed);
  EXPECT_EQ(small.kinds, (std::vector<FaultKind>{FaultKind::kLoss, FaultKind::kCrash}));
  EXPECT_EQ(small.calls, 5u);
  EXPECT_LT(small.longest_message, 120u);
}

TEST(FaultCase, shrinking_ends_after_so_many_attempts) {
  const FaultCase whole = with(FaultKind::kLoss, FaultKind::kCrash);
  uint32_t tried = 0;
  const auto never = [&tried](const FaultCase&) {
    ++tried;
    return false;
  };
  EXPECT_EQ(shrink_fault_case(whole, 3, never), whole);
  EXPECT_EQ(tried, 3u);
  tried = 0;
  EXPECT_EQ(shrink_fault_case(whole, 1'000, never), whole);
  EXPECT_LT(tried, 100u) << "it stops when nothing can be made smaller";
}

}  // namespace
}  // namespace sluice::sim
