// SPDX-License-Identifier: Apache-2.0
#include "transport/receiver.h"

#include <gtest/gtest.h>

#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

using wire::FrameType;

// Verifies MUST-T19: each check in its order, each with its counter.
TEST(Receiver, drops_are_counted_by_the_first_check_that_fails) {
  Roles r;
  const PacketData good = r.peer.request(1, pattern(10));
  const auto changed = [&](size_t at, uint8_t value) {
    PacketData bad = good;
    bad[at] = value;
    r.give(bad);
  };
  r.give(PacketData(23));
  EXPECT_EQ(r.ctx.stats.drop_short.value(), 1u);
  changed(wire::offsets::kDoffVersion, 0x92);
  EXPECT_EQ(r.ctx.stats.drop_version.value(), 1u);
  changed(wire::offsets::kType, 9);
  EXPECT_EQ(r.ctx.stats.drop_type.value(), 1u);
  changed(wire::offsets::kSession, 0xEE);
  EXPECT_EQ(r.verdict, Verdict::kUnknownSession);
  changed(wire::offsets::kLane, 0x55);
  EXPECT_EQ(r.ctx.stats.drop_session.value(), 2u);
  changed(wire::offsets::kEpoch, 2);
  EXPECT_EQ(r.ctx.stats.drop_epoch.value(), 1u);
  changed(wire::offsets::kRecordNumber, 0);
  EXPECT_EQ(r.ctx.stats.drop_short.value(), 2u) << "not in the counter space";
  changed(good.size() - 1, static_cast<uint8_t>(good.back() ^ 1));
  EXPECT_EQ(r.ctx.stats.drop_tag.value(), 1u);
  EXPECT_FALSE(r.lane->heard) << "nothing of the session has changed";
  r.give(good);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
  r.give(good);
  EXPECT_EQ(r.ctx.stats.drop_replay.value(), 1u);
}

TEST(Receiver, handshakes_and_resets_are_passed_on) {
  Roles r;
  PacketData packet = r.peer.bundle(wire::PingFrame{1});
  packet[wire::offsets::kType] = static_cast<uint8_t>(wire::PacketType::kHandshake);
  r.give(packet);
  EXPECT_EQ(r.verdict, Verdict::kHandshake);
  packet[wire::offsets::kType] = static_cast<uint8_t>(wire::PacketType::kReset);
  r.give(packet);
  EXPECT_EQ(r.verdict, Verdict::kReset);
}

// Verifies MUST-T20: an unknown session or lane makes no state.
TEST(Receiver, packets_of_no_session_leave_nothing_behind) {
  Roles r;
  Peer stranger(r.ctx.primitives, r.ctx.backend, session_secret(8), Roles::kLane, false,
                crypto::AeadAlgorithm::kAes128Gcm, base::SessionId(999));
  for (uint64_t id = 1; id <= 200; ++id) {
    r.give(stranger.request(id, pattern(10)));
    EXPECT_EQ(r.verdict, Verdict::kUnknownSession);
    r.give(stranger.data(DataSpec{.id = id, .message_length = 100000}, pattern(1000)));
  }
  EXPECT_EQ(r.ctx.stats.drop_session.value(), 400u);
  EXPECT_TRUE(r.empty());
  EXPECT_TRUE(r.sent().empty());
}

// Verifies MUST-T20: what draws a RESET is longer than one.
TEST(Receiver, packets_of_no_session_that_are_as_short_as_a_reset_draw_none) {
  Roles r;
  Peer stranger(r.ctx.primitives, r.ctx.backend, session_secret(8), Roles::kLane, false,
                crypto::AeadAlgorithm::kAes128Gcm, base::SessionId(999));
  const PacketData whole = stranger.data(DataSpec{.message_length = 100000}, pattern(1000));
  for (size_t length = wire::kCommonHeaderSize; length <= wire::kResetPacketSize + 1; ++length) {
    r.give(PacketData(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length)));
    const bool longer = length > wire::kResetPacketSize;
    EXPECT_EQ(r.verdict, longer ? Verdict::kUnknownSession : Verdict::kConsumed) << length;
  }
  EXPECT_GT(r.ctx.stats.drop_session.value(), 0u);
}

