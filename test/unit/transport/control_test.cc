// SPDX-License-Identifier: Apache-2.0
#include "transport/control.h"

#include <gtest/gtest.h>

#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

using wire::FrameType;

constexpr uint8_t kOfResponse = wire::kExchangeInitiator | wire::kExchangeResponse;

PacketData bytes_of(size_t size) { return pattern(size, 3); }

TEST(Control, a_bundle_with_one_bad_frame_has_no_effect_at_all) {
  Roles r;
  PacketData clear = Peer::encode(wire::PingFrame{1}, wire::FloorFrame{5});
  clear.push_back(0x3F);
  r.give(r.peer.sealed_bundle(clear, {}));
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 1u);
  EXPECT_TRUE(r.sent().empty());
  EXPECT_EQ(r.lane->peer_ids.floor(), 1u);
}

TEST(Control, extensions_are_stepped_over_and_counted) {
  Roles r;
  PacketData clear = {0x40, 2, 9, 9, 0xFF, 0};
  const PacketData ping = Peer::encode(wire::PingFrame{7});
  clear.insert(clear.end(), ping.begin(), ping.end());
  r.give(r.peer.sealed_bundle(clear, {}));
  EXPECT_EQ(r.ctx.stats.drop_type.value(), 2u);
  EXPECT_EQ(frames_of(r.sent(), FrameType::kPong).size(), 1u);
}

// Verifies MUST-T10: the nonce, the timestamp of the bundle; and only what is outstanding counts.
TEST(Control, pings_are_answered_and_pongs_believed_once) {
  Roles r;
  r.peer.timestamp = 123456;
  r.give(r.peer.bundle(wire::PingFrame{42}));
  const auto pongs = frames_of(r.sent(), FrameType::kPong);
  ASSERT_EQ(pongs.size(), 1u);
  EXPECT_EQ(pongs[0].pong.nonce, 42u);
  EXPECT_EQ(pongs[0].pong.timestamp_echo, 123456u);
  const auto echo = [&](uint32_t nonce, base::Nanos rtt, uint32_t delay) {
    const auto then = static_cast<uint32_t>((r.now - rtt).value());
    r.give(r.peer.bundle(wire::PongFrame{nonce, then, delay}));
  };
  echo(r.lane->ping_nonce, base::micros(50), 0);
  EXPECT_FALSE(r.lane->rtt.has_sample()) << "none was asked";
  r.sender.ping(*r.lane);
  echo(r.lane->ping_nonce + 1, base::micros(50), 0);
  EXPECT_FALSE(r.lane->rtt.has_sample()) << "another nonce";
  echo(r.lane->ping_nonce, base::micros(50), 10000);
  EXPECT_EQ(r.lane->rtt.smoothed(), base::micros(40));
  echo(r.lane->ping_nonce, base::micros(900), 0);
  EXPECT_EQ(r.lane->rtt.smoothed(), base::micros(40)) << "the second of one nonce";
}

// Verifies MUST-T22: acknowledged only if the packet has the size it names.
TEST(Control, a_probe_is_acknowledged_by_its_real_size) {
  Roles r;
  const auto probe = [&](uint16_t named, size_t size) {
    PacketData clear = Peer::encode(wire::ProbeFrame{named});
    clear.resize(size - wire::kBundleHeaderSize - wire::kTagBytes);
    r.give(r.peer.sealed_bundle(clear, {}));
    return frames_of(r.sent(), FrameType::kProbeAck);
  };
  const auto acks = probe(1400, 1400);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].probe_ack.size, 1400);
  EXPECT_TRUE(probe(1452, 1400).empty());
  EXPECT_TRUE(probe(1300, 1400).empty());
}

// Verifies MUST-T12 and MUST-T1: executed once, answered by its state.
TEST(Control, a_repeated_small_request_draws_what_its_state_has) {
  Roles r;
  const PacketData ask = bytes_of(50), answer = bytes_of(60);
  r.give(r.peer.request(1, ask));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
  r.give(r.peer.request(1, ask));
  EXPECT_TRUE(r.sent().empty()) << "a copy, not a question";
  r.give(r.peer.request(1, ask, wire::kMsgRetransmission));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kBusy).size(), 1u);
  respond(r, *r.served(1), answer);
  r.sent();
  r.give(r.peer.request(1, ask, wire::kMsgRetransmission));
  const auto again = r.sent();
  ASSERT_EQ(frames_of(again, FrameType::kMsg).size(), 1u);
  EXPECT_EQ(again[0].payload, answer);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
}

