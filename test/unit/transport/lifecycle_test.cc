// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle.h"

#include <gtest/gtest.h>

#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

constexpr uint16_t kStreamed = 9;

TEST(Lifecycle, an_exchange_comes_fresh_and_the_table_has_an_end) {
  Roles r;
  std::vector<Exchange*> all;
  while (Exchange* exchange = r.lifecycle.allocate(*r.lane, false)) all.push_back(exchange);
  EXPECT_EQ(all.size(), 64u);
  const uint32_t generation = all[0]->generation;
  all[0]->may_have_executed = true;
  all[0]->out.sent = 7;
  all[0]->out.misses = 3;
  r.lifecycle.discard(*all[0]);
  Exchange* again = r.lifecycle.allocate(*r.lane, true);
  ASSERT_EQ(again, all[0]);
  EXPECT_EQ(again->generation, generation + 1);
  EXPECT_FALSE(again->may_have_executed);
  EXPECT_EQ(again->out.sent, 0u);
  EXPECT_EQ(again->out.misses, 0u);
  EXPECT_EQ(again->state, ExchangeState::kSending);
}

// Verifies MUST-T14: before the last byte went out the answer is no, afterwards yes.
TEST(Lifecycle, only_a_request_that_went_out_whole_may_have_executed) {
  Roles r;
  const PacketData bytes = pattern(200000);
  Exchange& call = r.call(bytes);
  r.sent();
  EXPECT_LT(call.out.sent, call.out.length) << "it waits for grants";
  r.lifecycle.complete(call, base::Code::kCancelled);
  EXPECT_FALSE(call.may_have_executed);
  const PacketData few = pattern(2000);
  Exchange& other = r.call(few);
  r.sent();
  r.lifecycle.complete(other, base::Code::kCancelled);
  EXPECT_TRUE(other.may_have_executed);
}

// Verifies MUST-T14: UNKNOWN does not take back what may still be on its way.
TEST(Lifecycle, a_request_begun_again_may_still_have_executed) {
  Roles r;
  const PacketData bytes = pattern(2000);
  Exchange& call = r.call(bytes);
  r.sent();
  r.give(r.peer.bundle(wire::UnknownFrame{0, 1}));
  EXPECT_EQ(call.out.sent, 0u);
  r.lifecycle.complete(call, base::Code::kDeadlineExceeded);
  EXPECT_TRUE(call.may_have_executed);
}

// Verifies MUST-T1: one completion, whatever comes afterwards.
TEST(Lifecycle, a_call_completes_once_and_its_id_is_released) {
  Roles r;
  const PacketData bytes = pattern(100);
  Exchange& call = r.call(bytes);
  r.sent();
  r.lifecycle.complete(call, base::Code::kCancelled);
  r.give({r.peer.response(1, bytes), r.peer.bundle(wire::GoneFrame{0, 1, 2}),
          r.peer.data(DataSpec{.id = 1, .initiator = false}, bytes)});
  size_t completions = 0;
  for (const Event& event : r.polled()) completions += event.kind == EventKind::kCallDone;
  EXPECT_EQ(completions, 1u);
  EXPECT_EQ(call.code, base::Code::kCancelled);
  EXPECT_EQ(r.lane->own_ids.floor(), 2u);
  EXPECT_EQ(r.ctx.stats.rpc_failed.value(), 1u);
  r.lifecycle.free(call);
  EXPECT_TRUE(r.empty());
}

// Verifies MUST-T17: a failed call's buffer goes back before its completion is told.
TEST(Lifecycle, a_failed_call_gives_its_landing_back) {
  Roles r;
  const PacketData bytes = pattern(100);
  Exchange& call = r.call(bytes);
  r.sent();
  DataSpec spec;
  spec.initiator = false;
  spec.message_length = 100000;
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_LT(r.ctx.arena.bytes_free(), r.ctx.arena.bytes_total());
  r.lifecycle.complete(call, base::Code::kCancelled);
  EXPECT_EQ(r.ctx.arena.bytes_free(), r.ctx.arena.bytes_total());
  spec.offset = 1000;
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.ctx.stats.drop_late.value(), 1u);
  r.lifecycle.free(call);
  EXPECT_TRUE(r.empty());
}

