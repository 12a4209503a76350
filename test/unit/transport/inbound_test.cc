// SPDX-License-Identifier: Apache-2.0
#include "transport/inbound.h"

#include <gtest/gtest.h>

#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

using wire::FrameType;
using Reserve = Inbound::Reserve;
using Verdict = Inbound::Verdict;

TEST(Inbound, landing_is_found_by_mode_and_length) {
  Roles r;
  Exchange* exchange = r.lifecycle.allocate(*r.lane, false);
  Incoming in;
  const auto reserve = [&](LandingMode mode, uint32_t length, uint32_t capacity = 0) {
    static uint8_t named[1000];
    const Landing landing{mode, capacity, mode == LandingMode::kNamed ? named : nullptr};
    const Reserve result = r.inbound.reserve(*exchange, landing, length, &in);
    if (in.from_arena) r.ctx.arena.release(in.memory);
    in.from_arena = false;
    return result;
  };
  EXPECT_EQ(reserve(LandingMode::kBuffered, kInlineBytes), Reserve::kReserved);
  EXPECT_EQ(in.memory, exchange->inline_bytes);
  EXPECT_EQ(reserve(LandingMode::kBuffered, 256u << 10), Reserve::kReserved);
  EXPECT_NE(in.memory, nullptr);
  EXPECT_EQ(reserve(LandingMode::kBuffered, (256u << 10) + 1), Reserve::kTooLarge);
  EXPECT_EQ(reserve(LandingMode::kAsk, 256u << 10), Reserve::kReserved);
  EXPECT_EQ(reserve(LandingMode::kAsk, (256u << 10) + 1), Reserve::kOffer);
  EXPECT_EQ(reserve(LandingMode::kNamed, 1000, 1000), Reserve::kReserved);
  EXPECT_EQ(reserve(LandingMode::kNamed, 1001, 1000), Reserve::kTooLarge);
  EXPECT_EQ(reserve(LandingMode::kStream, 1u << 30, 65536), Reserve::kReserved);
  EXPECT_EQ(in.window, 65536u);
  EXPECT_EQ(reserve(LandingMode::kStream, 1u << 30, 1u << 22), Reserve::kNoMemory);
  EXPECT_EQ(reserve(LandingMode::kStream, (1u << 30) + 1, 65536), Reserve::kTooLarge);
  EXPECT_EQ(r.ctx.stats.limit_arena.value(), 1u);
  r.lifecycle.discard(*exchange);
}

TEST(Inbound, a_small_message_is_never_offered) {
  EndpointConfig config = bench_config();
  config.max_buffered_message = 100;
  Roles r(config);
  r.ctx.services.insert(1, ServiceLanding{LandingMode::kAsk, 0});
  r.give(r.peer.request(1, pattern(500)));
  EXPECT_EQ(r.served(1)->state, ExchangeState::kDelivered);
}

constexpr uint8_t kLazy = wire::kMsgOneWay | wire::kMsgLazy;

TEST(Inbound, lazy_acks_wait_for_company_but_not_for_long) {
  Roles r;
  for (uint64_t id = 1; id <= 5; ++id) r.give(r.peer.request(id, pattern(50), kLazy));
  EXPECT_TRUE(frames_of(r.sent(), FrameType::kAckRun).empty());
  EXPECT_EQ(r.ctx.stats.acks_held.value(), 5u);
  r.pass(kLazyHold);
  const auto runs = frames_of(r.sent(), FrameType::kAckRun);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].ack_run, (wire::AckRunFrame{1, 5}));
  r.give(r.peer.request(6, pattern(50), kLazy));
  r.pass(kLazyHold);
  const auto acks = frames_of(r.sent(), FrameType::kAck);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].ack.id, 6u);
}

TEST(Inbound, held_acks_go_with_the_next_bundle) {
  Roles r;
  r.sent();
  r.give(r.peer.request(1, pattern(50), kLazy));
  r.give(r.peer.request(2, pattern(50), kLazy));
  r.give(r.peer.bundle(wire::PingFrame{9}));
  const auto sent = r.sent();
  EXPECT_EQ(sent.size(), 1u);
  EXPECT_EQ(frames_of(sent, FrameType::kPong).size(), 1u);
  EXPECT_EQ(frames_of(sent, FrameType::kAckRun).size(), 1u);
}

