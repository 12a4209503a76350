// SPDX-License-Identifier: Apache-2.0
//
// Record mode as its sender lays it out, and from end to end.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "crypto/null/null_backend.h"
#include "test/unit/transport/pair.h"
#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

EndpointConfig record_config(uint32_t packet = 1452) {
  EndpointConfig config = bench_config();
  config.record_mode = true;
  config.base_packet = config.max_packet = packet;
  return config;
}

bool is_record(const PacketData& packet) {
  return packet[wire::offsets::kType] == static_cast<uint8_t>(wire::PacketType::kRecord);
}
uint64_t number_of(const PacketData& packet) {
  return base::load_be64(packet.data() + wire::offsets::kRecordNumber);
}
// With its epoch: what no two records have in common.
std::pair<uint8_t, uint64_t> name_of(const PacketData& packet) {
  return {packet[wire::offsets::kEpoch], number_of(packet)};
}

// The packets of each record, in their order; and the other ones.
struct Sent {
  std::vector<std::vector<PacketData>> records;
  std::vector<PacketData> others;
};
Sent sort_out(std::vector<PacketData> packets) {
  Sent out;
  for (PacketData& packet : packets) {
    if (!is_record(packet)) {
      out.others.push_back(std::move(packet));
    } else if (!out.records.empty() && name_of(out.records.back()[0]) == name_of(packet)) {
      out.records.back().push_back(std::move(packet));
    } else {
      out.records.push_back({std::move(packet)});
    }
  }
  return out;
}