// Verifies MUST-T1: ACK when all of it is there, and whenever it is asked for.
TEST(Control, a_one_way_message_is_acknowledged_as_often_as_asked) {
  Roles r;
  r.give(r.peer.request(1, bytes_of(50), wire::kMsgOneWay));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kAck).size(), 1u);
  r.give(r.peer.request(1, bytes_of(50), wire::kMsgOneWay | wire::kMsgRetransmission));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kAck).size(), 1u);
  r.lifecycle.free(*r.served(1));
  r.give(r.peer.bundle(wire::NeedAckFrame{wire::kExchangeInitiator, 1}));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kAck).size(), 1u) << "also when it was taken";
  DataSpec spec{.id = 2, .message_length = 5000, .one_way = true};
  r.give(r.peer.data(spec, bytes_of(1000)));
  r.sent();
  r.give(r.peer.bundle(wire::NeedAckFrame{wire::kExchangeInitiator, 2}));
  EXPECT_TRUE(frames_of(r.sent(), FrameType::kAck).empty()) << "bytes are missing";
}

// The question goes behind the bytes, so there is nothing to wait for.
TEST(Control, a_question_about_an_unfinished_message_draws_what_is_missing) {
  Roles r;
  const auto answers = [&](const wire::NeedAckFrame& question) {
    r.give(r.peer.bundle(question));
    return r.sent();
  };
  DataSpec spec{.id = 1, .message_length = 5000, .one_way = true};
  r.give(r.peer.data(spec, bytes_of(1000)));
  r.sent();
  for (int again = 0; again < 2; ++again) {
    const auto sent = answers(wire::NeedAckFrame{wire::kExchangeInitiator, 1});
    const auto resends = frames_of(sent, FrameType::kResend);
    ASSERT_EQ(resends.size(), 1u);
    EXPECT_EQ(resends[0].resend.offset, 1000u);
    EXPECT_EQ(resends[0].resend.length, 4000u);
    EXPECT_TRUE(frames_of(sent, FrameType::kBusy).empty());
  }
  spec.one_way = false;
  spec.id = 2;
  r.give(r.peer.data(spec, bytes_of(1000)));
  r.give(r.peer.bundle(
      wire::ResendFrame{wire::kExchangeInitiator | wire::kExchangeResponse, 2, 0, UINT32_MAX, 7}));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kResend).size(), 1u) << "of a call's request as well";
}

TEST(Control, a_question_about_a_message_that_waits_for_a_grant_draws_busy) {
  EndpointConfig config = bench_config();
  config.max_incoming_bytes = config.credit_bytes = config.unscheduled_bytes;
  Roles r(config);
  const uint32_t allowed = r.ctx.unscheduled_limit();
  DataSpec spec{.id = 1, .message_length = 4 * allowed, .one_way = true};
  for (uint32_t offset = 0; offset < allowed; offset += 1000) {
    spec.offset = offset;
    spec.granted = allowed;
    r.give(r.peer.data(spec, bytes_of(std::min(1000u, allowed - offset))));
  }
  Reassembly& message = *r.served(1)->in.reassembly;
  message.grant.granted = message.grant.received;
  r.sent();
  r.give(r.peer.bundle(wire::NeedAckFrame{wire::kExchangeInitiator, 1}));
  const auto sent = r.sent();
  EXPECT_EQ(frames_of(sent, FrameType::kBusy).size(), 1u);
  EXPECT_TRUE(frames_of(sent, FrameType::kResend).empty());
}