TEST(Inbound, enough_held_acks_do_not_wait) {
  EndpointConfig config = bench_config();
  config.max_exchanges = 2 * HeldAcks::kMaxIds;
  Roles r(config);
  for (uint64_t id = 1; id <= HeldAcks::kMaxIds; ++id) {
    EXPECT_TRUE(frames_of(r.sent(), FrameType::kAckRun).empty());
    r.give(r.peer.request(id, pattern(50), kLazy));
  }
  const auto runs = frames_of(r.sent(), FrameType::kAckRun);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].ack_run, (wire::AckRunFrame{1, HeldAcks::kMaxIds}));
}

TEST(Inbound, an_ack_that_somebody_waits_for_goes_at_once) {
  Roles r;
  r.give(r.peer.request(1, pattern(50), wire::kMsgOneWay));
  EXPECT_EQ(frames_of(r.sent(), FrameType::kAck).size(), 1u);
  EXPECT_EQ(r.ctx.stats.acks_held.value(), 0u);
}

// Verifies MUST-T15 and MUST-T18: where bytes may be opened to, by what is known of the message.
TEST(Inbound, the_target_of_a_range_depends_on_its_neighbours) {
  Roles r;
  r.give(r.peer.data(DataSpec{.message_length = 200000}, pattern(1000)));
  Exchange& exchange = *r.served(1);
  uint8_t* out = nullptr;
  EXPECT_EQ(r.inbound.target(exchange, 200001, 1000, 1000, &out), Verdict::kMalformed);
  EXPECT_EQ(r.inbound.target(exchange, 200000, 0, 1000, &out), Verdict::kDuplicate);
  EXPECT_EQ(r.inbound.target(exchange, 200000, 500, 1000, &out), Verdict::kScratch);
  EXPECT_EQ(r.inbound.target(exchange, 200000, 1000, 1000, &out), Verdict::kInto);
  EXPECT_EQ(out, exchange.in.memory + 1000);
  EXPECT_EQ(r.inbound.target(exchange, 200000, 1500, 1000, &out), Verdict::kBusy);
  EXPECT_EQ(r.inbound.target(exchange, 200000, 2000, 1000, &out), Verdict::kInto);
  const uint32_t granted = exchange.in.reassembly->grant.granted;
  EXPECT_EQ(r.inbound.target(exchange, 200000, granted - 999, 1000, &out), Verdict::kUngranted);
}

// Verifies MUST-T5: what was not granted is dropped and counted, however well it is sealed.
TEST(Inbound, sealed_bytes_beyond_the_grant_are_dropped) {
  EndpointConfig config = bench_config();
  config.credit_bytes = 200000;
  Roles r(config);
  DataSpec spec{.message_length = 250000};
  r.give(r.peer.data(spec, pattern(1000)));
  const uint32_t granted = r.served(1)->in.reassembly->grant.granted;
  ASSERT_LT(granted, 250000u) << "the test needs a message that is not granted whole";
  spec.offset = granted;
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.ctx.stats.drop_ungranted.value(), 1u);
  EXPECT_EQ(r.served(1)->in.reassembly->received.total(), 1000u);
}

// Verifies MUST-T18.
TEST(Inbound, all_packets_of_a_message_agree_on_its_length) {
  Roles r;
  DataSpec spec{.message_length = 5000};
  r.give(r.peer.data(spec, pattern(1000)));
  spec.offset = 1000;
  spec.message_length = 6000;
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.ctx.stats.drop_malformed.value(), 1u);
  EXPECT_EQ(r.served(1)->in.reassembly->received.total(), 1000u);
}

TEST(Inbound, a_hole_too_many_is_dropped_and_asked_for_again) {
  Roles r;
  DataSpec spec{.message_length = 60000};
  r.give(r.peer.data(spec, pattern(100)));
  for (uint32_t i = 1; i < 40; ++i) {
    spec.offset = i * 1000;
    r.give(r.peer.data(spec, pattern(100)));
  }
  EXPECT_EQ(r.ctx.stats.drop_holes.value(), 40 - base::limits::kMaxReceivedRanges);
  for (uint32_t at = 0; at < 60000; at += 1000) {
    spec.offset = at;
    spec.attempt = 1;
    r.give(r.peer.data(spec, pattern(1000, static_cast<uint8_t>(at / 1000))));
  }
  ASSERT_EQ(r.served(1)->state, ExchangeState::kDelivered);
}

