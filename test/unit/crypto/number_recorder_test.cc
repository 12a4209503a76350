// SPDX-License-Identifier: Apache-2.0
#include "crypto/number_recorder.h"

#include <gtest/gtest.h>

#include <memory>

namespace sluice::crypto {
namespace {

TEST(NumberRecorder, a_repeat_is_found) {
  auto recorder = std::make_unique<NumberRecorder>();
  EXPECT_TRUE(recorder->record(0));
  EXPECT_TRUE(recorder->record(63));
  EXPECT_TRUE(recorder->record(64));
  EXPECT_TRUE(recorder->record(UINT64_MAX));
  EXPECT_FALSE(recorder->record(0));
  EXPECT_FALSE(recorder->record(63));
  EXPECT_FALSE(recorder->record(64));
  EXPECT_FALSE(recorder->record(UINT64_MAX));
}

TEST(NumberRecorder, memory_is_bounded_and_the_recent_past_is_kept) {
  auto recorder = std::make_unique<NumberRecorder>();
  constexpr uint64_t kRecent = NumberRecorder::kBlocksPerGeneration - 1;
  // Numbers far apart: each takes a bitmap of its own.
  for (uint64_t i = 0; i < 100000; ++i) {
    ASSERT_TRUE(recorder->record(i << 28));
    if (i >= kRecent) {
      ASSERT_FALSE(recorder->record((i - kRecent + 1) << 28)) << i;
    }
  }
}

TEST(NumberRecorder, runs_of_numbers_are_kept_compactly) {
  auto recorder = std::make_unique<NumberRecorder>();
  constexpr uint64_t kRun = uint64_t{64} * NumberRecorder::kBlocksPerGeneration;
  for (uint64_t i = 0; i < kRun; ++i) ASSERT_TRUE(recorder->record(i));
  for (uint64_t i = 0; i < kRun; i += 97) ASSERT_FALSE(recorder->record(i));
}

TEST(NumberRecorder, reset_forgets) {
  auto recorder = std::make_unique<NumberRecorder>();
  EXPECT_TRUE(recorder->record(5));
  recorder->reset();
  EXPECT_TRUE(recorder->record(5));
}

}  // namespace
}  // namespace sluice::crypto
