// SPDX-License-Identifier: Apache-2.0
#include "transport/timers.h"

#include <gtest/gtest.h>

#include "test/unit/transport/roles.h"
#include "transport/answer_timeout.h"

namespace sluice::transport {
namespace {

using base::micros;
using base::millis;
using wire::FrameType;

TEST(Timers, the_first_look_comes_after_a_timeout_or_at_the_deadline) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  EXPECT_EQ(first_look(r.ctx.config, call, r.now), r.now + millis(1));
  call.deadline = r.now + micros(300);
  EXPECT_EQ(first_look(r.ctx.config, call, r.now), r.now + micros(300));
}

TEST(Timers, a_deadline_ends_a_call) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  call.deadline = r.now + millis(3);
  r.sent();
  r.pass(millis(3));
  EXPECT_EQ(call.state, ExchangeState::kDone);
  EXPECT_EQ(call.code, base::Code::kDeadlineExceeded);
}

// Verifies MUST-T8: 1, 2, 4 ... ms apart, then at the ceiling.
TEST(Timers, a_fruitless_timer_doubles_up_to_the_ceiling) {
  Roles r;
  const PacketData bytes = pattern(10);
  r.call(bytes);
  r.sent();
  std::vector<base::Nanos> at;
  const base::Nanos start = r.now;
  uint64_t before = 0;
  while (at.size() < 9) {
    r.pass(micros(100));
    if (r.ctx.stats.timeouts.value() != before) at.push_back(r.now - start);
    before = r.ctx.stats.timeouts.value();
    r.sent();
    r.lane->last_heard = r.now;
  }
  const uint64_t expected[] = {1, 3, 7, 15, 31, 63, 113, 163, 213};
  for (size_t i = 0; i < at.size(); ++i) {
    EXPECT_GE(at[i], millis(expected[i])) << i;
    EXPECT_LE(at[i], millis(expected[i]) + micros(300)) << i;
  }
}

// Verifies MUST-T8: verified bytes reset the back-off.
TEST(Timers, progress_brings_the_timer_back_to_its_first_pace) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  for (int i = 0; i < 20; ++i) {
    r.sent();
    r.pass(millis(1));
  }
  EXPECT_GT(call.backoff, 2u);
  DataSpec spec{.message_length = 5000, .initiator = false};
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(call.backoff, 0u);
}

TEST(Timers, a_small_call_without_answer_is_sent_again_whole) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  ASSERT_EQ(r.sent().size(), 1u);
  r.pass(millis(1));
  const auto again = r.sent();
  const auto messages = frames_of(again, FrameType::kMsg);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].msg.retransmission());
  EXPECT_EQ(again.back().payload, bytes);
}

TEST(Timers, several_time_outs_in_a_row_draw_another_path) {
  Roles r;
  const PacketData bytes = pattern(5000);
  r.call(bytes);
  r.sent();
  const uint16_t entropy = r.lane->entropy;
  while (r.ctx.stats.timeouts.value() < Timers::kTimeoutsPerPath) {
    EXPECT_EQ(r.lane->entropy, entropy);
    r.pass(micros(100));
    r.sent();
  }
  EXPECT_NE(r.lane->entropy, entropy);
  EXPECT_EQ(r.ctx.stats.paths_left.value(), 1u);
}

// A back-off that stood still at its highest would either draw at each time-out or never again.
TEST(Timers, beyond_what_a_back_off_counts_every_second_time_out_draws_a_path) {
  EndpointConfig config = bench_config();
  config.peer_timeout = base::seconds(3600);
  Roles r(config);
  const PacketData bytes = pattern(5000);
  r.call(bytes);
  r.sent();
  constexpr uint64_t kTimeouts = 2 * (UINT8_MAX + 1);
  while (r.ctx.stats.timeouts.value() < kTimeouts) {
    const uint64_t before = r.ctx.stats.timeouts.value();
    r.pass(millis(10));
    r.sent();
    r.lane->last_heard = r.now;
    const uint64_t after = r.ctx.stats.timeouts.value();
    ASSERT_LE(after, before + 1);
    ASSERT_EQ(r.ctx.stats.paths_left.value(), after / Timers::kTimeoutsPerPath) << after;
  }
}

