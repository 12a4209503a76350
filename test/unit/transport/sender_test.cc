// SPDX-License-Identifier: Apache-2.0
#include "transport/sender.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

using wire::FrameType;

uint32_t data_bytes(const std::vector<Opened>& packets) {
  uint32_t total = 0;
  for (const Opened& packet : packets) {
    if (packet.is_data()) total += static_cast<uint32_t>(packet.payload.size());
  }
  return total;
}

TEST(Sender, a_lone_small_message_is_a_packet_of_its_own) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  const auto sent = r.sent();
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_TRUE(sent[0].is_data());
  EXPECT_EQ(sent[0].payload, bytes);
  EXPECT_EQ(sent[0].data.session, Roles::kRemote.value());
  EXPECT_EQ(sent[0].data.lane, Roles::kLane);
  EXPECT_EQ(sent[0].data.message_length, 100u);
  EXPECT_EQ(sent[0].data.response_credit, r.ctx.config.unscheduled_bytes);
  EXPECT_EQ(r.last_slot.priority, Cutoffs{}.priority(100));
}

TEST(Sender, messages_and_frames_that_wait_together_share_a_packet) {
  Roles r;
  const PacketData first = pattern(100), second = pattern(50, 9);
  r.call(first);
  r.call(second);
  r.sender.queue(*r.lane, wire::PingFrame{1});
  const auto sent = r.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].frames.size(), 3u);
  EXPECT_EQ(sent[0].frames[0].type, FrameType::kPing) << "control first";
  PacketData both = first;
  both.insert(both.end(), second.begin(), second.end());
  EXPECT_EQ(sent[0].payload, both);
  EXPECT_EQ(r.ctx.stats.tx_bundles.value(), 1u);
}

std::vector<size_t> messages_of(const std::vector<Opened>& packets) {
  std::vector<size_t> out;
  for (const Opened& packet : packets) {
    out.push_back(static_cast<size_t>(
        std::count_if(packet.frames.begin(), packet.frames.end(),
                      [](const auto& frame) { return frame.type == FrameType::kMsg; })));
  }
  return out;
}

// So that the peer has one to work on while the next is made; see Sender::most_bundled().
TEST(Sender, a_bundle_has_a_quarter_of_what_is_under_way) {
  EndpointConfig config = bench_config();
  config.max_exchanges = 512;
  const PacketData bytes = pattern(16);
  const auto sent_of = [&](int calls) {
    Roles r(config);
    for (int i = 0; i < calls; ++i) r.call(bytes);
    return messages_of(r.sent());
  };
  EXPECT_EQ(sent_of(16), (std::vector<size_t>{16}));
  EXPECT_EQ(sent_of(60), (std::vector<size_t>{16, 16, 16, 12}));
  EXPECT_EQ(sent_of(100), (std::vector<size_t>{25, 25, 25, 25}));
  EXPECT_EQ(sent_of(300).front(), 30u) << "as many as a packet holds";
}

TEST(Sender, without_bundling_each_message_travels_alone) {
  EndpointConfig config = bench_config();
  config.bundling = false;
  Roles r(config);
  const PacketData bytes = pattern(100);
  for (int i = 0; i < 3; ++i) r.call(bytes);
  EXPECT_EQ(r.sent().size(), 3u);
}

// Verifies MUST-T4: not a byte at or above the granted offset, and a grant never lowers it.
TEST(Sender, sends_no_byte_that_was_not_granted) {
  Roles r;
  const PacketData bytes = pattern(300000);
  Exchange& call = r.call(bytes);
  const uint32_t unscheduled = r.lane->peer_unscheduled;
  uint32_t total = data_bytes(r.sent());
  EXPECT_LE(total, unscheduled);
  EXPECT_GT(total + r.lane->record_bytes(), unscheduled);
  for (const uint32_t offset : {100000u, 50000u, 100000u, 150000u}) {
    r.sender.grant(call, offset, 3);
    for (const Opened& packet : r.sent()) {
      EXPECT_LE(packet.data.offset + packet.payload.size(), call.out.granted);
      total += static_cast<uint32_t>(packet.payload.size());
    }
    EXPECT_GE(call.out.granted, std::max(100000u, offset));
  }
  EXPECT_LE(total, 150000u);
  EXPECT_EQ(r.last_slot.priority, 3);
  r.sender.grant(call, UINT32_MAX, 1);
  total += data_bytes(r.sent());
  EXPECT_EQ(total, 300000u);
}