// Verifies MUST-C10: once each, in any order, and a forgery marks nothing.
TEST(Receiver, each_counter_is_accepted_once) {
  Roles r;
  std::vector<PacketData> packets;
  for (int i = 0; i < 5; ++i) packets.push_back(r.peer.bundle(wire::PingFrame{7}));
  PacketData forged = packets[3];
  forged.back() ^= 1;
  r.give({packets[4], forged, packets[0], packets[3], packets[4], packets[4], packets[0]});
  EXPECT_EQ(frames_of(r.sent(), FrameType::kPong).size(), 3u);
  EXPECT_EQ(r.ctx.stats.drop_replay.value(), 3u) << "twice in one burst, too";
  EXPECT_EQ(r.ctx.stats.drop_tag.value(), 1u);
  r.peer.counter = 5000;
  r.give(r.peer.bundle(wire::PingFrame{7}));
  r.give(packets[1]);
  EXPECT_EQ(r.ctx.stats.drop_replay.value(), 4u) << "older than the window";
}

// Verifies MUST-C5 and MUST-C6: only a verified packet moves the epoch, one at a time.
TEST(Receiver, epochs_follow_verified_packets) {
  Roles r;
  PacketData forged = r.peer.bundle(wire::PingFrame{1});
  forged[wire::offsets::kEpoch] = 1;
  r.give(forged);
  EXPECT_EQ(r.ctx.stats.drop_tag.value(), 1u);
  EXPECT_EQ(r.lane->receive.epoch().value(), 0u);
  r.peer.set_send_epoch(2);
  r.give(r.peer.bundle(wire::PingFrame{1}));
  EXPECT_EQ(r.ctx.stats.drop_epoch.value(), 1u);
  r.peer.set_send_epoch(1);
  r.give(r.peer.bundle(wire::PingFrame{1}));
  EXPECT_EQ(r.lane->receive.epoch().value(), 1u);
}

// Verifies MUST-C9: this side follows a peer that went ahead.
TEST(Receiver, a_later_epoch_of_the_peer_starts_an_update_here) {
  Roles r;
  r.peer.set_send_epoch(1);
  r.give(r.peer.bundle(wire::PingFrame{1}));
  EXPECT_TRUE(r.lane->send.should_update());
  r.raw();
  EXPECT_EQ(r.lane->send.epoch().value(), 1u) << "its report came along";
}

// Verifies MUST-C8: half the limit asks for new keys, the limit ends the lane.
TEST(Receiver, failed_openings_up_to_the_limit_end_the_lane) {
  Roles r(bench_config(), crypto::AeadAlgorithm::kChaCha20Poly1305);
  const uint64_t limit = crypto::kMaxFailedOpensChaCha20Poly1305;
  r.lane->receive.note_failed_opens(0, limit / 2);
  r.give(r.peer.bundle(wire::BusyFrame{0, 1}));
  EXPECT_TRUE(r.lane->send.should_update());
  r.lane->receive.note_failed_opens(0, limit / 2 - 1);
  EXPECT_TRUE(r.lane->live);
  PacketData forged = r.peer.request(1, pattern(10));
  forged.back() ^= 1;
  r.give({forged, r.peer.request(1, pattern(10))});
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 0u);
  EXPECT_TRUE(r.empty());
}

// Verifies MUST-T12 for DATA: whatever the copies, the handler runs once.
TEST(Receiver, copies_of_a_request_in_one_burst_or_later_execute_once) {
  Roles r;
  const PacketData packet = r.peer.data(DataSpec{}, pattern(100));
  r.give({packet, packet, packet});
  r.give(packet);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
  EXPECT_EQ(r.ctx.stats.drop_duplicate.value(), 3u);
  r.lifecycle.free(*r.served(1));
  r.give(packet);
  r.give(r.peer.bundle(wire::FloorFrame{2}));
  r.give(packet);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
  EXPECT_TRUE(r.empty());
}

