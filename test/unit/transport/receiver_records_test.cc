// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

using wire::FrameType;

EndpointConfig record_config() {
  EndpointConfig config = bench_config();
  config.record_mode = true;
  config.unverified_bytes = 4 * 16'448;
  return config;
}

const DataSpec kRequest{.id = 1, .message_length = 3000};

// Verifies MUST-R5, MUST-T19: until the last packet nothing of the session changes, then all of it
// is there.
TEST(ReceiverRecords, a_record_is_delivered_when_it_is_whole) {
  Roles r(record_config());
  const PacketData bytes = pattern(3000);
  const auto packets = r.peer.record(kRequest, bytes);
  ASSERT_EQ(packets.size(), 4u);
  for (const size_t i : {3, 1, 0}) {
    r.give(packets[i]);
    EXPECT_FALSE(r.lane->heard);
    EXPECT_TRUE(r.empty());
  }
  r.give(packets[2]);
  EXPECT_TRUE(r.lane->heard);
  EXPECT_EQ(r.ctx.stats.rx_records.value(), 1u);
  EXPECT_EQ(r.ctx.records.in_use(), 0u);
  const auto events = r.polled();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].kind, EventKind::kRequest);
  EXPECT_EQ(PacketData(events[1].data, events[1].data + events[1].length), bytes);
  r.give(packets[0]);
  EXPECT_EQ(r.ctx.stats.drop_duplicate.value(), 1u) << "what is there is not gathered again";
  EXPECT_EQ(r.ctx.records.in_use(), 0u);
}