TEST(Inbound, without_a_place_to_reassemble_nothing_begins_and_it_may_come_again) {
  EndpointConfig config = bench_config();
  config.max_reassemblies = 1;
  Roles r(config);
  r.give(r.peer.data(DataSpec{.id = 1, .message_length = 5000}, pattern(1000)));
  r.give(r.peer.data(DataSpec{.id = 2, .message_length = 5000}, pattern(1000)));
  EXPECT_EQ(r.served(2), nullptr);
  EXPECT_EQ(r.ctx.stats.drop_no_memory.value(), 1u);
  EXPECT_EQ(r.lane->peer_ids.classify(2), PeerIds::Class::kNew);
  r.give(r.peer.bundle(wire::FloorFrame{2}));
  r.give(r.peer.data(DataSpec{.id = 2, .message_length = 5000}, pattern(1000)));
  EXPECT_NE(r.served(2), nullptr);
}

TEST(Inbound, an_offered_message_lands_where_the_application_says) {
  Roles r;
  r.ctx.services.insert(1, ServiceLanding{LandingMode::kAsk, 0});
  constexpr uint32_t kLength = 300000;
  r.give(r.peer.data(DataSpec{.message_length = kLength}, pattern(1000)));
  Exchange& exchange = *r.served(1);
  EXPECT_EQ(exchange.state, ExchangeState::kOffered);
  EXPECT_EQ(r.polled().back().length, kLength);
  std::vector<uint8_t> memory(kLength);
  Landing landing{LandingMode::kBuffered, 0, nullptr};
  EXPECT_EQ(r.inbound.land(exchange, landing, r.now), base::Code::kInvalidArgument);
  landing = {LandingMode::kStream, 3000, nullptr};
  EXPECT_EQ(r.inbound.land(exchange, landing, r.now), base::Code::kInvalidArgument);
  landing = {LandingMode::kStream, 1u << 24, nullptr};
  EXPECT_EQ(r.inbound.land(exchange, landing, r.now), base::Code::kResourceExhausted);
  landing = {LandingMode::kNamed, kLength, nullptr};
  EXPECT_EQ(r.inbound.land(exchange, landing, r.now), base::Code::kInvalidArgument);
  landing = {LandingMode::kNamed, kLength - 1, memory.data()};
  EXPECT_EQ(r.inbound.land(exchange, landing, r.now), base::Code::kTooLarge);
  landing.capacity = kLength;
  EXPECT_EQ(r.inbound.land(exchange, landing, r.now), base::Code::kOk);
  EXPECT_EQ(r.inbound.land(exchange, landing, r.now), base::Code::kInvalidArgument);
  const auto asked = frames_of(r.sent(), FrameType::kResend);
  ASSERT_EQ(asked.size(), 1u) << "what came before there was memory";
  EXPECT_EQ(asked[0].resend.offset, 0u);
  const PacketData first = pattern(1000);
  r.give(r.peer.data(DataSpec{.message_length = kLength, .attempt = 1}, first));
  EXPECT_TRUE(std::equal(first.begin(), first.end(), memory.begin()));
}

// Verifies MUST-T6: not consumed, not granted; and others go on.
TEST(Inbound, a_stream_is_granted_as_it_is_consumed) {
  Roles r;
  r.ctx.services.insert(9, ServiceLanding{LandingMode::kStream, 16384});
  DataSpec spec{.message_length = 1000000, .service = 9};
  for (uint32_t at = 0; at < 16000; at += 1000) {
    spec.offset = at;
    r.give(r.peer.data(spec, pattern(1000)));
  }
  Exchange& stream = *r.served(1);
  EXPECT_EQ(stream.in.reassembly->grant.granted, 16384u);
  r.polled();
  r.give(r.peer.data(DataSpec{.id = 2, .message_length = 200000}, pattern(1000)));
  bool other = false;
  for (const wire::Frame& frame : frames_of(r.sent(), FrameType::kGrant)) {
    EXPECT_NE(frame.grant.id, 1u);
    other |= frame.grant.id == 2;
  }
  EXPECT_TRUE(other);
  EXPECT_EQ(r.inbound.consume(stream, 16001), base::Code::kInvalidArgument);
  EXPECT_EQ(r.inbound.consume(stream, 16000), base::Code::kOk);
  r.inbound.settle(r.now);
  const auto grants = frames_of(r.sent(), FrameType::kGrant);
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].grant.offset, 32384u);
  EXPECT_EQ(r.inbound.consume(*r.served(2), 1), base::Code::kInvalidArgument) << "no stream";
}

