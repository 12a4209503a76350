// SPDX-License-Identifier: Apache-2.0
#include "transport/record_assembly.h"

#include <gtest/gtest.h>

#include <vector>

#include "transport/lane.h"

namespace sluice::transport {
namespace {

using Bytes = std::vector<uint8_t>;
using Outcome = RecordAssembly::Outcome;

constexpr uint64_t kTen = 10 * 16'448;  // Bytes that ten records take.

wire::RecordHeader header(uint64_t id, uint32_t content = 2922) {
  wire::RecordHeader out;
  out.message.record_number = *wire::message_number({}, true, id, 0, 0);
  out.message.message_length = 1u << 20;
  out.length = static_cast<uint16_t>(wire::record_size(content));
  return out;
}

Bytes packet(const wire::RecordHeader& of, uint32_t place, uint32_t size, uint8_t fill = 7) {
  Bytes out(wire::kRecordHeaderSize + size, fill);
  of.emit(out.data(), place);
  return out;
}

RecordAssembly::Result add(RecordAssembly& records, Lane& lane, const Bytes& bytes,
                           bool congested = false) {
  const auto view = wire::RecordView::parse(bytes.data(), bytes.size(), {});
  EXPECT_TRUE(view);
  return records.add(lane, *view, congested);
}

TEST(RecordAssembly, parts_make_a_whole_in_any_order) {
  RecordAssembly records(kTen);
  Lane lane;
  EXPECT_EQ(add(records, lane, packet(header(1), 2000, 1000, 3)).outcome, Outcome::kTaken);
  EXPECT_EQ(add(records, lane, packet(header(1), 0, 1000, 1), true).outcome, Outcome::kTaken);
  EXPECT_EQ(records.in_use(), 1u);
  const RecordAssembly::Result last = add(records, lane, packet(header(1), 1000, 1000, 2));
  ASSERT_EQ(last.outcome, Outcome::kWhole);
  EXPECT_TRUE(last.record->congested) << "one of them was marked";
  EXPECT_EQ(last.record->length, 3000u);
  for (uint32_t i = 0; i < 3000; ++i) ASSERT_EQ(last.record->bytes[i], 1 + i / 1000) << i;
  uint8_t first[wire::kRecordHeaderSize];
  header(1).emit(first);
  EXPECT_EQ(std::memcmp(last.record->header, first, sizeof(first)), 0);
  records.release(*last.record);
  EXPECT_EQ(records.in_use(), 0u);
  EXPECT_TRUE(lane.gatherings.empty());
}

TEST(RecordAssembly, records_are_told_apart_by_number_and_epoch) {
  RecordAssembly records(kTen);
  Lane lane;
  wire::RecordHeader later = header(1);
  later.message.epoch = 1;
  for (const wire::RecordHeader& each : {header(1), header(2), later}) {
    EXPECT_EQ(add(records, lane, packet(each, 0, 1500)).outcome, Outcome::kTaken);
  }
  EXPECT_EQ(records.in_use(), 3u);
  EXPECT_EQ(add(records, lane, packet(header(2), 1500, 1500)).outcome, Outcome::kWhole);
}

TEST(RecordAssembly, what_contradicts_is_left_out) {
  RecordAssembly records(kTen);
  Lane lane;
  EXPECT_EQ(add(records, lane, packet(header(1), 0, 1000, 1)).outcome, Outcome::kTaken);
  EXPECT_EQ(add(records, lane, packet(header(1), 0, 1000, 2)).outcome, Outcome::kDuplicate);
  EXPECT_EQ(add(records, lane, packet(header(1), 999, 1000, 2)).outcome, Outcome::kDuplicate);
  wire::RecordHeader other = header(1);
  other.message.service = 9;
  EXPECT_EQ(add(records, lane, packet(other, 1000, 1000)).outcome, Outcome::kMismatch);
  EXPECT_EQ(add(records, lane, packet(header(1), 1000, 2000)).outcome, Outcome::kWhole);
  EXPECT_EQ(lane.gatherings.front()->bytes[999], 1) << "what came first stays";
}

// Verifies MUST-R7: the pieces of a record are bounded.
TEST(RecordAssembly, too_many_pieces_are_left_out) {
  RecordAssembly records(kTen);
  Lane lane;
  for (uint32_t i = 0; i < base::limits::kMaxRecordPieces; ++i) {
    EXPECT_EQ(add(records, lane, packet(header(1), 20 * i, 10)).outcome, Outcome::kTaken);
  }
  const uint32_t next = 20 * base::limits::kMaxRecordPieces;
  EXPECT_EQ(add(records, lane, packet(header(1), next, 10)).outcome, Outcome::kPieces);
  EXPECT_EQ(add(records, lane, packet(header(1), 10, 10)).outcome, Outcome::kTaken) << "fills one";
  EXPECT_EQ(add(records, lane, packet(header(1), next, 10)).outcome, Outcome::kTaken);
}

// Verifies MUST-R7: the budget is never exceeded, and the oldest makes room.
TEST(RecordAssembly, the_oldest_makes_room) {
  RecordAssembly records(kTen);
  ASSERT_EQ(records.capacity(), 10u);
  Lane a;
  Lane b;
  for (uint64_t id = 1; id <= 10; ++id) {
    EXPECT_FALSE(add(records, id % 2 == 0 ? a : b, packet(header(id), 0, 1000)).displaced);
  }
  EXPECT_TRUE(add(records, a, packet(header(11), 0, 1000)).displaced);
  EXPECT_EQ(records.in_use(), 10u);
  EXPECT_EQ(b.gatherings.count(), 4u) << "1 was the oldest, and of the other lane";
  EXPECT_FALSE(add(records, a, packet(header(2), 1000, 1000)).displaced) << "still there";
  records.release_all(a);
  EXPECT_EQ(records.in_use(), 4u);
}

// Verifies MUST-R7: one lane cannot take what is for others.
TEST(RecordAssembly, a_lane_has_a_share) {
  RecordAssembly records(100 * 16'448);
  Lane mine;
  Lane other;
  EXPECT_FALSE(add(records, other, packet(header(1), 0, 1000)).displaced);
  const uint32_t share = base::limits::kMaxUnverifiedRecordsPerLane;
  for (uint64_t id = 1; id <= share; ++id) {
    EXPECT_FALSE(add(records, mine, packet(header(id), 0, 1000)).displaced);
  }
  for (uint64_t id = share + 1; id <= 3 * share; ++id) {
    EXPECT_TRUE(add(records, mine, packet(header(id), 0, 1000)).displaced);
    EXPECT_EQ(mine.gatherings.count(), share);
  }
  EXPECT_EQ(mine.gatherings.back()->number, header(2 * share + 1).message.record_number);
  EXPECT_EQ(other.gatherings.count(), 1u);
}

TEST(RecordAssembly, without_a_budget_nothing_is_kept) {
  RecordAssembly records(0);
  Lane lane;
  EXPECT_TRUE(add(records, lane, packet(header(1), 0, 1000)).displaced);
  EXPECT_EQ(records.in_use(), 0u);
}

}  // namespace
}  // namespace sluice::transport