// Verifies MUST-T2: nobody asked under that id, or it is over, or it was a one-way message.
TEST(Control, a_small_response_without_its_call_is_dropped) {
  Roles r;
  const PacketData bytes = bytes_of(50);
  r.give(r.peer.response(1, bytes));
  EXPECT_EQ(r.ctx.stats.drop_late.value(), 1u);
  r.call(bytes, true);
  r.give(r.peer.response(1, bytes));
  EXPECT_EQ(r.ctx.stats.rpc_completed.value(), 0u);
  Exchange& call = r.call(bytes);
  r.give(r.peer.response(2, bytes));
  r.give(r.peer.response(2, bytes));
  EXPECT_EQ(call.code, base::Code::kOk);
  EXPECT_EQ(r.ctx.stats.rpc_completed.value(), 1u);
}

TEST(Control, a_response_far_from_every_call_is_to_none_of_them) {
  Roles r;
  const PacketData bytes = bytes_of(10);
  Exchange& call = r.call(bytes);
  r.sent();
  for (int shift = 6; shift < 62; ++shift) {
    r.give(r.peer.response(call.id + (uint64_t{1} << shift), bytes));
  }
  EXPECT_EQ(r.ctx.stats.drop_late.value(), 56u);
  EXPECT_EQ(call.state, ExchangeState::kSending);
  r.give(r.peer.response(call.id, bytes));
  EXPECT_EQ(call.state, ExchangeState::kDone);
}

// Verifies MUST-T1: nothing that was never sent can be held.
TEST(Control, an_ack_for_bytes_never_sent_is_refused) {
  Roles r;
  const PacketData large = bytes_of(200000);
  Exchange& call = r.call(large, true);
  r.sent();
  r.give(r.peer.bundle(wire::AckFrame{0, 1}));
  EXPECT_NE(call.state, ExchangeState::kDone);
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 1u);
}

// Verifies MUST-T1: what the run names is acknowledged, and nothing else is touched.
TEST(Control, an_ack_run_ends_the_one_way_messages_in_it) {
  Roles r;
  const PacketData bytes = bytes_of(50);
  std::vector<Exchange*> messages;
  for (int i = 0; i < 3; ++i) messages.push_back(&r.call(bytes, true));
  const Exchange& rpc = r.call(bytes);
  const Exchange& later = r.call(bytes, true);
  r.sent();
  r.give(r.peer.bundle(wire::AckRunFrame{2, 3}));
  EXPECT_EQ(messages[0]->state, ExchangeState::kSending);
  EXPECT_EQ(messages[1]->state, ExchangeState::kDone);
  EXPECT_EQ(messages[2]->state, ExchangeState::kDone);
  EXPECT_EQ(rpc.state, ExchangeState::kSending);
  EXPECT_EQ(later.state, ExchangeState::kSending);
  EXPECT_EQ(r.ctx.stats.oneways_sent.value(), 2u);
}

TEST(Control, an_ack_run_longer_than_the_window_of_ids_is_refused) {
  Roles r;
  const PacketData bytes = bytes_of(50);
  const Exchange& message = r.call(bytes, true);
  r.sent();
  r.give(r.peer.bundle(wire::AckRunFrame{1, base::limits::kMaxIdsAboveFloor + 1}));
  EXPECT_EQ(message.state, ExchangeState::kSending);
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 1u);
}

// Verifies MUST-T3: the reason ends the call, and reason 10 alone leaves it open whether it ran.
TEST(Control, gone_ends_a_call_with_its_reason) {
  const auto ended = [](uint8_t reason) {
    Roles r;
    const PacketData bytes = bytes_of(50);
    Exchange& call = r.call(bytes);
    r.sent();
    r.give(r.peer.bundle(wire::GoneFrame{0, 1, reason}));
    EXPECT_EQ(call.state, ExchangeState::kDone);
    return std::pair(call.code, call.may_have_executed);
  };
  EXPECT_EQ(ended(7), std::pair(base::Code::kNotFound, false));
  EXPECT_EQ(ended(10), std::pair(base::Code::kAborted, true));
  EXPECT_EQ(ended(0), std::pair(base::Code::kAborted, true)) << "no reason of the table";
  EXPECT_EQ(ended(200), std::pair(base::Code::kAborted, true));
}

