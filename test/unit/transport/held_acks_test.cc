// SPDX-License-Identifier: Apache-2.0
#include "transport/held_acks.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::transport {
namespace {

TEST(HeldAcks, ids_in_order_are_one_run) {
  HeldAcks held;
  EXPECT_TRUE(held.empty());
  for (uint64_t id = 10; id < 30; ++id) held.add(id);
  EXPECT_EQ(held.ids(), 20u);
  const HeldAcks::Run run = held.take();
  EXPECT_EQ(run.first, 10u);
  EXPECT_EQ(run.count, 20u);
  EXPECT_TRUE(held.empty());
  EXPECT_EQ(held.ids(), 0u);
  EXPECT_EQ(held.take().count, 0u);
}

TEST(HeldAcks, ids_join_a_run_at_both_ends) {
  HeldAcks held;
  for (const uint64_t id : {5u, 9u, 6u, 8u, 4u}) held.add(id);
  HeldAcks::Run run = held.take();
  EXPECT_EQ(run.first, 4u);
  EXPECT_EQ(run.count, 3u);
  run = held.take();
  EXPECT_EQ(run.first, 8u);
  EXPECT_EQ(run.count, 2u);
  EXPECT_TRUE(held.empty());
}

// Both limits: as many ids, and as many runs.
TEST(HeldAcks, is_full_with_enough_for_a_packet) {
  HeldAcks held;
  for (uint64_t id = 1; id < HeldAcks::kMaxIds; ++id) held.add(id);
  EXPECT_FALSE(held.full());
  held.add(HeldAcks::kMaxIds);
  EXPECT_TRUE(held.full());
  held.clear();
  EXPECT_TRUE(held.empty());
  for (uint64_t i = 0; i + 1 < HeldAcks::kMaxRuns; ++i) held.add(2 * i + 1);
  EXPECT_FALSE(held.full());
  held.add(1000);
  EXPECT_TRUE(held.full());
  std::vector<uint64_t> firsts;
  while (!held.empty()) firsts.push_back(held.take().first);
  EXPECT_EQ(firsts, (std::vector<uint64_t>{1, 3, 5, 7, 9, 11, 13, 1000}));
}

TEST(AckBudget, long_messages_pay_for_their_acks) {
  AckBudget budget;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.afford(100'000));
}

TEST(AckBudget, short_messages_pay_for_some) {
  AckBudget budget;
  uint32_t prompt = 0;
  constexpr uint32_t kMessages = 10'000;
  for (uint32_t i = 0; i < kMessages; ++i) prompt += budget.afford(100) ? 1 : 0;
  EXPECT_EQ(prompt, kMessages * 100 / (AckBudget::kShare * AckBudget::kAckBytes));
}

TEST(AckBudget, saves_up_to_its_limit) {
  AckBudget budget;
  EXPECT_TRUE(budget.afford(1u << 30));
  uint32_t prompt = 0;
  while (budget.afford(1)) ++prompt;
  EXPECT_EQ(prompt, AckBudget::kMostBytes / AckBudget::kAckBytes - 1);
}

}  // namespace
}  // namespace sluice::transport