// What was shown of a stream stays readable until the application is done with the exchange.
TEST(Lifecycle, a_failed_stream_keeps_its_memory_until_it_is_released) {
  Roles r;
  const PacketData bytes = pattern(100);
  Exchange& call = r.call(bytes, false, Landing{LandingMode::kStream, 16384, nullptr});
  r.sent();
  DataSpec spec;
  spec.initiator = false;
  spec.message_length = 100000;
  const PacketData first = pattern(1000);
  r.give(r.peer.data(spec, first));
  const Event event = r.polled().back();
  ASSERT_EQ(event.kind, EventKind::kStream);
  r.lifecycle.complete(call, base::Code::kCancelled);
  uint8_t* other = r.ctx.arena.allocate(16384);
  std::memset(other, 0xEE, 16384);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), event.data));
  r.ctx.arena.release(other);
  r.lifecycle.free(call);
  EXPECT_TRUE(r.empty());
}

// The burst's bytes were not told to the policy yet when the message ends in the same burst.
TEST(Lifecycle, a_message_that_ends_in_its_burst_leaves_no_grant_outstanding) {
  Roles r;
  DataSpec spec;
  spec.message_length = 100000;
  const PacketData bytes = pattern(1000);
  r.give(r.peer.data(spec, bytes));
  ASSERT_GT(r.policy->outstanding(), 0u);
  spec.offset = 1000;
  const PacketData more = r.peer.data(spec, bytes);
  r.give({more, r.peer.bundle(wire::ReleaseFrame{1, 1})});
  EXPECT_EQ(r.policy->outstanding(), 0u);
  EXPECT_TRUE(r.empty());
}

TEST(Lifecycle, what_the_application_holds_outlives_its_release) {
  Roles r;
  r.give(r.peer.request(1, pattern(100)));
  Exchange* exchange = r.served(1);
  r.give(r.peer.bundle(wire::FloorFrame{2}));
  EXPECT_EQ(r.served(1), nullptr);
  EXPECT_TRUE(exchange->abandoned);
  EXPECT_EQ(exchange->state, ExchangeState::kDelivered);
  r.lifecycle.free(*exchange);
  EXPECT_TRUE(r.empty());
}

// Verifies MUST-T17: the application learns, once, that its memory is its own again.
TEST(Lifecycle, named_memory_comes_back_by_one_event) {
  for (const bool closed : {false, true}) {
    Roles r;
    r.ctx.services.insert(1, ServiceLanding{LandingMode::kAsk, 0});
    PacketData memory(300000);
    DataSpec spec{.message_length = 300000};
    r.give(r.peer.data(spec, pattern(1000)));
    r.polled();
    const ExchangeRef ref = r.ctx.ref_of(*r.served(1));
    const Landing landing{LandingMode::kNamed, 300000, memory.data()};
    ASSERT_EQ(r.inbound.land(*r.served(1), landing, r.now), base::Code::kOk);
    spec.attempt = 1;
    r.give(r.peer.data(spec, pattern(1000)));
    EXPECT_EQ(memory[1], pattern(2)[1]);
    spec.offset = 1000;
    const PacketData late = r.peer.data(spec, pattern(1000));
    if (closed) {
      r.lifecycle.close_lane(*r.lane, base::Code::kUnavailable);
    } else {
      r.give({r.peer.bundle(wire::FloorFrame{2}), late});
    }
    size_t lost = 0;
    for (const Event& event : r.polled()) {
      if (event.kind == EventKind::kLaneDown) continue;
      EXPECT_EQ(event.kind, EventKind::kLost);
      EXPECT_EQ(event.code, closed ? base::Code::kUnavailable : base::Code::kAborted);
      EXPECT_EQ(event.exchange, ref);
      ++lost;
    }
    ASSERT_EQ(lost, 1u);
    const PacketData before = memory;
    spec.offset = 2000;
    r.give({late, r.peer.data(spec, pattern(1000))});
    EXPECT_EQ(memory, before);
    EXPECT_TRUE(r.polled().empty());
    r.lifecycle.free(*r.ctx.find_exchange(ref));
    EXPECT_TRUE(r.empty());
  }
}

TEST(Lifecycle, a_lent_response_comes_back_when_it_is_released) {
  Roles r;
  r.give(r.peer.request(1, pattern(100)));
  const PacketData answer = pattern(5000);
  respond(r, *r.served(1), answer);
  r.sent();
  EXPECT_EQ(r.polled().back().kind, EventKind::kRequest);
  r.give(r.peer.bundle(wire::FloorFrame{2}));
  const auto events = r.polled();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kSendDone);
  EXPECT_TRUE(r.empty());
}