// Verifies MUST-T3: as often as it is asked, until the release.
TEST(Control, a_refused_request_stays_refused_until_it_is_released) {
  Roles r;
  const PacketData ask = bytes_of(50);
  r.give(r.peer.request(1, ask));
  Exchange& exchange = *r.served(1);
  exchange.state = ExchangeState::kRefused;
  exchange.code = base::Code::kNotFound;
  for (int i = 0; i < 3; ++i) {
    r.give(r.peer.request(1, ask, wire::kMsgRetransmission));
    const auto gone = frames_of(r.sent(), FrameType::kGone);
    ASSERT_EQ(gone.size(), 1u);
    EXPECT_EQ(gone[0].gone.reason, 7);
    r.give(r.peer.bundle(wire::ResendFrame{kOfResponse, 1, 0, UINT32_MAX, 7}));
    EXPECT_EQ(frames_of(r.sent(), FrameType::kGone).size(), 1u);
  }
  r.give(r.peer.bundle(wire::FloorFrame{2}));
  EXPECT_TRUE(r.empty());
  r.give(r.peer.bundle(wire::ResendFrame{kOfResponse, 1, 0, UINT32_MAX, 7}));
  EXPECT_TRUE(r.sent().empty()) << "below the floor nobody cares";
}

// Verifies MUST-T9: UNKNOWN for what was never seen, GONE for what was.
TEST(Control, unknown_is_said_only_of_ids_never_seen) {
  Roles r;
  const auto asked = [&](uint64_t id) {
    r.give(r.peer.bundle(wire::ResendFrame{kOfResponse, id, 0, UINT32_MAX, 7}));
    return r.sent();
  };
  EXPECT_EQ(frames_of(asked(5), FrameType::kUnknown).size(), 1u);
  EXPECT_EQ(frames_of(asked(5000000), FrameType::kUnknown).size(), 1u);
  r.give(r.peer.request(5, bytes_of(50)));
  r.lifecycle.free(*r.served(5));
  const auto answer = asked(5);
  EXPECT_TRUE(frames_of(answer, FrameType::kUnknown).empty());
  const auto gone = frames_of(answer, FrameType::kGone);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].gone.reason, 10) << "it may have executed";
}

// Verifies MUST-T9: an UNKNOWN that comes after response bytes is ignored.
TEST(Control, unknown_starts_a_call_again_unless_its_response_has_begun) {
  Roles r;
  const PacketData bytes = bytes_of(5000);
  Exchange& call = r.call(bytes);
  EXPECT_EQ(r.sent().size(), 5u);
  r.give(r.peer.bundle(wire::UnknownFrame{0, 1}));
  EXPECT_EQ(r.sent().size(), 5u);
  DataSpec spec{.message_length = 9000, .initiator = false};
  r.give(r.peer.data(spec, bytes_of(1000)));
  r.give(r.peer.bundle(wire::UnknownFrame{0, 1}));
  for (const Opened& packet : r.sent()) EXPECT_FALSE(packet.is_data());
  EXPECT_EQ(call.state, ExchangeState::kReceiving);
}

// Verifies MUST-T7: who holds the key cannot buy an endless retransmission with UNKNOWN either.
TEST(Control, unknown_costs_the_budget_of_resends) {
  for (const size_t size : {size_t{500}, size_t{60000}}) {
    Roles r;
    const PacketData bytes = bytes_of(size);
    r.call(bytes);
    uint64_t sent = 0;
    const uint64_t rounds = 2 * kResendBurstBytes / size;
    for (uint64_t i = 0; i < rounds; ++i) {
      for (const PacketData& packet : r.raw()) sent += packet.size();
      r.give(r.peer.bundle(wire::UnknownFrame{0, 1}));
    }
    EXPECT_GT(sent, kResendBurstBytes / 2) << size;
    EXPECT_LT(sent, kResendBurstBytes * 3 / 2) << size;
    EXPECT_GT(r.ctx.stats.limit_resend_budget.value(), 0u) << size;
    r.now += base::millis(10);
    r.give(r.peer.bundle(wire::UnknownFrame{0, 1}));
    EXPECT_FALSE(r.raw().empty()) << "the budget fills again";
  }
}

