// SPDX-License-Identifier: Apache-2.0
#include "wire/record_number.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::wire {
namespace {

const std::vector<RecordNumberSplit>& splits() {
  static const std::vector<RecordNumberSplit> all = {
      {34, 8, 20}, {16, 16, 30}, {38, 4, 20}, {30, 8, 24}, {32, 10, 20}};
  return all;
}

// Verifies MUST-W11: the layout of both spaces, by golden values.
TEST(RecordNumber, has_the_specified_layout) {
  const RecordNumberSplit split;
  EXPECT_EQ(message_number(split, false, 1, 0, 0), uint64_t{1} << 28);
  EXPECT_EQ(message_number(split, true, 1, 2, 3),
            (uint64_t{1} << 62) | (uint64_t{1} << 28) | (uint64_t{2} << 20) | 3);
  EXPECT_EQ(message_number(split, true, 0x3'ffff'ffff, 0xff, 0xf'ffff), ~uint64_t{0} >> 1);
  EXPECT_EQ(counter_number(5), 0x8000'0000'0000'0005u);
  EXPECT_TRUE(is_counter_number(counter_number(0)));
  EXPECT_FALSE(is_counter_number(*message_number(split, true, ~uint64_t{0}, 255, 7)));
  EXPECT_EQ(counter_of(counter_number(kMaxCounter)), kMaxCounter);
}

TEST(RecordNumber, round_trips_at_the_corners_of_every_split) {
  for (const RecordNumberSplit& split : splits()) {
    ASSERT_TRUE(split.valid());
    for (const bool initiator : {false, true}) {
      for (const uint64_t id : {uint64_t{0}, uint64_t{1}, split.id_mask()}) {
        for (const uint32_t attempt : {0u, 1u, split.max_attempt()}) {
          for (const uint32_t index : {0u, 1u, split.max_index()}) {
            const auto number = message_number(split, initiator, id, attempt, index);
            ASSERT_TRUE(number);
            EXPECT_EQ(split_message_number(split, *number),
                      (MessageRecord{initiator, id, attempt, index}));
            EXPECT_EQ(is_initiator_number(*number), initiator);
          }
        }
      }
    }
  }
}

// Verifies MUST-W12: a field that does not fit is refused, never truncated.
TEST(RecordNumber, refuses_attempt_and_index_that_do_not_fit) {
  for (const RecordNumberSplit& split : splits()) {
    EXPECT_FALSE(message_number(split, true, 1, split.max_attempt() + 1, 0));
    EXPECT_FALSE(message_number(split, true, 1, 0, split.max_index() + 1));
    EXPECT_TRUE(message_number(split, true, 1, split.max_attempt(), split.max_index()));
  }
}

// Verifies MUST-W13: only splits that fill 62 bits and admit 1 GiB messages are accepted.
TEST(RecordNumber, accepts_only_usable_splits) {
  for (const RecordNumberSplit& split : splits()) {
    uint8_t wire[RecordNumberSplit::kSize];
    split.emit(wire);
    EXPECT_EQ(RecordNumberSplit::parse(wire, sizeof(wire)), split);
    for (size_t size = 0; size < sizeof(wire); ++size) {
      EXPECT_FALSE(RecordNumberSplit::parse(wire, size));
    }
  }
  const RecordNumberSplit bad[] = {{34, 8, 19},  {35, 8, 19},  {34, 8, 21}, {40, 2, 20},
                                   {15, 16, 31}, {24, 18, 20}, {0, 0, 62},  {62, 0, 0}};
  for (const RecordNumberSplit& split : bad) {
    EXPECT_FALSE(split.valid());
    uint8_t wire[RecordNumberSplit::kSize];
    split.emit(wire);
    EXPECT_FALSE(RecordNumberSplit::parse(wire, sizeof(wire)));
  }
}

// Verifies MUST-W14: the nearest id with these low bits.
TEST(RecordNumber, expands_ids_to_the_nearest) {
  const RecordNumberSplit split{16, 16, 30};
  const uint64_t range = 1 << 16;
  for (const uint64_t reference : {uint64_t{0}, uint64_t{1}, range - 1, range, range + 1,
                                   5 * range + 7, 9 * range - 1, (uint64_t{1} << 40) + 3}) {
    for (const int64_t delta : {-30000, -1, 0, 1, 30000}) {
      if (delta < 0 && reference < static_cast<uint64_t>(-delta)) continue;
      const uint64_t id = reference + static_cast<uint64_t>(delta);
      EXPECT_EQ(expand_message_id(split, id & split.id_mask(), reference), id)
          << reference << " " << delta;
    }
  }
}

TEST(RecordNumber, expansion_never_leaves_the_id_space) {
  const RecordNumberSplit split{16, 16, 30};
  EXPECT_EQ(expand_message_id(split, 0xffff, 0), 0xffffu);  // not "one below zero"
  EXPECT_EQ(expand_message_id(split, 0, ~uint64_t{0}), ~uint64_t{0} - 0xffff);
}

}  // namespace
}  // namespace sluice::wire