// Verifies MUST-T2 for DATA.
TEST(Receiver, a_response_without_its_call_is_dropped) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.give(r.peer.data(DataSpec{.id = 1, .initiator = false}, bytes));
  r.call(bytes, true);
  r.give(r.peer.data(DataSpec{.id = 1, .initiator = false}, bytes));
  EXPECT_EQ(r.ctx.stats.drop_late.value(), 2u);
  EXPECT_EQ(r.ctx.stats.drop_tag.value(), 0u) << "it is not even opened";
}

// Verifies MUST-T16: the range counts as not arrived, and what was set aside goes back.
TEST(Receiver, a_bad_tag_leaves_the_range_missing) {
  Roles r;
  const PacketData whole = pattern(3000);
  const auto piece = [&](uint32_t begin) {
    DataSpec spec{.offset = begin, .message_length = 3000};
    return r.peer.data(spec, {whole.begin() + begin, whole.begin() + begin + 1000});
  };
  PacketData bad = piece(0);
  bad[60] ^= 1;
  r.give(bad);
  EXPECT_TRUE(r.empty()) << "a first packet reserves nothing for good";
  r.give(piece(0));
  bad = piece(1000);
  bad[60] ^= 1;
  r.give({bad, piece(2000)});
  EXPECT_EQ(r.served(1)->state, ExchangeState::kReceiving);
  EXPECT_EQ(r.served(1)->in.reassembly->received.total(), 2000u);
  r.give({bad, piece(1000)});
  ASSERT_EQ(r.served(1)->state, ExchangeState::kDelivered);
  EXPECT_TRUE(std::equal(whole.begin(), whole.end(), r.served(1)->in.memory));
}

// Verifies MUST-T15: a forgery over bytes that have verified never reaches them.
TEST(Receiver, a_forgery_never_overwrites_verified_bytes) {
  Roles r;
  const PacketData whole = pattern(4000);
  DataSpec spec{.message_length = 4000};
  r.give(r.peer.data(spec, {whole.begin(), whole.begin() + 1500}));
  spec.offset = 1000;
  PacketData overlap = r.peer.data(spec, {whole.begin() + 1000, whole.begin() + 2000});
  PacketData bad = overlap;
  bad[wire::kDataHeaderSize + 3] ^= 0xFF;
  r.give(bad);
  EXPECT_TRUE(std::equal(whole.begin(), whole.begin() + 1500, r.served(1)->in.memory));
  r.give(overlap);
  EXPECT_TRUE(std::equal(whole.begin(), whole.begin() + 2000, r.served(1)->in.memory));
  EXPECT_EQ(r.served(1)->in.reassembly->received.total(), 2000u);
}

// Verifies MUST-T15: not into a range that another packet is being opened to.
TEST(Receiver, overlapping_packets_of_one_burst_are_opened_one_after_the_other) {
  Roles r;
  const PacketData whole = pattern(4000);
  DataSpec spec{.message_length = 4000};
  const auto piece = [&](uint32_t begin, uint32_t end, uint32_t attempt) {
    spec.offset = begin;
    spec.attempt = attempt;
    return r.peer.data(spec, {whole.begin() + begin, whole.begin() + end});
  };
  PacketData bad = piece(1500, 2500, 1);
  bad[70] ^= 1;
  r.give({piece(0, 1000, 0), piece(1000, 2000, 0), bad, piece(1500, 2500, 2), piece(2500, 3500, 0),
          piece(2500, 3500, 3), piece(3000, 4000, 0)});
  ASSERT_EQ(r.served(1)->state, ExchangeState::kDelivered);
  EXPECT_TRUE(std::equal(whole.begin(), whole.end(), r.served(1)->in.memory));
}