TEST(Sender, a_tail_below_a_packet_waits_unless_it_is_asked_for) {
  Roles r;
  const PacketData bytes = pattern(300000);
  Exchange& call = r.call(bytes);
  r.sender.grant(call, 100'001, 0);
  r.sent();
  const uint32_t before = call.out.sent;
  ASSERT_LT(before, call.out.granted);
  r.now += base::seconds(1);
  r.sender.resend(call, before, UINT32_MAX, r.now);
  EXPECT_EQ(data_bytes(r.sent()), call.out.granted - before);
}

TEST(Sender, shorter_messages_go_first) {
  Roles r;
  const PacketData large = pattern(50000), small = pattern(3000);
  r.call(large);
  r.call(small);
  const auto sent = r.sent();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(sent[i].data.message_length, 3000u) << i;
}

// Verifies MUST-C2 and MUST-C3: sealed again under a number of a later attempt, from the message
// as it is then.
TEST(Sender, bytes_sent_again_are_sealed_again) {
  Roles r;
  PacketData bytes = pattern(5000);
  Exchange& call = r.call(bytes);
  const auto first = r.sent();
  std::set<uint64_t> numbers;
  for (const Opened& packet : first) numbers.insert(packet.data.record_number);
  bytes[10] ^= 0xFF;
  r.now += base::seconds(1);
  r.sender.resend(call, 0, 3000, r.now);
  const auto again = r.sent();
  ASSERT_EQ(data_bytes(again), 3000u);
  EXPECT_EQ(again[0].payload[10], bytes[10]);
  for (const Opened& packet : again) {
    EXPECT_TRUE(numbers.insert(packet.data.record_number).second);
    EXPECT_EQ(wire::split_message_number({}, packet.data.record_number).attempt, 1u);
    EXPECT_NE(packet.data.bits & wire::kBitRetransmission, 0);
  }
}

// Verifies MUST-C3: out of attempts, a message goes on in the next epoch.
TEST(Sender, a_message_out_of_attempts_waits_for_the_next_epoch) {
  Roles r;
  const PacketData bytes = pattern(2000);
  Exchange& call = r.call(bytes);
  r.sent();
  for (int i = 0; i < 255; ++i) {
    r.now += base::millis(1);
    r.sender.resend(call, 0, 1000, r.now);
    ASSERT_EQ(data_bytes(r.sent()), 1000u) << i;
  }
  r.now += base::millis(1);
  r.sender.resend(call, 0, 1000, r.now);
  EXPECT_TRUE(r.sent().empty());
  r.give(r.peer.bundle(wire::PingFrame{1}));  // It reports epoch 0 as received.
  const PacketData pong = r.raw(1).at(0);
  EXPECT_TRUE(r.peer.open(pong).has_value());
  r.peer.set_receive_epoch(1);
  EXPECT_EQ(data_bytes(r.sent()), 1000u);
  EXPECT_EQ(r.lane->send.epoch().value(), 1u);
}

// Verifies MUST-C4: not before the peer has reported the current epoch.
TEST(Sender, an_update_waits_for_the_peers_report) {
  Roles r;
  r.lane->send.request_update();
  for (int i = 0; i < 3; ++i) {
    r.sender.queue(*r.lane, wire::PingFrame{1});
    r.sent();
    EXPECT_EQ(r.lane->send.epoch().value(), 0u);
  }
  PacketData forged = r.peer.bundle(wire::PingFrame{1});
  forged.back() ^= 1;
  r.give(forged);
  r.sender.queue(*r.lane, wire::PingFrame{1});
  r.sent();
  EXPECT_EQ(r.lane->send.epoch().value(), 0u) << "an unverified report";
  r.give(r.peer.bundle(wire::PingFrame{1}));
  r.sent();
  EXPECT_EQ(r.lane->send.epoch().value(), 1u);
}

// Verifies MUST-T7: never above what was sent or granted, nor beyond the budget; counted.
TEST(Sender, resends_stay_within_what_was_sent_and_within_the_budget) {
  Roles r;
  const PacketData bytes = pattern(300000);
  Exchange& call = r.call(bytes);
  r.sent();
  r.now += base::seconds(1);
  r.sender.resend(call, 0, UINT32_MAX, r.now);
  for (const Opened& packet : r.sent()) {
    EXPECT_LE(packet.data.offset + packet.payload.size(), call.out.granted);
  }
  r.lane->resend_tokens = 2000;
  r.lane->resend_refill = r.now;
  r.sender.resend(call, 0, 50000, r.now);
  EXPECT_EQ(data_bytes(r.sent()), 2000u);
  EXPECT_EQ(r.ctx.stats.limit_resend_budget.value(), 1u);
  r.now += base::micros(5);
  r.sender.resend(call, 0, 50000, r.now);
  EXPECT_EQ(data_bytes(r.sent()), 5000u) << "the budget comes back with time";
}

// Verifies MUST-T7: small messages draw on the same budget.
TEST(Sender, small_messages_asked_for_again_cost_the_budget_too) {
  Roles r;
  const PacketData ask = pattern(10), answer = pattern(500);
  r.give(r.peer.request(1, ask));
  respond(r, *r.served(1), answer);
  r.sent();
  r.lane->resend_tokens = 1200;
  r.lane->resend_refill = r.now;
  int repeats = 0;
  for (int i = 0; i < 10; ++i) {
    r.give(r.peer.request(1, ask, wire::kMsgRetransmission));
    repeats += static_cast<int>(frames_of(r.sent(), FrameType::kMsg).size());
  }
  EXPECT_EQ(repeats, 2);
  EXPECT_EQ(r.ctx.stats.limit_resend_budget.value(), 8u);
}

TEST(Sender, a_message_begun_again_asks_for_no_grant_it_had) {
  Roles r;
  const PacketData bytes = pattern(300000);
  Exchange& call = r.call(bytes);
  r.sender.grant(call, 200000, 0);
  r.sent();
  r.sender.restart(call, r.now);
  EXPECT_EQ(call.out.granted, r.lane->whole_records(r.lane->peer_unscheduled));
  EXPECT_LE(data_bytes(r.sent()), r.lane->peer_unscheduled);
}

TEST(Sender, tiny_unscheduled_limits_still_let_the_first_packet_go) {
  EndpointConfig config = bench_config();
  config.unscheduled_bytes = 100;
  Roles r(config);
  const PacketData bytes = pattern(5000);
  Exchange& call = r.call(bytes);
  EXPECT_EQ(data_bytes(r.sent()), r.lane->record_bytes());
  r.sender.restart(call, r.now);
  EXPECT_EQ(data_bytes(r.sent()), r.lane->record_bytes());
}

// Verifies MUST-T21: probes alone exceed the size that was shown to pass.
TEST(Sender, only_a_probe_is_larger_than_the_path_was_shown_to_carry) {
  Roles r;
  const PacketData large = pattern(50000), small = pattern(500);
  r.call(large);
  for (int i = 0; i < 10; ++i) r.call(small);
  for (const Opened& packet : r.sent()) EXPECT_LE(packet.size, 1200u);
  r.lane->probe_bytes = 1452;
  r.ctx.wake(*r.lane);
  const auto sent = r.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].size, 1452u);
  ASSERT_EQ(sent[0].frames.size(), 1u);
  EXPECT_EQ(sent[0].frames[0].type, FrameType::kProbe);
  EXPECT_EQ(sent[0].frames[0].probe.size, 1452);
}