TEST(Timers, with_several_paths_a_time_out_leaves_the_one_taken_last) {
  EndpointConfig config = bench_config();
  config.recovery = RecoveryKind::kRack;
  Roles r(config);
  const PacketData bytes = pattern(100);
  r.call(bytes);
  const auto sent = r.sent();
  ASSERT_EQ(sent.size(), 1u);
  const uint8_t path = sent[0].data.path;
  const uint16_t entropy = r.lane->busy->paths.entropy(path);
  r.pass(millis(1));
  EXPECT_NE(r.lane->busy->paths.entropy(path), entropy);
  EXPECT_EQ(r.ctx.stats.paths_left.value(), 1u);
}

TEST(Timers, a_large_call_without_answer_asks_for_its_response) {
  Roles r;
  const PacketData bytes = pattern(5000);
  r.call(bytes);
  r.sent();
  r.pass(millis(1));
  const auto asked = frames_of(r.sent(), FrameType::kResend);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].resend.bits, wire::kExchangeInitiator | wire::kExchangeResponse);
  EXPECT_EQ(asked[0].resend.offset, 0u);
  EXPECT_EQ(asked[0].resend.length, UINT32_MAX);
}

TEST(Timers, a_lazy_message_gives_its_ack_the_time_it_may_take) {
  Roles r;
  const PacketData bytes = pattern(50);
  Exchange& message = r.call(bytes, true);
  message.lazy = true;
  EXPECT_EQ(first_look(r.ctx.config, message, r.now), r.now + millis(1) + kLazyHold);
  r.sent();
  r.pass(kLazyHold);
  EXPECT_EQ(r.ctx.stats.timeouts.value(), 0u);
  r.pass(millis(2));
  EXPECT_EQ(r.ctx.stats.timeouts.value(), 1u);
}

TEST(Timers, a_large_one_way_without_ack_asks_for_it) {
  Roles r;
  const PacketData bytes = pattern(5000);
  r.call(bytes, true);
  r.sent();
  r.pass(millis(1));
  const auto asked = frames_of(r.sent(), FrameType::kNeedAck);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].need_ack.bits, wire::kExchangeInitiator);
}

TEST(Timers, a_message_that_stopped_is_asked_for_with_its_grant) {
  Roles r;
  DataSpec spec{.message_length = 200000};
  r.give(r.peer.data(spec, pattern(1000)));
  const auto first = frames_of(r.sent(), FrameType::kGrant);
  ASSERT_EQ(first.size(), 1u);
  r.pass(millis(5));
  const auto sent = r.sent();
  const auto resends = frames_of(sent, FrameType::kResend);
  ASSERT_GE(resends.size(), 1u);
  EXPECT_EQ(resends[0].resend.bits, 0);
  EXPECT_EQ(resends[0].resend.offset, 1000u);
  const auto grants = frames_of(sent, FrameType::kGrant);
  ASSERT_GE(grants.size(), 1u) << "the latest grant may have been lost";
  EXPECT_EQ(grants[0].grant.offset, first[0].grant.offset);
}

TEST(Timers, granted_bytes_may_stand_behind_those_of_higher_priority) {
  uint64_t waited[2];
  for (const bool overtaken : {false, true}) {
    Roles r;
    r.give(r.peer.data(DataSpec{.message_length = 200000}, pattern(1000)));
    ASSERT_EQ(frames_of(r.sent(), FrameType::kGrant).size(), 1u);
    const base::Nanos start = r.now;
    while (frames_of(r.sent(), FrameType::kResend).empty()) {
      ASSERT_LT(r.now, start + millis(100)) << "in the end it is asked for all the same";
      if (overtaken) r.ctx.granted_arrival[7] = r.now;
      r.pass(micros(100));
    }
    waited[overtaken] = base::elapsed(start, r.now).value();
  }
  EXPECT_GE(waited[1], 3 * waited[0]);
  EXPECT_LE(waited[1], 5 * waited[0]);
}

