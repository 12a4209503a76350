// SPDX-License-Identifier: Apache-2.0
#include "transport/cutoffs.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

wire::CutoffsFrame frame_of(uint32_t a, uint32_t b, uint32_t c) {
  return {1, UINT32_MAX, {a, b, c, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
}

TEST(Cutoffs, shorter_messages_go_higher) {
  Cutoffs cutoffs;
  EXPECT_EQ(cutoffs.priority(1), 7);
  EXPECT_EQ(cutoffs.priority(200), 7);
  EXPECT_EQ(cutoffs.priority(201), 6);
  EXPECT_EQ(cutoffs.priority(15000), 5);
  EXPECT_EQ(cutoffs.priority(UINT32_MAX), 4);
}

TEST(Cutoffs, a_receiver_sets_them_and_a_new_lane_forgets) {
  Cutoffs cutoffs;
  EXPECT_TRUE(cutoffs.take(frame_of(10, 10, 20)));
  EXPECT_EQ(cutoffs.priority(10), 7);
  EXPECT_EQ(cutoffs.priority(11), 5);
  EXPECT_EQ(cutoffs.priority(21), 4);
  EXPECT_FALSE(cutoffs.take(frame_of(30, 20, 40)));
  EXPECT_EQ(cutoffs.priority(30), 4) << "the falling ones changed nothing";
  cutoffs.reset();
  EXPECT_EQ(cutoffs.priority(200), 7);
}

TEST(CutoffEstimator, gives_each_level_the_same_share_of_the_bytes) {
  CutoffEstimator estimator;
  // Of the bytes, 30 % in messages of 100, 30 % of 1000, 25 % of 10000 and 15 % of 50000 bytes.
  for (uint32_t i = 1; estimator.version() == 0; ++i) {
    for (int three = 0; three < 3; ++three) estimator.note(100, 100);
    if (i % 10 < 3) estimator.note(1'000, 1'000);
    if (i % 40 == 0) estimator.note(10'000, 10'000);
    if (i % 333 == 0) estimator.note(50'000, 50'000);
    if (i % 100 == 0) estimator.note(100'000, 1);  // As many scheduled bytes: four levels.
  }
  Cutoffs cutoffs;
  EXPECT_TRUE(cutoffs.take(estimator.frame()));
  EXPECT_EQ(cutoffs.priority(100), 7);
  EXPECT_EQ(cutoffs.priority(1'000), 6);
  EXPECT_EQ(cutoffs.priority(10'000), 5);
  EXPECT_EQ(cutoffs.priority(50'000), 4);
}

// What comes by grant does not use these priorities.
TEST(CutoffEstimator, counts_unscheduled_bytes_only) {
  CutoffEstimator estimator;
  for (uint32_t i = 0; i < CutoffEstimator::kPeriod / 2; ++i) {
    estimator.note(1'000, 1'000);
    estimator.note(1u << 24, 1);
  }
  EXPECT_EQ(estimator.version(), 1);
  EXPECT_LT(estimator.frame().cutoffs[2], 2'000u);
}

// Homa's split of the priorities, but never fewer than four for what comes unasked.
TEST(CutoffEstimator, gives_unscheduled_bytes_priorities_by_their_share) {
  const auto scheduled = [](uint32_t length, uint32_t unscheduled) {
    CutoffEstimator estimator;
    for (uint32_t i = 0; i < CutoffEstimator::kPeriod; ++i) estimator.note(length, unscheduled);
    return estimator.scheduled_levels();
  };
  EXPECT_EQ(CutoffEstimator().scheduled_levels(), 4);
  EXPECT_EQ(scheduled(1'000, 1'000), 1);
  EXPECT_EQ(scheduled(1'000, 750), 2);
  EXPECT_EQ(scheduled(1'000, 630), 3);
  EXPECT_EQ(scheduled(1'000'000, 10'000), 4);
}

TEST(CutoffEstimator, tells_only_what_has_changed) {
  CutoffEstimator estimator;
  const auto period_of = [&](uint32_t length) {
    for (uint32_t i = 0; i < CutoffEstimator::kPeriod; ++i) estimator.note(length, length);
  };
  period_of(100);
  EXPECT_EQ(estimator.version(), 1);
  for (int i = 0; i < 10; ++i) period_of(100);
  EXPECT_EQ(estimator.version(), 1);
  period_of(10'000);
  EXPECT_EQ(estimator.version(), 2);
  for (int i = 0; i < 600; ++i) period_of(i % 2 == 0 ? 1'000'000 : 10);
  EXPECT_NE(estimator.version(), 0) << "0 means that there is nothing to tell";
}

// Every length lies in a bucket whose end is a cutoff at or above it.
TEST(CutoffEstimator, a_single_length_is_below_its_own_cutoff) {
  for (uint32_t bit = 0; bit < 32; ++bit) {
    for (const uint32_t length : {1u << bit, (1u << bit) + (1u << bit) / 3, UINT32_MAX >> bit}) {
      CutoffEstimator estimator;
      for (uint32_t i = 0; i < CutoffEstimator::kPeriod; ++i) estimator.note(length, 1);
      EXPECT_GE(estimator.frame().cutoffs[0], length);
      EXPECT_LE(estimator.frame().cutoffs[0], uint64_t{length} + length / 4 + 8);
    }
  }
}

}  // namespace
}  // namespace sluice::transport