// Verifies MUST-T21: nor than the receiver's MAX_PACKET.
TEST(Sender, the_search_ends_at_what_the_peer_can_receive) {
  EndpointConfig config = bench_config();
  config.max_packet = 8900;
  Roles r(config);
  InstallLane command = r.lane_command();
  command.lane = 4;
  command.peer_max_packet = 1300;
  LaneRef ref;
  ASSERT_EQ(r.lifecycle.open_lane(command, r.now, &ref), base::Code::kOk);
  EXPECT_EQ(r.ctx.find_lane(ref)->mtu.poll_probe(r.now, base::millis(1)), 1300u);
}

TEST(Sender, says_which_message_had_to_wait_for_others) {
  EndpointConfig config;
  config.unscheduled_bytes = 1408;
  config.outranked_bytes = 5 * 1408;
  config.turn_share = 0;
  Roles r(config);
  const PacketData shorter = pattern(50'000);
  const PacketData longer = pattern(90'000);
  Exchange& first = r.call(shorter);
  Exchange& second = r.call(longer);
  r.sent();
  r.sender.grant(second, 20 * 1408, 1);
  for (const auto& packet : r.sent()) {
    EXPECT_EQ(packet.data.bits & wire::kBitOutranked, 0) << "alone it waits for nobody";
  }
  r.sender.grant(second, 40 * 1408, 1);
  r.sender.grant(first, 10 * 1408, 2);
  bool waited = false;
  for (const auto& packet : r.sent()) {
    const bool marked = (packet.data.bits & wire::kBitOutranked) != 0;
    if (packet.data.message_length == shorter.size()) {
      EXPECT_EQ(marked, packet.data.offset < 5 * 1408) << "with so much of it still to send";
    }
    waited |= marked;
  }
  EXPECT_TRUE(waited);
}

// Verifies MUST-T24: in the next packet, once.
TEST(Sender, a_question_goes_the_way_of_the_bytes_it_asks_about) {
  Roles r;
  const PacketData bytes = pattern(5000), other = pattern(300000, 9);
  Exchange& one_way = r.call(bytes, true);
  r.sent();
  const TxPacket data = r.last_slot;
  r.sender.ask_behind(one_way);
  const auto asked = frames_of(r.sent(), FrameType::kNeedAck);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].need_ack.id, one_way.id);
  EXPECT_EQ(r.last_slot.priority, data.priority);
  EXPECT_EQ(r.last_slot.entropy, data.entropy);
  EXPECT_LT(r.last_slot.length, 100u) << "none of the message is sent again";
  EXPECT_TRUE(r.sent().empty()) << "once";

  Exchange& call = r.call(other);
  r.sent();
  r.sender.grant(call, 100000, 2);
  r.sent();
  r.sender.ask_behind(call);
  const auto resends = frames_of(r.sent(), FrameType::kResend);
  ASSERT_EQ(resends.size(), 1u);
  EXPECT_EQ(resends[0].resend.length, UINT32_MAX);
  EXPECT_EQ(r.last_slot.priority, 2u);

  // Ahead of bytes that went at a lower priority it would find them missing.
  r.sender.grant(call, 150000, 1);
  r.sent();
  r.sender.grant(call, 200000, 5);
  r.sent();
  EXPECT_EQ(r.last_slot.priority, 5u);
  r.sender.ask_behind(call);
  EXPECT_EQ(frames_of(r.sent(), FrameType::kResend).size(), 1u);
  EXPECT_EQ(r.last_slot.priority, 1u);
}