// Verifies MUST-T22: the same bytes missing again and again mean that the path has shrunk, also
// when many messages are missing at a time and all of them are small.
TEST(Timers, calls_that_stay_without_answer_fall_back_to_the_base_size) {
  Roles r;
  r.give(r.peer.bundle(wire::PingFrame{1}));
  r.pass(millis(3));
  r.sent();
  r.give(r.peer.bundle(wire::ProbeAckFrame{1452}));
  ASSERT_EQ(r.lane->mtu.limit(), 1452u);
  const PacketData bytes = pattern(200);
  for (int i = 0; i < 10; ++i) r.call(bytes);
  for (int i = 0; i < 20; ++i) {
    r.raw();
    r.pass(millis(1));
  }
  EXPECT_EQ(r.lane->mtu.limit(), 1200u);
}

TEST(Timers, a_slow_handler_does_not_shrink_the_path) {
  Roles r;
  r.give(r.peer.bundle(wire::PingFrame{1}));
  r.pass(millis(3));
  r.sent();
  r.give(r.peer.bundle(wire::ProbeAckFrame{1452}));
  const PacketData bytes = pattern(5000);
  r.call(bytes);
  for (int i = 0; i < 300; ++i) {
    r.pass(millis(1));
    if (!frames_of(r.sent(), FrameType::kResend).empty()) {
      r.give(r.peer.bundle(wire::BusyFrame{0, 1}));
    }
  }
  EXPECT_EQ(r.lane->mtu.limit(), 1452u);
}

// The last FLOOR of a caller that goes quiet can be lost while its PONGs keep arriving.
TEST(Timers, what_is_finished_but_not_released_is_asked_about) {
  Roles r;
  const PacketData answer = pattern(100);
  r.give(r.peer.request(1, pattern(10)));
  r.give(r.peer.request(2, pattern(10)));
  r.served(2)->last_progress = r.now;
  respond(r, *r.served(2), answer);
  r.sent();
  size_t asked = 0;
  for (int i = 0; i < 100; ++i) {
    r.pass(millis(1));
    for (const wire::Frame& frame : frames_of(r.sent(), FrameType::kNeedAck)) {
      EXPECT_EQ(frame.need_ack.id, 2u) << "not the one that the application still holds";
      EXPECT_EQ(frame.need_ack.bits, wire::kExchangeResponse);
      ++asked;
    }
    r.give(r.peer.bundle(wire::PongFrame{r.lane->ping_nonce, 0, 0}));
  }
  EXPECT_GE(asked, 2u);
  EXPECT_LE(asked, 6u) << "it backs off";
}

TEST(Timers, behind_many_that_the_application_holds_one_not_released_is_found) {
  constexpr uint64_t kHeld = 5 * kMaxLook;
  EndpointConfig config = bench_config();
  config.max_exchanges = kHeld + 1;
  Roles r(config);
  const PacketData answer = pattern(100);
  for (uint64_t id = 1; id <= kHeld + 1; ++id) r.give(r.peer.request(id, pattern(10)));
  respond(r, *r.served(kHeld + 1), answer);
  r.sent();
  const size_t ticks = kHeld / kMaxLook + 1;
  r.pass(kNeedAckDelay);
  size_t asked = 0;
  for (size_t i = 0; i <= ticks && asked == 0; ++i) {
    r.pass(kLaneTick);
    for (const wire::Frame& frame : frames_of(r.sent(), FrameType::kNeedAck)) {
      EXPECT_EQ(frame.need_ack.id, kHeld + 1);
      ++asked;
    }
    r.give(r.peer.bundle(wire::PongFrame{r.lane->ping_nonce, 0, 0}));
  }
  EXPECT_EQ(asked, 1u);
}

TEST(Timers, a_floor_goes_out_by_itself_when_nothing_else_does) {
  Roles r;
  const PacketData bytes = pattern(100);
  Exchange& call = r.call(bytes);
  r.sent();
  r.give(r.peer.response(1, bytes));
  r.lifecycle.free(call);
  EXPECT_TRUE(frames_of(r.sent(), FrameType::kFloor).empty());
  r.pass(r.ctx.config.release_delay);
  const auto floors = frames_of(r.sent(), FrameType::kFloor);
  ASSERT_EQ(floors.size(), 1u);
  EXPECT_EQ(floors[0].floor.floor, 2u);
}