// Verifies MUST-T17: bytes that were delivered stay as they are, whatever comes.
TEST(Receiver, delivered_bytes_never_change) {
  Roles r;
  const PacketData whole = pattern(2000), other = pattern(1000, 77);
  DataSpec spec{.message_length = 2000};
  r.give(r.peer.data(spec, {whole.begin(), whole.begin() + 1000}));
  spec.offset = 1000;
  r.give(r.peer.data(spec, {whole.begin() + 1000, whole.end()}));
  const uint8_t* memory = r.served(1)->in.memory;
  spec.attempt = 1;
  r.give(r.peer.data(spec, other));
  spec.offset = 500;
  PacketData bad = r.peer.data(spec, other);
  bad.back() ^= 1;
  r.give(bad);
  r.give(r.peer.request(1, pattern(100, 9)));
  EXPECT_TRUE(std::equal(whole.begin(), whole.end(), memory));
}

// Verifies MUST-T5 for the first packet: no more than what may come without a grant.
TEST(Receiver, a_first_packet_beyond_the_unscheduled_limit_is_dropped) {
  Roles r;
  DataSpec spec{.offset = 65000, .message_length = 200000};
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.ctx.stats.drop_ungranted.value(), 1u);
  EXPECT_TRUE(r.empty());
  spec.offset = 64536;
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.served(1)->state, ExchangeState::kReceiving);
}

TEST(Receiver, a_whole_message_larger_than_its_stream_window_stays_inside) {
  EndpointConfig config = bench_config();
  config.arena_bytes = 65536;
  Roles r(config);
  r.ctx.services.insert(9, ServiceLanding{LandingMode::kStream, 256});
  uint8_t* before = r.ctx.arena.allocate(256);
  const PacketData whole = pattern(1100);
  r.give(r.peer.data(DataSpec{.service = 9}, whole));
  wire::MsgFrame frame{};
  frame.bits = wire::kMsgInitiator;
  frame.service = 9;
  frame.id = 2;
  frame.floor_delta = 1;
  r.give(r.peer.message(frame, whole));
  size_t told = 0;
  for (const Event& event : r.polled()) {
    if (event.kind != EventKind::kStream) continue;
    EXPECT_TRUE(event.last);
    EXPECT_TRUE(std::equal(whole.begin(), whole.end(), event.data));
    EXPECT_GE(r.ctx.find_exchange(event.exchange)->in.window, event.length);
    ++told;
  }
  EXPECT_EQ(told, 2u);
  r.ctx.arena.release(before);
}

TEST(Receiver, tiny_unscheduled_limits_still_take_the_first_packet) {
  EndpointConfig config = bench_config();
  config.unscheduled_bytes = 100;
  Roles r(config);
  r.give(r.peer.data(DataSpec{.message_length = 5000}, pattern(1000)));
  ASSERT_NE(r.served(1), nullptr);
  EXPECT_EQ(r.served(1)->in.reassembly->received.total(), 1000u);
}

// The packet's own floor makes room for its id.
TEST(Receiver, a_request_far_ahead_is_let_in_by_the_floor_it_brings) {
  Roles r;
  DataSpec spec{.id = 100000, .floor_delta = 5};
  PacketData forged = r.peer.data(spec, pattern(1000));
  forged.back() ^= 1;
  r.give(forged);
  EXPECT_EQ(r.lane->peer_ids.floor(), 1u);
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
  EXPECT_EQ(r.lane->peer_ids.floor(), 99995u);
  spec = {.id = 200000, .floor_delta = 100000 + 5};
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.ctx.stats.drop_window.value(), 1u);
}

