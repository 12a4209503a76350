// SPDX-License-Identifier: Apache-2.0
#include "crypto/record_number.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "base/prng.h"

namespace sluice::crypto {
namespace {

TEST(AttemptCursor, first_transmission_is_attempt_zero) {
  AttemptCursor cursor;
  for (uint32_t index = 0; index < 100; ++index) EXPECT_EQ(cursor.take(0, index, 255), 0u);
}

TEST(AttemptCursor, repairing_from_front_to_back_costs_one_attempt) {
  AttemptCursor cursor;
  for (uint32_t index = 0; index < 100; ++index) cursor.take(0, index, 255);
  for (uint32_t index = 3; index < 100; index += 7) EXPECT_EQ(cursor.take(0, index, 255), 1u);
  EXPECT_EQ(cursor.take(0, 100, 255), 0u);
  EXPECT_EQ(cursor.take(0, 3, 255), 2u);
}

// Verifies MUST-C3
TEST(AttemptCursor, runs_out_and_recovers_in_the_next_epoch) {
  AttemptCursor cursor;
  EXPECT_EQ(cursor.take(0, 0, 2), 0u);
  EXPECT_EQ(cursor.take(0, 0, 2), 1u);
  EXPECT_EQ(cursor.take(0, 0, 2), 2u);
  EXPECT_EQ(cursor.take(0, 0, 2), std::nullopt);
  EXPECT_EQ(cursor.take(1, 0, 2), 0u);
}

// Verifies MUST-C2
TEST(AttemptCursor, never_repeats_a_pair_within_an_epoch) {
  base::Prng prng(1);
  for (int round = 0; round < 50; ++round) {
    AttemptCursor cursor;
    std::set<std::pair<uint32_t, uint32_t>> used;
    uint64_t epoch = 0;
    for (int i = 0; i < 2000; ++i) {
      const auto index = static_cast<uint32_t>(prng.uniform(64));
      const auto attempt = cursor.take(epoch, index, 255);
      if (!attempt) {
        ++epoch;
        used.clear();
        continue;
      }
      ASSERT_LE(*attempt, 255u);
      ASSERT_TRUE(used.emplace(*attempt, index).second);
    }
    EXPECT_GT(epoch, 0u);
  }
}

// It keeps the low bits of the epoch alone: a message that outlives so many that they recur may
// take later attempts than it needs in that one, and repeats none that it takes there.
TEST(AttemptCursor, an_epoch_whose_low_bits_recur_sees_no_pair_twice) {
  constexpr uint64_t kRecurs = uint64_t{UINT16_MAX} + 1;
  AttemptCursor cursor;
  for (uint32_t index = 0; index < 4; ++index) EXPECT_EQ(cursor.take(0, index, 255), 0u);
  EXPECT_EQ(cursor.take(0, 1, 255), 1u);
  std::set<std::pair<uint32_t, uint32_t>> used;
  for (const uint32_t index : {0u, 1u, 2u, 3u, 4u, 2u, 4u, 0u, 5u, 5u}) {
    const auto attempt = cursor.take(kRecurs, index, 255);
    ASSERT_TRUE(attempt.has_value());
    EXPECT_TRUE(used.emplace(*attempt, index).second) << *attempt << ", " << index;
  }
  EXPECT_EQ(cursor.take(kRecurs + 1, 0, 255), 0u);
}

TEST(IdWindow, ids_that_could_share_low_bits_are_refused) {
  IdWindow window;
  EXPECT_TRUE(window.admit(1000, 255));
  EXPECT_TRUE(window.admit(1255, 255));
  EXPECT_FALSE(window.admit(1256, 255));
  EXPECT_FALSE(window.admit(999, 255));
  EXPECT_TRUE(window.admit(1100, 255));
  window = {};
  EXPECT_TRUE(window.admit(1256, 255));
  EXPECT_TRUE(window.admit(1001, 255));
  EXPECT_FALSE(window.admit(1000, 255));
}

// Verifies MUST-C3, MUST-R6: records count by ones at the first attempt; what they carried goes
// again at a later one, under whatever index, and they count on above it.
TEST(AttemptCursor, records_and_packets_of_a_message_share_no_number) {
  AttemptCursor cursor;
  for (uint32_t index = 0; index < 3; ++index) {
    EXPECT_EQ(cursor.next(5), index);
    EXPECT_EQ(cursor.take(5, index, 255), 0u);
  }
  cursor.note_sent(5, 20);
  EXPECT_EQ(cursor.take(5, 20, 255), 1u);
  EXPECT_EQ(cursor.next(5), 21u);
  cursor.note_sent(5, 21);
  EXPECT_EQ(cursor.take(5, 21, 255), 1u);
  EXPECT_EQ(cursor.take(5, cursor.next(5), 255), 0u);
  EXPECT_EQ(cursor.next(6), 0u) << "another key";
  cursor.note_sent(6, 9);
  EXPECT_EQ(cursor.take(6, 9, 255), 0u) << "of which nothing was used";
}

}  // namespace
}  // namespace sluice::crypto