TEST(Timers, a_busy_lane_measures_its_round_trip_and_an_idle_one_rests) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  const PacketData bytes = pattern(100);
  Exchange& call = r.call(bytes);
  r.pass(millis(10));
  EXPECT_GE(frames_of(r.sent(), FrameType::kPing).size(), 3u);
  r.lifecycle.complete(call, base::Code::kCancelled);
  r.lifecycle.free(call);
  r.pass(millis(5));
  r.sent();
  r.pass(millis(500));
  EXPECT_TRUE(frames_of(r.sent(), FrameType::kPing).empty());
}

// Verifies MUST-T8 for the question whether anybody is there at all.
TEST(Timers, a_peer_never_heard_is_asked_more_and_more_rarely) {
  Roles r;
  size_t asked = 0;
  for (int i = 0; i < 60'000; ++i) {
    r.pass(millis(1));
    asked += frames_of(r.sent(), FrameType::kPing).size();
    if (i == 20) {
      EXPECT_GE(asked, 5u);
    }
  }
  EXPECT_GE(asked, 20u);
  EXPECT_LE(asked, 80u);
  const PacketData bytes = pattern(5000);
  r.call(bytes);
  r.pass(millis(5));
  EXPECT_GE(frames_of(r.sent(), FrameType::kPing).size(), 2u) << "now something waits";
  r.give(r.peer.bundle(wire::PongFrame{r.lane->ping_nonce, 0, 0}));
  EXPECT_TRUE(r.lane->heard);
}

TEST(Timers, a_path_is_probed_as_soon_as_its_peer_is_heard) {
  Roles r;
  r.pass(base::seconds(10));
  r.sent();
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  r.pass(micros(1));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kProbe).size(), 1u);
}

TEST(Timers, a_peer_never_heard_costs_no_busy_waiting) {
  Roles r;
  size_t turns = 0;
  for (const base::Nanos end = r.now + millis(100); r.now < end; ++turns) {
    r.stall(base::elapsed(r.now, r.ctx.wheel.next_deadline()));
    r.sent();
  }
  EXPECT_LT(turns, 100u);
}

TEST(Timers, silence_with_work_pending_ends_the_lane) {
  Roles r;
  const PacketData bytes = pattern(100);
  Exchange& call = r.call(bytes);
  r.pass(millis(999));
  EXPECT_TRUE(r.lane->live);
  r.pass(millis(60));
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(call.code, base::Code::kUnavailable);
  EXPECT_EQ(r.ctx.stats.peers_lost.value(), 1u);
}

TEST(Timers, calls_that_give_up_and_are_made_again_do_not_hide_a_dead_peer) {
  Roles r;
  const PacketData bytes = pattern(10);
  for (int i = 0; i < 30 && r.lane->live; ++i) {
    Exchange& call = r.call(bytes);
    call.deadline = r.now + millis(150);
    r.sent();
    r.pass(millis(100));  // Each begins before the one before it has ended.
  }
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(r.ctx.stats.peers_lost.value(), 1u);
}

TEST(Timers, silence_without_work_ends_the_lane_much_later) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  r.pass(base::seconds(590));
  EXPECT_TRUE(r.lane->live);
  r.pass(base::seconds(20));
  EXPECT_FALSE(r.lane->live);
}

// What this side merely still holds, or has finished, must not keep it from seeing that the peer
// is gone while something else waits for it.
TEST(Timers, a_held_message_does_not_hide_a_dead_peer) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  r.sent();
  r.give(r.peer.response(1, bytes));  // Its completion is never taken.
  r.give(r.peer.request(1, bytes));
  respond(r, *r.served(1), bytes);
  r.pass(base::seconds(2));
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(r.ctx.stats.peers_lost.value(), 1u);
}

