// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_plan.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::sim {
namespace {

TEST(FaultPlan, a_seed_stands_for_one_plan) {
  const FaultPlan a = fault_plan(7);
  const FaultPlan b = fault_plan(7);
  EXPECT_EQ(a.rate, b.rate);
  EXPECT_EQ(a.calls, b.calls);
  EXPECT_EQ(a.config[0].arena_bytes, b.config[0].arena_bytes);
  EXPECT_NE(a.rate, fault_plan(8).rate);
}

TEST(FaultPlan, there_are_at_least_forty_kinds_and_each_takes_part_in_some_seeds) {
  EXPECT_GE(kFaultKinds, 40u);
  FaultCounts seen{};
  std::set<int> policies;
  uint32_t records = 0;
  uint32_t padded = 0;
  uint32_t esp = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const FaultPlan plan = fault_plan(seed);
    for (uint32_t i = 0; i < kFaultKinds; ++i) seen[i] += plan.rate[i] != 0 ? 1 : 0;
    records += plan.config[0].record_mode ? 1 : 0;
    padded += plan.padded() ? 1 : 0;
    esp += plan.esp() ? 1 : 0;
    EXPECT_FALSE(plan.esp() && plan.config[0].record_mode);
    policies.insert(static_cast<int>(plan.config[0].grant_policy));
  }
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    EXPECT_GT(seen[i], 10u) << kFaultNames[i];
    EXPECT_LT(seen[i], 60u) << kFaultNames[i] << " has to be absent often, too";
  }
  EXPECT_EQ(policies.size(), 4u);
  EXPECT_GT(records, 10u);
  EXPECT_GT(padded, 10u);
  EXPECT_LT(padded, 50u);
  EXPECT_GT(esp, 8u);
  EXPECT_LT(esp, 40u);
  EXPECT_LT(records, 50u);
}

TEST(FaultPlan, most_runs_are_small_and_some_are_long) {
  uint32_t small = 0;
  uint32_t large = 0;
  uint32_t bursts = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const FaultPlan plan = fault_plan(seed);
    small += plan.calls < 200 ? 1 : 0;
    large += plan.calls >= 1'000 ? 1 : 0;
    bursts += plan.burst > 1 ? 1 : 0;
  }
  EXPECT_GT(small, 80u);
  EXPECT_GT(large, 10u);
  EXPECT_GT(bursts, 50u);
  EXPECT_LT(bursts, 150u);
}

}  // namespace
}  // namespace sluice::sim