// Verifies MUST-R2, MUST-R6: with packets of any size, IPv6's full segments among them, and
// nothing that the receiver would have to know of it.
TEST(RecordMode, long_messages_travel_in_records) {
  for (const uint32_t packet : {1200u, 1432u, 1452u, 4000u, 8952u}) {
    Roles r(record_config(packet));
    const PacketData bytes = pattern(60'000);
    r.call(bytes);
    const Sent sent = sort_out(r.raw());
    ASSERT_GE(sent.records.size(), 3u) << packet;
    PacketData arrived;
    uint32_t sequence = 0;
    for (size_t i = 0; i < sent.records.size(); ++i) {
      const auto& record = sent.records[i];
      const auto header = wire::RecordHeader::read(record[0].data(), {});
      EXPECT_EQ(header.index, i) << "numbers follow each other, as a NIC counts";
      EXPECT_EQ(header.message.offset, arrived.size());
      EXPECT_EQ(base::load_be32(record[0].data()), sequence) << "and so does the sequence";
      sequence += header.length;
      const auto content = r.peer.open_record(record);
      ASSERT_TRUE(content);
      arrived.insert(arrived.end(), content->begin(), content->end());
      for (size_t k = 0; k + 1 < record.size(); ++k) EXPECT_EQ(record[k].size(), packet);
    }
    ASSERT_GE(bytes.size(), arrived.size());
    EXPECT_LE(bytes.size() - arrived.size(), packet) << "a rest of a packet may go as one";
    EXPECT_TRUE(std::equal(arrived.begin(), arrived.end(), bytes.begin()));
  }
}

// Verifies MUST-R6
TEST(RecordMode, what_fits_into_a_packet_travels_in_packet_mode) {
  Roles r(record_config());
  const PacketData small = pattern(100);
  const PacketData large = pattern(r.lane->record_bytes());
  r.call(small);
  r.call(large);
  EXPECT_TRUE(sort_out(r.raw()).records.empty());
  const PacketData larger = pattern(r.lane->record_bytes() + 1);
  r.call(larger);
  EXPECT_EQ(sort_out(r.raw()).records.size(), 1u);
}

// Verifies MUST-R6, MUST-C3: bytes that were sent before are never sealed into a record again.
TEST(RecordMode, resends_go_in_packet_mode) {
  Roles r(record_config());
  const PacketData bytes = pattern(20'000);
  Exchange& exchange = r.call(bytes);
  const Sent first = sort_out(r.raw());
  ASSERT_EQ(first.records.size(), 2u);
  r.pass(base::millis(1));
  r.raw();
  r.sender.resend(exchange, 0, 15'000, r.now);
  Sent again = sort_out(r.raw());
  EXPECT_TRUE(again.records.empty());
  PacketData arrived;
  for (const PacketData& packet : again.others) {
    const auto opened = r.peer.open(packet);
    ASSERT_TRUE(opened);
    if (!opened->is_data()) continue;
    EXPECT_GT(wire::split_message_number({}, number_of(packet)).attempt, 0u);
    arrived.insert(arrived.end(), opened->payload.begin(), opened->payload.end());
  }
  EXPECT_EQ(arrived, PacketData(bytes.begin(), bytes.begin() + 15'000));
  // The same where the peer says that it knows nothing of it.
  r.sender.restart(exchange, r.now);
  again = sort_out(r.raw());
  EXPECT_TRUE(again.records.empty());
  EXPECT_FALSE(again.others.empty());
}

TEST(RecordMode, no_byte_goes_beyond_a_grant_and_none_waits_for_the_next) {
  EndpointConfig config = record_config();
  config.unscheduled_bytes = 10'000;
  Roles r(config);
  const PacketData bytes = pattern(200'000);
  Exchange& exchange = r.call(bytes);
  r.raw();
  uint32_t granted = exchange.out.granted;
  EXPECT_EQ(exchange.out.sent, granted);
  for (const uint32_t step : {5'000u, 16'400u, 17'000u, 15'300u, 40'000u}) {
    granted += step;
    r.sender.grant(exchange, granted, 3);
    for (const PacketData& packet : r.raw()) {
      if (!is_record(packet)) continue;
      const auto header = wire::RecordHeader::read(packet.data(), {});
      EXPECT_LE(header.message.offset + header.content(), granted);
      EXPECT_EQ(r.last_slot.priority, 3);
    }
    EXPECT_LT(granted - exchange.out.sent, r.lane->record_bytes());
  }
}

TEST(RecordMode, a_record_outlives_the_burst_and_dies_with_the_lane) {
  Roles r(record_config());
  const PacketData bytes = pattern(15'000);
  r.call(bytes);
  std::vector<PacketData> packets = r.raw(3);
  EXPECT_FALSE(r.sender.idle());
  const std::vector<PacketData> rest = r.raw();
  packets.insert(packets.end(), rest.begin(), rest.end());
  const Sent sent = sort_out(packets);
  ASSERT_EQ(sent.records.size(), 1u);
  const auto content = r.peer.open_record(sent.records[0]);
  ASSERT_TRUE(content);
  EXPECT_EQ(*content, bytes);
  EXPECT_TRUE(r.sender.idle());
  r.call(bytes);
  r.raw(3);
  r.lifecycle.close_lane(*r.lane, base::Code::kClosed);
  EXPECT_TRUE(r.raw().empty());
  EXPECT_TRUE(r.sender.idle());
}

// Verifies MUST-R8: both have to want it, and there has to be a cipher.
TEST(RecordMode, is_off_unless_both_sides_want_it) {
  const PacketData bytes = pattern(20'000);
  Roles without;
  without.call(bytes);
  EXPECT_TRUE(sort_out(without.raw()).records.empty());
  EndpointConfig config;
  config.record_mode = true;
  Pair plaintext(config, config);
  plaintext.use_backend(std::make_unique<crypto::NullBackend>());
  plaintext.connect(7, 0, crypto::AeadAlgorithm::kNone);
  ASSERT_TRUE(plaintext.call(1, 20'000).ok());
  ASSERT_TRUE(plaintext.run([&] { return plaintext.completed() == 1; }));
  EXPECT_EQ(plaintext.client().stats().tx_records.value(), 0u);
}

// Verifies MUST-C2: attempts, epochs and both modes in one message, and no number comes twice.
TEST(RecordMode, a_new_epoch_counts_its_records_anew) {
  Roles r(record_config());
  const PacketData bytes = pattern(60'000);
  r.call(bytes);
  std::vector<PacketData> packets = r.raw(11);
  r.give(r.peer.bundle(wire::PingFrame{1}));
  r.lane->send.on_peer_epoch(0);
  r.lane->send.request_update();
  for (PacketData& packet : r.raw()) packets.push_back(std::move(packet));
  EXPECT_EQ(r.lane->send.epoch_low(), 1);
  std::map<std::pair<uint8_t, uint64_t>, size_t> seen;
  for (const auto& record : sort_out(packets).records) {
    EXPECT_EQ(seen.count(name_of(record[0])), 0u);
    seen[name_of(record[0])] = record.size();
  }
  EXPECT_EQ(seen.count({1, *wire::message_number({}, true, 1, 0, 0)}), 1u);
}

EndpointConfig pair_config() {
  EndpointConfig config;
  config.record_mode = true;
  return config;
}

// Every size around what packets and records hold, both ways.
TEST(RecordMode, messages_of_any_size_arrive) {
  Pair pair(pair_config(), pair_config());
  pair.connect();
  uint64_t sent = 0;
  for (const uint32_t size : {1u, 511u, 1135u, 1136u, 1137u, 1389u, 2776u, 15'278u, 15'279u,
                              16'328u, 16'329u, 30'556u, 65'536u, 100'001u, 1'000'000u}) {
    ASSERT_TRUE(pair.call(++sent, size).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == sent; }, base::seconds(1))) << size;
    EXPECT_TRUE(pair.outcomes()[sent].intact) << size;
  }
  EXPECT_GT(pair.server().stats().rx_records.value(), 60u);
  EXPECT_GT(pair.client().stats().rx_records.value(), 60u);
  EXPECT_EQ(pair.server().stats().limit_unverified.value(), 0u);
  EXPECT_EQ(pair.client().stats().tx_retransmitted.value(), 0u);
}

// Loss, repetition, reordering and damage: what packet mode survives, records do.
TEST(RecordMode, faults_are_survived) {
  for (const RecoveryKind recovery : {RecoveryKind::kGap, RecoveryKind::kRack}) {
    EndpointConfig config = pair_config();
    config.recovery = recovery;
    Pair pair(config, config);
    LinkFaults faults;
    faults.loss_ppm = faults.duplicate_ppm = faults.reorder_ppm = faults.corrupt_ppm = 10'000;
    pair.set_faults(faults);
    pair.connect();
    for (uint32_t i = 1; i <= 60; ++i) ASSERT_TRUE(pair.call(i, i * 3001).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 60; }, base::seconds(5)));
    for (const auto& [tag, outcome] : pair.outcomes()) EXPECT_TRUE(outcome.intact) << tag;
    EXPECT_GT(pair.server().stats().rx_records.value(), 100u);
    EXPECT_GT(pair.server().stats().drop_tag.value(), 0u) << "nothing was shown";
  }
}

}  // namespace
}  // namespace sluice::transport