TEST(Timers, many_held_messages_do_not_either) {
  constexpr uint64_t kHeld = 5 * kMaxLook;
  EndpointConfig config = bench_config();
  config.max_exchanges = kHeld + 1;
  Roles r(config);
  const PacketData bytes = pattern(100);
  for (uint64_t id = 1; id <= kHeld; ++id) {
    r.call(bytes);
    r.sent();
    r.give(r.peer.response(id, bytes));  // Its completion is never taken.
  }
  Exchange& call = r.call(bytes);
  r.sent();
  r.pass(base::seconds(2));
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(call.code, base::Code::kUnavailable);
}

// Of those that wait in line behind others there may be a hundred thousand, each of which would be
// looked at every few time-outs.
TEST(Timers, a_call_that_waits_in_line_is_looked_at_once_and_timed_when_it_is_sent) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  call.deadline = r.now + base::seconds(20);
  r.pass(millis(1));
  EXPECT_TRUE(call.out.untimed);
  EXPECT_EQ(call.timer.deadline(), call.deadline);
  r.lane->last_heard = r.now;
  r.pass(millis(500));
  r.sent();
  EXPECT_EQ(call.out.sent, call.out.length);
  EXPECT_FALSE(call.out.untimed);
  EXPECT_EQ(call.timer.deadline(), r.now + millis(1));
  EXPECT_EQ(r.ctx.stats.timeouts.value(), 0u);
  r.pass(millis(1));
  EXPECT_EQ(r.ctx.stats.timeouts.value(), 1u);
}

TEST(Timers, calls_of_a_bundle_that_waited_in_line_are_timed_when_it_is_sent) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& first = r.call(bytes);
  Exchange& second = r.call(bytes);
  r.pass(millis(1));
  EXPECT_FALSE(first.timer.linked());  // They have no deadline.
  EXPECT_FALSE(second.timer.linked());
  EXPECT_EQ(r.sent().size(), 1u);
  EXPECT_EQ(first.timer.deadline(), r.now + millis(1));
  EXPECT_EQ(second.timer.deadline(), r.now + millis(1));
}

TEST(Timers, a_call_that_waits_in_line_ends_at_its_deadline) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  call.deadline = r.now + millis(70);
  r.pass(millis(69));
  EXPECT_EQ(call.state, ExchangeState::kSending);
  r.pass(millis(1));
  EXPECT_EQ(call.code, base::Code::kDeadlineExceeded);
}

// The answer to what was sent first comes while it waits to be sent again; the rest of the answer
// is lost.
TEST(Timers, an_answer_that_begins_while_its_call_waits_in_line_is_timed) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  r.sent();
  r.pass(millis(4));  // It is due again after one, and after two more it waits in line.
  ASSERT_TRUE(call.out.untimed);
  DataSpec spec{.id = 1, .message_length = 5000, .initiator = false};
  r.give(r.peer.data(spec, pattern(1000)));
  ASSERT_EQ(call.state, ExchangeState::kReceiving);
  EXPECT_FALSE(call.out.untimed);
  EXPECT_TRUE(call.timer.linked());
  r.sent();
  r.pass(millis(20));
  EXPECT_GE(frames_of(r.sent(), FrameType::kResend).size(), 1u);
}

// Only held: nothing waits for the peer, so its silence means nothing.
TEST(Timers, a_held_message_alone_keeps_a_lane) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  r.sent();
  r.give(r.peer.response(1, bytes));
  r.pass(base::seconds(5));
  EXPECT_TRUE(r.lane->live);
}

TEST(Timers, an_own_stall_is_not_the_peers_silence) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  r.give(r.peer.request(1, bytes));
  respond(r, *r.served(1), bytes);
  r.sent();
  r.pass(millis(500));
  r.stall(base::seconds(3));
  EXPECT_EQ(r.ctx.stats.stalls.value(), 1u);
  EXPECT_TRUE(r.lane->live);
  r.pass(millis(450));
  EXPECT_TRUE(r.lane->live) << "500 ms before and 450 after";
  r.pass(millis(150));
  EXPECT_FALSE(r.lane->live);
  EXPECT_EQ(r.ctx.stats.stalls.value(), 1u);
}