TEST(Receiver, the_parts_of_a_response_in_one_burst_find_their_place) {
  Roles r;
  const PacketData ask = pattern(10), whole = pattern(3000);
  Exchange& call = r.call(ask);
  r.sent();
  std::vector<PacketData> burst;
  for (const uint32_t begin : {2000u, 0u, 1000u, 0u}) {
    DataSpec spec{.offset = begin, .message_length = 3000, .initiator = false};
    burst.push_back(r.peer.data(spec, {whole.begin() + begin, whole.begin() + begin + 1000}));
  }
  r.give(burst);
  EXPECT_EQ(call.code, base::Code::kOk);
  EXPECT_TRUE(std::equal(whole.begin(), whole.end(), call.in.memory));
}

TEST(Receiver, a_lane_that_ends_within_a_burst_takes_nothing_more_of_it) {
  Roles r;
  const PacketData ask = pattern(10);
  r.call(ask);
  r.sent();
  const DataSpec response{.initiator = false};
  r.give({r.peer.bundle(wire::CloseFrame{9}), r.peer.data(response, ask),
          r.peer.data(response, ask), r.peer.data(DataSpec{.message_length = 9000}, ask)});
  EXPECT_EQ(r.polled().back().code, base::Code::kClosed);
  EXPECT_EQ(r.ctx.stats.rpc_completed.value(), 0u);
}

TEST(Receiver, a_first_verified_packet_brings_the_lane_up) {
  Roles r;
  r.give(r.peer.bundle(wire::PingFrame{1}));
  r.give(r.peer.bundle(wire::PingFrame{1}));
  const auto events = r.polled();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kLaneUp);
  EXPECT_EQ(r.lane->last_heard, r.now);
}

TEST(Receiver, who_is_heard_first_is_asked_for_a_round_trip) {
  Roles r;
  r.pass(base::micros(1));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kPing).size(), 1u);
  for (const size_t pings : {1u, 0u}) {
    r.give(r.peer.bundle(wire::AckFrame{0, 99}));
    r.pass(base::micros(1));
    EXPECT_EQ(frames_of(r.sent(), FrameType::kPing).size(), pings)
        << "the first may have been lost";
  }
}

TEST(Receiver, bursts_of_any_size_are_taken) {
  Roles r;
  std::vector<PacketData> burst;
  for (uint64_t id = 1; id <= 60; ++id) burst.push_back(r.peer.data(DataSpec{.id = id}, {1}));
  for (int i = 0; i < 200; ++i) burst.push_back(r.peer.bundle(wire::PingFrame{1}));
  r.give(burst);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 60u);
  EXPECT_EQ(frames_of(r.sent(), FrameType::kPong).size(), 200u);
}

// Verifies MUST-T25
TEST(Receiver, a_path_that_brings_nothing_is_told_in_the_next_bundles) {
  EndpointConfig config = bench_config();
  config.recovery = RecoveryKind::kRack;
  Roles r(config);
  constexpr uint8_t kDead = 11;
  DataSpec spec{.message_length = 200000};
  const auto arrive = [&](uint32_t count) {
    for (uint32_t i = 0; i < count;) {
      spec.path = static_cast<uint8_t>((spec.path + 1) % wire::kPaths);
      if (spec.path == kDead) continue;
      r.give(r.peer.data(spec, pattern(1000)));
      spec.offset += 1000;
      ++i;
    }
  };
  arrive(PathJudge::kRound - 1);
  EXPECT_TRUE(frames_of(r.sent(), wire::FrameType::kAvoid).empty());
  arrive(1);
  EXPECT_EQ(r.ctx.stats.paths_refused.value(), 1u);
  for (int i = 0; i < kAvoidRepeats; ++i) {
    const auto told = frames_of(r.sent(), wire::FrameType::kAvoid);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].avoid.paths, 1u << kDead);
    r.give(r.peer.bundle(wire::PingFrame{1}));
  }
  EXPECT_TRUE(frames_of(r.sent(), wire::FrameType::kAvoid).empty());
}

}  // namespace
}  // namespace sluice::transport