TEST(Lifecycle, the_lender_hears_even_when_the_lane_ends_in_the_same_burst) {
  Roles r;
  r.give(r.peer.request(1, pattern(100)));
  const PacketData answer = pattern(5000);
  respond(r, *r.served(1), answer);
  r.sent();
  r.polled();
  r.give({r.peer.bundle(wire::FloorFrame{2}), r.peer.bundle(wire::CloseFrame{9})});
  size_t done = 0;
  for (const Event& event : r.polled()) done += event.kind == EventKind::kSendDone;
  EXPECT_EQ(done, 1u);
  EXPECT_TRUE(r.empty());
}

TEST(Lifecycle, a_refused_stream_is_freed_by_its_release) {
  Roles r;
  r.ctx.services.insert(kStreamed, ServiceLanding{LandingMode::kStream, 16384});
  DataSpec spec;
  spec.service = kStreamed;
  spec.message_length = r.ctx.config.max_message + 1;
  r.give(r.peer.data(spec, pattern(1000)));
  ASSERT_NE(r.served(1), nullptr);
  EXPECT_EQ(r.served(1)->state, ExchangeState::kRefused);
  r.give(r.peer.bundle(wire::FloorFrame{2}));
  EXPECT_TRUE(r.empty());
}

TEST(Lifecycle, lanes_are_checked_counted_and_ended_whole) {
  Roles r;
  LaneRef ref;
  EXPECT_EQ(r.lifecycle.open_lane(r.lane_command(), r.now, &ref), base::Code::kInvalidArgument)
      << "it is there already";
  InstallLane command = r.lane_command();
  command.peer_max_packet = r.ctx.config.base_packet - 1;
  command.lane = 4;
  EXPECT_EQ(r.lifecycle.open_lane(command, r.now, &ref), base::Code::kInvalidArgument);
  command.peer_max_packet = 1452;
  command.algorithm = crypto::AeadAlgorithm::kNone;
  EXPECT_EQ(r.lifecycle.open_lane(command, r.now, &ref), base::Code::kInvalidArgument)
      << "the backend has no plaintext";
  command.algorithm = crypto::AeadAlgorithm::kAes256Gcm;
  for (uint8_t number = 4; number < 7; ++number) {
    command.lane = number;
    EXPECT_EQ(r.lifecycle.open_lane(command, r.now, &ref), base::Code::kOk);
  }
  command.lane = 7;
  EXPECT_EQ(r.lifecycle.open_lane(command, r.now, &ref), base::Code::kResourceExhausted);
  EXPECT_EQ(r.ctx.stats.limit_lanes.value(), 1u);
}

// Verifies MUST-C11: the keys of a lane that ended are gone.
TEST(Lifecycle, closing_a_lane_ends_its_exchanges_and_wipes_its_keys) {
  Roles r;
  const PacketData bytes = pattern(100), large = pattern(90000);
  r.call(bytes);
  r.call(large);
  r.give(r.peer.request(1, bytes));
  DataSpec spec{.id = 2, .message_length = 100000};
  r.give(r.peer.data(spec, pattern(1000)));
  r.sent();
  const crypto::AeadKey* key = r.lane->send.key();
  r.lifecycle.close_lane(*r.lane, base::Code::kUnavailable);
  for (const uint8_t b : key->expanded) ASSERT_EQ(b, 0);
  EXPECT_EQ(r.lane->receive.select(0), nullptr);
  size_t failed = 0, down = 0;
  for (const Event& event : r.polled()) {
    failed += event.kind == EventKind::kCallDone && event.code == base::Code::kUnavailable;
    down += event.kind == EventKind::kLaneDown;
    Exchange* exchange = r.ctx.find_exchange(event.exchange);
    if (exchange != nullptr) r.lifecycle.free(*exchange);
  }
  EXPECT_EQ(failed, 2u);
  EXPECT_EQ(down, 1u);
  EXPECT_TRUE(r.empty());
  EXPECT_EQ(r.ctx.wheel.next_deadline(), base::Nanos::max());
}

}  // namespace
}  // namespace sluice::transport