// The call is the younger of the two things that silence is measured from.
TEST(Timers, an_own_stall_in_a_call_after_a_rest_is_excused_too) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  r.pass(base::seconds(20));
  const PacketData bytes = pattern(100);
  r.call(bytes);
  r.pass(millis(500));
  r.stall(base::seconds(3));
  EXPECT_TRUE(r.lane->live);
  r.pass(millis(450));
  EXPECT_TRUE(r.lane->live);
  r.pass(millis(150));
  EXPECT_FALSE(r.lane->live);
}

// And here the peer's latest sign of life.
TEST(Timers, an_own_stall_in_a_long_call_is_excused_too) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  for (int i = 0; i < 100; ++i) {
    r.pass(millis(100));
    r.give(r.peer.bundle(wire::BusyFrame{0, 1}));
    r.sent();
  }
  r.stall(base::seconds(3));
  EXPECT_TRUE(r.lane->live);
  r.pass(millis(950));
  EXPECT_TRUE(r.lane->live);
  r.pass(millis(150));
  EXPECT_FALSE(r.lane->live);
}

TEST(Timers, many_stalls_do_not_make_a_dead_peer_immortal) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  for (int i = 0; i < 11 && r.lane->live; ++i) {
    r.stall(base::seconds(2));
    r.pass(millis(100));
  }
  EXPECT_FALSE(r.lane->live);
}

// The answers may lie in the port: they are read before anything is sent again.
TEST(Timers, an_own_stall_repeats_nothing_at_once) {
  Roles r;
  const PacketData bytes = pattern(100), large = pattern(5000);
  for (int i = 0; i < 10; ++i) r.call(bytes);
  r.call(large);
  r.give(r.peer.data(DataSpec{.message_length = 100000}, pattern(1000)));
  r.sent();
  r.stall(base::seconds(3));
  EXPECT_EQ(r.ctx.stats.timeouts.value(), 0u);
  const auto sent = r.sent();
  EXPECT_TRUE(frames_of(sent, FrameType::kMsg).empty());
  EXPECT_TRUE(frames_of(sent, FrameType::kResend).empty());
  r.pass(millis(5));
  EXPECT_GE(r.ctx.stats.timeouts.value(), 12u) << "later, what is still missing is asked for";
}

TEST(Timers, a_stall_excuses_no_deadline) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  call.deadline = r.now + millis(300);
  r.stall(base::seconds(3));
  EXPECT_EQ(call.code, base::Code::kDeadlineExceeded);
}

// Whoever comes when it asked to be called has not stalled, however long that was, and late by up
// to a quarter of the peer's time is how a busy machine is.
TEST(Timers, neither_rest_nor_a_small_delay_is_a_stall) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  base::Nanos longest;
  const auto until_asked = [&] { return base::elapsed(r.now, r.ctx.wheel.next_deadline()); };
  for (const base::Nanos end = r.now + base::seconds(200); r.now < end;) {
    longest = std::max(longest, until_asked());
    r.stall(until_asked());
  }
  EXPECT_GT(longest, base::seconds(1)) << "else it did not rest";
  EXPECT_EQ(r.ctx.stats.stalls.value(), 0u);
  const PacketData bytes = pattern(100);
  r.call(bytes);
  r.stall(until_asked() + r.ctx.config.peer_timeout / kOwnStallShare);
  EXPECT_EQ(r.ctx.stats.stalls.value(), 0u);
  r.stall(until_asked() + r.ctx.config.peer_timeout / kOwnStallShare + base::nanos(1));
  EXPECT_EQ(r.ctx.stats.stalls.value(), 1u);
}

TEST(Timers, a_round_trip_with_a_stall_in_it_is_not_measured) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes);
  r.pass(millis(3));
  const auto then = static_cast<uint32_t>(r.now.value());
  const uint32_t nonce = r.lane->ping_nonce;
  ASSERT_TRUE(r.lane->ping_outstanding);
  r.sent();
  r.stall(millis(600));
  r.give(r.peer.bundle(wire::PongFrame{nonce, then, 0}));
  EXPECT_FALSE(r.lane->rtt.has_sample());
}