TEST(ReceiverRecords, records_and_packets_share_a_message) {
  Roles r(record_config());
  const PacketData bytes = pattern(30'000);
  const auto part = [&](size_t begin, size_t size) {
    const auto from = bytes.begin() + static_cast<ptrdiff_t>(begin);
    return PacketData(from, from + static_cast<ptrdiff_t>(size));
  };
  DataSpec spec{.id = 1, .message_length = 30'000};
  const auto first = r.peer.record(spec, part(0, 10'000), 0, 1396);
  spec.offset = 10'000;
  const auto second = r.peer.record(spec, part(10'000, 16'000), 1, 1396);
  spec.offset = 26'000;
  r.give(second);
  r.give(r.peer.data(spec, part(26'000, 1000)));
  spec.offset = 27'000;
  spec.attempt = 1;
  r.give(r.peer.data(spec, part(27'000, 1000)));
  // A part of the first record was asked for again before it was whole.
  r.give(std::vector<PacketData>(first.begin(), first.end() - 1));
  spec.offset = 9'500;
  r.give(r.peer.data(spec, part(9'500, 500)));
  r.give(first.back());
  spec.offset = 28'000;
  spec.attempt = 0;
  r.give(r.peer.record(spec, part(28'000, 2000), 20));
  EXPECT_EQ(r.ctx.stats.rx_records.value(), 3u);
  const auto events = r.polled();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(PacketData(events[1].data, events[1].data + events[1].length), bytes);
}

TEST(ReceiverRecords, a_response_may_come_in_records) {
  Roles r(record_config());
  const PacketData question = pattern(100);
  const PacketData answer = pattern(5000);
  r.call(question);
  r.sent();
  r.give(r.peer.record(DataSpec{.id = 1, .initiator = false}, answer));
  auto events = r.polled();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].kind, EventKind::kCallDone);
  EXPECT_EQ(events[1].code, base::Code::kOk);
  EXPECT_EQ(PacketData(events[1].data, events[1].data + events[1].length), answer);
  r.give(r.peer.record(DataSpec{.id = 9, .initiator = false}, answer));
  EXPECT_EQ(r.ctx.stats.drop_late.value(), 6u) << "to a call that there is not";
  EXPECT_EQ(r.ctx.records.in_use(), 0u);
}

TEST(ReceiverRecords, landing_is_as_in_packet_mode) {
  Roles r(record_config());
  *r.ctx.services.insert(1, {}) = {LandingMode::kStream, 16'384};
  const PacketData bytes = pattern(12'000);
  r.give(r.peer.record(DataSpec{.id = 1, .message_length = 20'000}, bytes, 0, 1396));
  auto events = r.polled();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[2].kind, EventKind::kStream);
  EXPECT_EQ(events[2].length, 12'000u);
  // Too large for any landing: refused, by a verified record alone.
  r.give(
      r.peer.record(DataSpec{.id = 2, .message_length = 1u << 30, .service = 2, .floor_delta = 1},
                    pattern(3000)));
  const auto gone = frames_of(r.sent(), FrameType::kGone);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].gone.id, 2u);
}

// Verifies MUST-R9, MUST-C8: dropped whole and counted as one; packet mode brings the bytes.
TEST(ReceiverRecords, a_wrong_tag_drops_the_record) {
  Roles r(record_config());
  const PacketData bytes = pattern(3000);
  auto packets = r.peer.record(kRequest, bytes);
  packets[1].back() ^= 1;
  r.give(packets);
  EXPECT_EQ(r.ctx.stats.drop_tag.value(), 1u);
  EXPECT_FALSE(r.lane->heard);
  EXPECT_TRUE(r.empty());
  EXPECT_EQ(r.ctx.records.in_use(), 0u);
  DataSpec spec{.id = 1, .message_length = 3000, .attempt = 1};
  for (spec.offset = 0; spec.offset < 3000; spec.offset += 1000) {
    const auto from = bytes.begin() + spec.offset;
    r.give(r.peer.data(spec, PacketData(from, from + 1000)));
  }
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
}

// Verifies MUST-R5: the header in clear is not in the AAD, and yet no change of it passes. Each bit
// of it is changed in every packet, so that they agree with each other.
TEST(ReceiverRecords, a_changed_header_never_passes) {
  for (size_t bit = 0; bit < 8 * wire::kRecordHeaderSize; ++bit) {
    Roles r(record_config());
    auto packets = r.peer.record(kRequest, pattern(3000));
    for (PacketData& packet : packets) packet[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    r.give(packets);
    EXPECT_EQ(r.ctx.stats.rx_records.value(), 0u) << bit;
    EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 0u) << bit;
    EXPECT_FALSE(r.lane->heard) << bit;
    EXPECT_TRUE(r.empty()) << bit;
  }
}

// Verifies MUST-R5
TEST(ReceiverRecords, the_framing_has_to_be_that_of_tls) {
  for (const auto spoil :
       {+[](PacketData* bytes) { (*bytes)[0] = 22; }, +[](PacketData* bytes) { (*bytes)[2] = 1; },
        +[](PacketData* bytes) { (*bytes)[4] ^= 1; },
        +[](PacketData* bytes) { (*bytes)[bytes->size() - 17] = 22; },
        +[](PacketData* bytes) { (*bytes)[wire::kTlsHeaderSize + 44] ^= 1; }}) {
    Roles r(record_config());
    r.give(r.peer.record(kRequest, pattern(3000), 0, 1000, spoil));
    EXPECT_EQ(r.ctx.stats.drop_record_header.value(), 1u) << "the tag is right";
    EXPECT_TRUE(r.empty());
  }
}

TEST(ReceiverRecords, packets_that_contradict_each_other_are_left_out) {
  Roles r(record_config());
  const auto packets = r.peer.record(kRequest, pattern(3000));
  PacketData forged = packets[1];
  forged[wire::offsets::kService] ^= 1;
  r.give({packets[0], forged, packets[0]});
  EXPECT_EQ(r.ctx.stats.drop_record_header.value(), 1u);
  EXPECT_EQ(r.ctx.stats.drop_record_piece.value(), 1u);
  r.give({packets[1], packets[2], packets[3]});
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
}

// Verifies MUST-R7: strangers who fill the budget with beginnings cost time and no memory, and
// nothing that packet mode would not bring.
TEST(ReceiverRecords, the_budget_of_the_unverified_is_kept) {
  Roles r(record_config());
  for (uint64_t id = 1; id <= 50; ++id) {
    r.give(r.peer.record(DataSpec{.id = id, .message_length = 3000}, pattern(3000))[0]);
    EXPECT_LE(r.ctx.records.in_use(), 4u);
  }
  EXPECT_EQ(r.ctx.stats.limit_unverified.value(), 46u);
  EXPECT_TRUE(r.empty());
  r.give(r.peer.data(DataSpec{.id = 1, .attempt = 1}, pattern(1000)));
  r.give(r.peer.record(DataSpec{.id = 51}, pattern(3000)));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 2u);
}

// Verifies MUST-R8
TEST(ReceiverRecords, who_did_not_ask_for_them_ignores_records) {
  Roles r;
  r.give(r.peer.record(kRequest, pattern(3000)));
  EXPECT_EQ(r.ctx.stats.drop_type.value(), 4u);
  EXPECT_EQ(r.ctx.records.capacity(), 0u);
}

TEST(ReceiverRecords, malformed_ones_are_not_gathered) {
  Roles r(record_config());
  auto packets = r.peer.record(kRequest, pattern(3000));
  packets[0].resize(wire::kRecordHeaderSize);
  base::store_be16(packets[1].data() + wire::offsets::kRecordLength, 78);
  r.give({packets[0], packets[1]});
  EXPECT_EQ(r.ctx.stats.drop_short.value(), 2u);
  r.give(r.peer.record(DataSpec{.id = 1, .offset = 1u << 20, .message_length = 2u << 20},
                       pattern(3000)));
  EXPECT_EQ(r.ctx.stats.drop_ungranted.value(), 1u) << "not unasked";
  EXPECT_TRUE(r.empty());
  EXPECT_EQ(r.ctx.records.in_use(), 0u);
}

TEST(ReceiverRecords, a_lane_takes_its_unfinished_records_along) {
  Roles r(record_config());
  const auto packets = r.peer.record(kRequest, pattern(3000));
  r.give({packets[0], packets[1]});
  EXPECT_EQ(r.ctx.records.in_use(), 1u);
  // CLOSE and the last packets come in one burst.
  r.give({r.peer.bundle(wire::CloseFrame{9}), packets[2], packets[3]});
  EXPECT_EQ(r.ctx.records.in_use(), 0u);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 0u);
}

TEST(ReceiverRecords, marks_and_epochs_count_as_in_packet_mode) {
  Roles r(record_config());
  auto packets = r.peer.record(kRequest, pattern(3000));
  r.give({packets[0], packets[1], packets[2]}, true);
  EXPECT_FALSE(r.lane->saw_congestion) << "nothing is verified";
  r.give(packets[3]);
  EXPECT_TRUE(r.lane->saw_congestion) << "one of them was marked";
  r.peer.set_send_epoch(1);
  r.give(r.peer.record(DataSpec{.id = 2, .message_length = 3000}, pattern(3000)));
  EXPECT_EQ(r.lane->receive.epoch_low(), 1);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 2u);
}

}  // namespace
}  // namespace sluice::transport