EndpointConfig many_paths() {
  EndpointConfig config = bench_config();
  config.recovery = RecoveryKind::kRack;
  return config;
}

// Verifies MUST-T25
TEST(Sender, where_there_are_several_paths_packets_take_them_in_equal_parts) {
  Roles r(many_paths());
  const PacketData bytes = pattern(300000);
  Exchange& call = r.call(bytes);
  r.sender.grant(call, 300000, 2);
  std::set<uint8_t> round;
  std::map<uint8_t, std::set<uint16_t>> entropies;
  uint32_t packets = 0;
  for (auto sealed = r.raw(1); !sealed.empty(); sealed = r.raw(1), ++packets) {
    const uint8_t path = r.peer.open(sealed.front())->data.path;
    EXPECT_TRUE(round.insert(path).second) << "packet " << packets;
    if (round.size() == wire::kPaths) round.clear();
    entropies[path].insert(r.last_slot.entropy);
  }
  EXPECT_GT(packets, 200u);
  EXPECT_EQ(entropies.size(), wire::kPaths);
  for (const auto& [path, used] : entropies) EXPECT_EQ(used.size(), 1u) << int{path};
}

// Verifies MUST-T25
TEST(Sender, else_a_message_keeps_to_one_path_and_names_none) {
  Roles r;
  const PacketData bytes = pattern(300000);
  Exchange& call = r.call(bytes);
  r.sender.grant(call, 300000, 2);
  std::set<uint16_t> entropies;
  for (auto sealed = r.raw(1); !sealed.empty(); sealed = r.raw(1)) {
    EXPECT_EQ(r.peer.open(sealed.front())->data.path, 0u);
    entropies.insert(r.last_slot.entropy);
  }
  EXPECT_EQ(entropies.size(), 1u);
  r.give(r.peer.bundle(wire::AvoidFrame{0xffff}));
  EXPECT_EQ(r.ctx.stats.paths_left.value(), 0u);
}