TEST(Control, grant_and_resend_must_come_from_the_receiver_of_the_part) {
  Roles r;
  const PacketData large = bytes_of(200000);
  Exchange& call = r.call(large);
  r.sent();
  for (const uint8_t bits : {uint8_t{0x10}, uint8_t{0x20}}) {
    r.give(r.peer.bundle(wire::GrantFrame{bits, 1, 100000, 0}));
    r.give(r.peer.bundle(wire::ResendFrame{bits, 1, 0, 1000, 0}));
  }
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 4u);
  EXPECT_TRUE(r.sent().empty()) << "not even an answer";
  r.give(r.peer.bundle(wire::GrantFrame{0xC0, 1, 100000, 0}));
  EXPECT_EQ(call.out.granted, 100000u) << "other bits are ignored";
}

TEST(Control, busy_starts_the_callers_timer_again) {
  Roles r;
  const PacketData bytes = bytes_of(50);
  Exchange& call = r.call(bytes);
  r.sent();
  r.now += base::micros(500);
  r.give(r.peer.bundle(wire::BusyFrame{0, 1}));
  EXPECT_EQ(call.last_progress, r.now);
  r.give(r.peer.bundle(wire::BusyFrame{0, 2}));
}

// Verifies MUST-T13: cumulative, never falling, and only what can be.
TEST(Control, floors_release_what_lies_below) {
  Roles r;
  for (uint64_t id = 1; id <= 4; ++id) {
    r.give(r.peer.request(id, bytes_of(10)));
    r.served(id)->state = ExchangeState::kRefused;
  }
  r.give(r.peer.bundle(wire::FloorFrame{3}));
  EXPECT_EQ(r.served(2), nullptr);
  EXPECT_NE(r.served(3), nullptr);
  r.give(r.peer.bundle(wire::FloorFrame{1}));
  EXPECT_EQ(r.lane->peer_ids.floor(), 3u);
  r.give(r.peer.bundle(wire::FloorFrame{UINT64_MAX}));
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 1u);
  EXPECT_EQ(r.lane->peer_ids.floor(), 3u);
}

// Verifies MUST-T13: released ids stay seen, and one released unseen never executes.
TEST(Control, a_released_id_never_executes) {
  Roles r;
  r.give(r.peer.request(2, bytes_of(10)));
  r.served(2)->state = ExchangeState::kRefused;
  r.give(r.peer.bundle(wire::ReleaseFrame{2, 2}));
  EXPECT_EQ(r.served(2), nullptr);
  r.give(r.peer.request(2, bytes_of(10)));
  r.give(r.peer.request(3, bytes_of(10)));
  r.give(r.peer.data(DataSpec{.id = 3}, bytes_of(10)));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
  EXPECT_EQ(r.ctx.stats.drop_duplicate.value(), 3u);
  r.give(r.peer.bundle(wire::ReleaseFrame{4, base::limits::kMaxIdsAboveFloor + 1}));
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 1u);
  r.give(r.peer.bundle(wire::ReleaseFrame{UINT64_MAX - 2, 8000}));
  r.give(r.peer.request(1, bytes_of(10)));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 2u);
}

// Verifies MUST-T11: an id too far above the floor is dropped, unless its floor comes with it.
TEST(Control, ids_are_admitted_within_their_window) {
  Roles r;
  constexpr uint64_t kWindow = base::limits::kMaxIdsAboveFloor;
  r.give(r.peer.request(kWindow + 1, bytes_of(10)));
  EXPECT_EQ(r.ctx.stats.drop_window.value(), 1u);
  r.give(r.peer.request(kWindow, bytes_of(10)));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 1u);
  r.give(r.peer.request(10 * kWindow, bytes_of(10), 0, 3));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 2u);
  EXPECT_EQ(r.lane->peer_ids.floor(), 10 * kWindow - 3);
  r.give(r.peer.request(0, bytes_of(10)));
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 1u);
}