// The answer to a PING may take longer than the time to the next PING.
TEST(Timers, a_long_round_trip_is_measured_too) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  const PacketData bytes = pattern(100);
  r.call(bytes);
  std::vector<std::pair<base::Nanos, wire::PongFrame>> echoes;
  for (int i = 0; i < 30; ++i) {
    r.pass(millis(1));
    for (const Opened& packet : r.sent()) {
      for (const wire::Frame& frame : frames_of({packet}, FrameType::kPing)) {
        const wire::PongFrame pong{frame.ping.nonce, packet.bundle.timestamp, 0};
        echoes.push_back({r.now + millis(11), pong});
      }
    }
    while (!echoes.empty() && echoes.front().first <= r.now) {
      r.give(r.peer.bundle(echoes.front().second));
      echoes.erase(echoes.begin());
    }
  }
  EXPECT_EQ(r.lane->rtt.smoothed(), millis(11));
}

TEST(Timers, a_stall_lets_a_suspected_peer_answer) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  r.lane->suspect_until = r.now + kSuspectWait;
  r.sender.ping(*r.lane);
  r.ctx.wheel.arm(r.lane->timer, r.now + kLaneTick);
  r.stall(base::seconds(3));
  EXPECT_TRUE(r.lane->live);
  r.pass(kSuspectWait + millis(2));
  EXPECT_FALSE(r.lane->live);
}

// Verifies MUST-T23: one lost PING, on a path that loses packets, is no answer.
TEST(Timers, a_suspected_peer_is_asked_more_than_once) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  r.lane->suspect_until = r.now + kSuspectWait;
  r.sender.ping(*r.lane);
  r.ctx.wheel.arm(r.lane->timer, r.now + kLaneTick);
  size_t asked = 0;
  for (int i = 0; i < 40; ++i) {
    r.pass(millis(1));
    asked += frames_of(r.sent(), FrameType::kPing).size();
  }
  EXPECT_GE(asked, 5u);
}

// Verifies MUST-T23: a suspected lane asks, and ends only if nothing verifies.
TEST(Timers, a_suspected_lane_lives_if_its_peer_does) {
  for (const bool alive : {true, false}) {
    Roles r;
    r.give(r.peer.bundle(wire::AckFrame{0, 99}));
    r.lane->suspect_until = r.now + kSuspectWait;
    r.sender.ping(*r.lane);
    r.ctx.wheel.arm(r.lane->timer, r.now + kLaneTick);
    EXPECT_EQ(frames_of(r.sent(), FrameType::kPing).size(), 1u);
    r.pass(kSuspectWait / 2);
    EXPECT_TRUE(r.lane->live);
    PacketData forged = r.peer.bundle(wire::PongFrame{r.lane->ping_nonce, 0, 0});
    if (!alive) forged.back() ^= 1;
    r.give(forged);
    r.pass(kSuspectWait);
    EXPECT_EQ(r.lane->live, alive);
  }
}

// Verifies MUST-C5: the previous key goes after its grace time, on an idle lane too.
TEST(Timers, the_previous_key_goes_in_time) {
  Roles r;
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  r.pass(millis(100));
  const PacketData late = r.peer.bundle(wire::AckFrame{0, 99});
  const PacketData later = r.peer.bundle(wire::AckFrame{0, 99});
  r.peer.set_send_epoch(1);
  r.give(r.peer.bundle(wire::AckFrame{0, 99}));
  r.give(late);
  EXPECT_EQ(r.ctx.stats.drop_epoch.value(), 0u);
  r.pass(base::limits::kPreviousEpochGrace + millis(5));
  r.give(later);
  EXPECT_EQ(r.ctx.stats.drop_epoch.value(), 1u);
}

TEST(Timers, a_close_waits_for_its_frame_only) {
  Roles r;
  r.lane->close_queued = r.lane->after_packet = true;
  r.sender.queue(*r.lane, wire::CloseFrame{9});
  r.pass(millis(1));
  EXPECT_TRUE(r.lane->live);
  const auto sent = r.sent();
  EXPECT_EQ(frames_of(sent, FrameType::kClose).size(), 1u);
  r.pass(micros(10));
  EXPECT_FALSE(r.lane->live);
}

}  // namespace
}  // namespace sluice::transport