// A sender may hold itself to fewer unscheduled bytes than it is allowed.
TEST(Inbound, what_the_sender_does_not_send_unasked_is_granted) {
  Roles r;
  r.give(r.peer.data(DataSpec{.message_length = 9000, .granted = 2000}, pattern(1000)));
  const auto grants = frames_of(r.sent(), FrameType::kGrant);
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].grant.offset, 9000u);
}

// Verifies MUST-T4: GRANT and RESEND of a callee name the request.
TEST(Inbound, grants_name_the_part_and_rise) {
  Roles r;
  DataSpec spec{.message_length = 250000};
  uint32_t last = 0;
  for (uint32_t at = 0; at + 1000 <= 250000; at += 1000) {
    spec.offset = at;
    r.give(r.peer.data(spec, pattern(1000)));
    for (const wire::Frame& frame : frames_of(r.sent(), FrameType::kGrant)) {
      EXPECT_EQ(frame.grant.bits, 0);
      EXPECT_GT(frame.grant.offset, last);
      last = frame.grant.offset;
    }
  }
  EXPECT_EQ(last, 250000u);
  EXPECT_EQ(r.served(1)->state, ExchangeState::kDelivered);
  EXPECT_EQ(r.policy->outstanding(), 0u);
}

TEST(Inbound, only_a_higher_priority_lets_later_bytes_overtake) {
  Reassembly message;
  message.allowed = 1000;  // Unasked.
  message.allow(2000, 3);
  EXPECT_EQ(message.class_begin, 0u) << "what comes unasked goes before what was granted";
  message.allow(3000, 3);
  message.allow(4000, 1);
  EXPECT_EQ(message.class_begin, 0u) << "lower ones queue behind";
  message.allow(5000, 2);
  EXPECT_EQ(message.class_begin, 4000u);
  message.allow(4500, 2);
  EXPECT_EQ(message.allowed, 5000u) << "a grant said again takes nothing back";
}

// Verifies MUST-T1: well only with the whole response verified.
TEST(Inbound, a_call_ends_well_with_the_last_byte_of_its_response) {
  Roles r;
  const PacketData ask = pattern(10), whole = pattern(3000);
  Exchange& call = r.call(ask);
  r.sent();
  for (uint32_t begin = 0; begin < 3000; begin += 1000) {
    EXPECT_NE(call.state, ExchangeState::kDone);
    DataSpec spec{.offset = begin, .message_length = 3000, .initiator = false};
    r.give(r.peer.data(spec, {whole.begin() + begin, whole.begin() + begin + 1000}));
  }
  EXPECT_EQ(call.state, ExchangeState::kDone);
  EXPECT_EQ(call.code, base::Code::kOk);
  EXPECT_TRUE(r.ctx.find_exchange(*r.lane, true, 1) == nullptr);
}

TEST(Inbound, a_response_too_large_for_its_landing_fails_the_call) {
  Roles r;
  uint8_t memory[100];
  const PacketData ask = pattern(10);
  Exchange& data = r.call(ask, false, Landing{LandingMode::kNamed, sizeof(memory), memory});
  Exchange& small = r.call(ask, false, Landing{LandingMode::kNamed, sizeof(memory), memory});
  r.sent();
  r.give(r.peer.data(DataSpec{.id = 1, .initiator = false}, pattern(101)));
  r.give(r.peer.response(2, pattern(101)));
  EXPECT_EQ(data.code, base::Code::kTooLarge);
  EXPECT_EQ(small.code, base::Code::kTooLarge);
  EXPECT_TRUE(data.may_have_executed);
}

}  // namespace
}  // namespace sluice::transport