TEST(Control, a_full_exchange_table_or_arena_drops_and_counts) {
  EndpointConfig config = bench_config();
  config.arena_bytes = 256;
  Roles r(config);
  for (uint64_t id = 1; id <= 66; ++id) r.give(r.peer.request(id, bytes_of(10)));
  EXPECT_EQ(r.ctx.stats.drop_no_exchange.value(), 2u);
  r.give(r.peer.bundle(wire::FloorFrame{1}));
  for (uint64_t id = 1; id <= 64; ++id) r.lifecycle.free(*r.served(id));
  r.give(r.peer.request(65, bytes_of(10)));
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 65u) << "a dropped one may come again";
  r.give(r.peer.request(70, bytes_of(300)));
  EXPECT_EQ(r.ctx.stats.drop_no_memory.value(), 1u);
  EXPECT_EQ(r.lane->peer_ids.classify(70), PeerIds::Class::kNew);
}

TEST(Control, need_ack_of_a_callee_draws_the_floor_and_the_run_it_asks_about) {
  Roles r;
  const PacketData bytes = bytes_of(10);
  std::vector<Exchange*> calls;
  for (int i = 0; i < 60; ++i) calls.push_back(&r.call(bytes));
  for (size_t i = 1; i < calls.size(); i += 2) {
    r.lifecycle.complete(*calls[i], base::Code::kCancelled);
  }
  r.sent();
  r.give(r.peer.bundle(wire::NeedAckFrame{wire::kExchangeResponse, 50}));
  const auto sent = r.sent();
  EXPECT_EQ(frames_of(sent, FrameType::kFloor).size(), 1u);
  bool told = false;
  for (const wire::Frame& frame : frames_of(sent, FrameType::kRelease)) {
    told |= frame.release.first == 50;
  }
  EXPECT_TRUE(told);
}

// Each telling walks the window of ids: a packet full of questions gets one.
TEST(Control, one_burst_of_need_acks_draws_one_telling) {
  Roles r;
  const PacketData bytes = bytes_of(10);
  r.call(bytes);
  for (int i = 0; i < 3; ++i) r.lifecycle.complete(r.call(bytes), base::Code::kCancelled);
  r.sent();
  const wire::NeedAckFrame question{wire::kExchangeResponse, 2};
  r.give(r.peer.bundle(question, question, question));
  const auto first = r.sent();
  EXPECT_EQ(frames_of(first, FrameType::kFloor).size(), 1u);
  EXPECT_EQ(frames_of(first, FrameType::kRelease).size(), 1u);
  r.now += base::nanos(1);
  r.give(r.peer.bundle(question));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kRelease).size(), 1u);
}

TEST(Control, more_released_runs_than_one_packet_tells_follow_in_the_next) {
  Roles r;
  const PacketData bytes = bytes_of(10);
  std::vector<Exchange*> calls;
  for (int i = 0; i < 60; ++i) calls.push_back(&r.call(bytes));
  r.sent();
  for (size_t i = 1; i < calls.size(); i += 2) {
    r.lifecycle.complete(*calls[i], base::Code::kCancelled);
  }
  size_t runs = 0;
  for (int i = 0; i < 10; ++i) {
    r.pass(r.ctx.config.release_delay);
    runs += frames_of(r.sent(), FrameType::kRelease).size();
  }
  EXPECT_EQ(runs, 30u);
}

TEST(Control, close_ends_the_lane_and_the_rest_of_the_burst_has_no_effect) {
  Roles r;
  const PacketData bytes = bytes_of(10);
  Exchange& call = r.call(bytes);
  r.give({r.peer.bundle(wire::CloseFrame{9}, wire::PingFrame{1}), r.peer.request(1, bytes),
          r.peer.data(DataSpec{.id = 2}, bytes)});
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(call.code, base::Code::kClosed);
  EXPECT_EQ(r.ctx.stats.requests_delivered.value(), 0u);
  r.lifecycle.free(call);
  EXPECT_TRUE(r.empty());
}

// Verifies MUST-P4
TEST(Control, a_close_for_a_policy_is_told_as_that) {
  Roles r;
  const PacketData bytes = bytes_of(10);
  Exchange& call = r.call(bytes);
  r.give({r.peer.bundle(wire::CloseFrame{static_cast<uint8_t>(base::Code::kPermissionDenied)},
                        wire::PingFrame{1})});
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(call.code, base::Code::kPermissionDenied);
  r.lifecycle.free(call);
  EXPECT_TRUE(r.empty());
}

}  // namespace
}  // namespace sluice::transport