// Verifies MUST-T25
TEST(Sender, a_path_that_is_to_be_avoided_gets_another_entropy) {
  Roles r(many_paths());
  const auto entropies = [&] {
    std::vector<uint16_t> out;
    for (uint8_t i = 0; i < wire::kPaths; ++i) out.push_back(r.lane->busy->paths.entropy(i));
    return out;
  };
  auto before = entropies();
  r.give(r.peer.bundle(wire::AvoidFrame{0x0201}));
  EXPECT_EQ(r.ctx.stats.paths_left.value(), 2u);
  auto after = entropies();
  for (size_t i = 0; i < wire::kPaths; ++i) EXPECT_EQ(before[i] != after[i], i == 0 || i == 9) << i;

  // What did not arrive took a path that is bad, as far as this side knows.
  const PacketData bytes = pattern(300000);
  Exchange& call = r.call(bytes);
  std::vector<uint8_t> taken;
  for (const Opened& packet : r.sent()) taken.push_back(packet.data.path);
  ASSERT_GT(taken.size(), 10u);
  const size_t lost = taken.size() - 3;
  const uint32_t record = r.lane->record_bytes();
  r.sender.resend(call, static_cast<uint32_t>(lost) * record,
                  static_cast<uint32_t>(lost + 1) * record, r.now);
  EXPECT_EQ(r.ctx.stats.paths_left.value(), 3u);
  before = std::exchange(after, entropies());
  for (size_t i = 0; i < wire::kPaths; ++i) EXPECT_EQ(before[i] != after[i], i == taken[lost]) << i;
}

TEST(Sender, congestion_is_echoed_in_the_next_packet) {
  Roles r;
  PacketData forged = r.peer.bundle(wire::PingFrame{1});
  forged.back() ^= 1;
  r.give({forged}, true);
  r.sender.queue(*r.lane, wire::PingFrame{1});
  EXPECT_EQ(r.sent().at(0).bundle.bits & wire::kBitEcnEcho, 0) << "it did not verify";
  r.give({r.peer.bundle(wire::BusyFrame{0, 1})}, true);
  const PacketData bytes = pattern(100);
  r.call(bytes);
  EXPECT_NE(r.sent().at(0).data.bits & wire::kBitEcnEcho, 0);
  r.call(bytes);
  EXPECT_EQ(r.sent().at(0).data.bits & wire::kBitEcnEcho, 0);
}

TEST(Sender, the_floor_travels_with_every_message_of_the_caller) {
  Roles r;
  const PacketData bytes = pattern(100);
  Exchange& first = r.call(bytes);
  r.call(bytes);
  r.lifecycle.complete(first, base::Code::kCancelled);
  const auto sent = r.sent();
  ASSERT_EQ(sent.size(), 1u) << "the cancelled one is not sent";
  EXPECT_EQ(sent[0].data.floor_delta, 0u);
  r.call(bytes);
  EXPECT_EQ(r.sent().at(0).data.floor_delta, 1u);
}

// Verifies MUST-W12 for the longest message: no index is ever cut to fit.
TEST(Sender, the_last_record_of_a_gibibyte_fits_its_index) {
  Roles r;
  const wire::RecordNumberSplit split;
  const uint32_t last = base::limits::kMaxMessageBytes - 1;
  EXPECT_LE(last / r.lane->record_bytes(), split.max_index());
  crypto::AttemptCursor cursor;
  EXPECT_TRUE(r.lane->send.message_number(true, 1, last / r.lane->record_bytes(), &cursor));
  EXPECT_FALSE(r.lane->send.message_number(true, 1, split.max_index() + 1, &cursor));
}

}  // namespace
}  // namespace sluice::transport
