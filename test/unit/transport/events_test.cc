// SPDX-License-Identifier: Apache-2.0
#include "transport/events.h"

#include <gtest/gtest.h>

#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

constexpr uint16_t kStreamed = 9;

TEST(Events, a_request_comes_with_its_bytes_and_a_call_with_its_answer) {
  Roles r;
  const PacketData ask = pattern(100), answer = pattern(40, 9);
  r.call(ask).user = 77;
  r.give({r.peer.request(1, ask), r.peer.response(1, answer)});
  const auto events = r.polled();
  ASSERT_EQ(events.size(), 3u) << "the lane came up first";
  EXPECT_EQ(events[0].kind, EventKind::kLaneUp);
  EXPECT_EQ(events[1].kind, EventKind::kRequest);
  EXPECT_EQ(PacketData(events[1].data, events[1].data + events[1].length), ask);
  EXPECT_TRUE(events[1].last);
  EXPECT_EQ(events[2].kind, EventKind::kCallDone);
  EXPECT_EQ(events[2].user, 77u);
  EXPECT_EQ(PacketData(events[2].data, events[2].data + events[2].length), answer);
  EXPECT_TRUE(r.polled().empty()) << "each is told once";
}

TEST(Events, a_slice_of_the_queue_can_be_taken) {
  Roles r;
  const PacketData bytes = pattern(10);
  for (uint64_t id = 1; id <= 5; ++id) r.give(r.peer.request(id, bytes));
  Event some[4];
  EXPECT_EQ(r.events.poll(some), 4u);
  EXPECT_EQ(r.events.poll(some), 2u);
  EXPECT_EQ(r.events.poll(some), 0u);
}

// Bytes come in order, in the pieces that the ring has, each once.
TEST(Events, a_stream_is_told_along_its_ring) {
  Roles r;
  r.ctx.services.insert(kStreamed, ServiceLanding{LandingMode::kStream, 16384});
  const PacketData whole = pattern(30000);
  const auto piece = [&](uint32_t begin, uint32_t end) {
    DataSpec spec;
    spec.service = kStreamed;
    spec.offset = begin;
    spec.message_length = 30000;
    r.give(r.peer.data(spec, {whole.begin() + begin, whole.begin() + end}));
  };
  uint32_t seen = 0;
  const auto drain = [&](bool consume) {
    for (const Event& event : r.polled()) {
      if (event.kind != EventKind::kStream) continue;
      EXPECT_EQ(event.offset, seen);
      EXPECT_TRUE(std::equal(event.data, event.data + event.length, whole.begin() + seen));
      seen += event.length;
      EXPECT_EQ(event.last, seen == whole.size());
      if (!consume) continue;
      Exchange* exchange = r.ctx.find_exchange(event.exchange);
      EXPECT_EQ(r.inbound.consume(*exchange, event.length), base::Code::kOk);
      r.inbound.settle(r.now);
    }
  };
  piece(1000, 2000);
  drain(false);
  EXPECT_EQ(seen, 0u) << "nothing before the first byte";
  piece(0, 1000);
  drain(true);
  EXPECT_EQ(seen, 2000u);
  for (uint32_t at = 2000; at < 30000; at += 1000) {
    piece(at, at + 1000);
    drain(true);
  }
  EXPECT_EQ(seen, 30000u);
}

TEST(Events, a_stream_that_ends_early_says_so_once) {
  Roles r;
  r.ctx.services.insert(kStreamed, ServiceLanding{LandingMode::kStream, 16384});
  DataSpec spec;
  spec.service = kStreamed;
  spec.message_length = 30000;
  r.give(r.peer.data(spec, pattern(1000)));
  EXPECT_EQ(r.polled().back().kind, EventKind::kStream);
  const ExchangeRef ref = r.ctx.ref_of(*r.served(1));
  r.give(r.peer.bundle(wire::ReleaseFrame{1, 1}));
  const auto events = r.polled();
  ASSERT_EQ(events.size(), 1u) << "its reader must not wait for ever";
  EXPECT_EQ(events[0].kind, EventKind::kStream);
  EXPECT_TRUE(events[0].last);
  EXPECT_EQ(events[0].code, base::Code::kAborted);
  EXPECT_TRUE(r.polled().empty());
  r.lifecycle.free(*r.ctx.find_exchange(ref));
  EXPECT_TRUE(r.empty());
}

// Its caller was told that it is here: whatever ends then, the application gets it.
TEST(Events, a_one_way_stream_that_is_here_whole_is_read_to_its_end) {
  for (const bool closed : {false, true}) {
    Roles r;
    r.ctx.services.insert(kStreamed, ServiceLanding{LandingMode::kStream, 16384});
    DataSpec spec;
    spec.service = kStreamed;
    spec.message_length = 12000;
    spec.one_way = true;
    for (; spec.offset < 12000; spec.offset += 1000) r.give(r.peer.data(spec, pattern(1000)));
    EXPECT_EQ(frames_of(r.sent(), wire::FrameType::kAck).size(), 1u);
    const ExchangeRef ref = r.ctx.ref_of(*r.served(1));
    if (closed) {
      r.lifecycle.close_lane(*r.lane, base::Code::kClosed);
    } else {
      r.give(r.peer.bundle(wire::FloorFrame{2}));
    }
    uint32_t read = 0;
    for (const Event& event : r.polled()) {
      if (event.kind != EventKind::kStream) continue;
      EXPECT_EQ(event.code, base::Code::kOk);
      EXPECT_EQ(event.offset, read);
      read += event.length;
      EXPECT_EQ(event.last, read == 12000);
    }
    EXPECT_EQ(read, 12000u);
    r.lifecycle.free(*r.ctx.find_exchange(ref));
    EXPECT_TRUE(r.empty());
  }
}

TEST(Events, the_kind_of_a_message_is_told_with_its_offer_and_its_bytes) {
  for (const bool one_way : {false, true}) {
    Roles r;
    r.ctx.services.insert(kStreamed, ServiceLanding{LandingMode::kAsk, 0});
    DataSpec spec;
    spec.one_way = one_way;
    r.give(r.peer.data(spec, pattern(1000)));
    spec.id = 2;
    spec.service = kStreamed;
    spec.message_length = 300000;
    r.give(r.peer.data(spec, pattern(1000)));
    const auto events = r.polled();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[1].kind, one_way ? EventKind::kOneWay : EventKind::kRequest);
    EXPECT_EQ(events[1].one_way, one_way);
    EXPECT_EQ(events[2].kind, EventKind::kOffer);
    EXPECT_EQ(events[2].one_way, one_way);
  }
}

TEST(Events, the_end_of_a_send_frees_its_exchange) {
  Roles r;
  const PacketData bytes = pattern(100);
  r.call(bytes, true);
  r.sent();
  r.give(r.peer.bundle(wire::AckFrame{0, 1}));
  const auto events = r.polled();
  EXPECT_EQ(events.back().kind, EventKind::kSendDone);
  EXPECT_TRUE(r.empty());
}

TEST(Events, shuffled_deliveries_are_all_told_once) {
  EndpointConfig config = bench_config();
  config.shuffle_deliveries = true;
  Roles r(config);
  for (uint64_t id = 1; id <= 30; ++id) r.give(r.peer.request(id, pattern(10)));
  std::vector<uint32_t> order;
  for (const Event& event : r.polled()) {
    if (event.kind == EventKind::kRequest) order.push_back(event.exchange.index);
  }
  ASSERT_EQ(order.size(), 30u);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(std::unique(order.begin(), order.end()), order.end());
}

TEST(Events, a_lane_that_ended_is_used_again_once_its_end_was_told) {
  EndpointConfig config = bench_config();
  config.max_lanes = 1;
  Roles r(config);
  r.lifecycle.close_lane(*r.lane, base::Code::kClosed);
  LaneRef next;
  EXPECT_EQ(r.lifecycle.open_lane(r.lane_command(), r.now, &next), base::Code::kResourceExhausted);
  EXPECT_EQ(r.polled().size(), 1u);
  EXPECT_EQ(r.lifecycle.open_lane(r.lane_command(), r.now, &next), base::Code::kOk);
  EXPECT_EQ(next.index, r.lane_ref.index);
  EXPECT_NE(next.generation, r.lane_ref.generation);
}

// A request of one peer must never look like one of another that came after it.
TEST(Events, an_event_names_the_lane_it_came_from_when_its_place_is_used_again) {
  EndpointConfig config = bench_config();
  config.max_lanes = 1;
  Roles r(config);
  r.give(r.peer.request(1, pattern(10)));
  r.lifecycle.close_lane(*r.lane, base::Code::kClosed);
  Event events[2];
  ASSERT_EQ(r.events.poll(events), 2u);
  ASSERT_EQ(events[1].kind, EventKind::kLaneDown);
  LaneRef next;
  ASSERT_EQ(r.lifecycle.open_lane(r.lane_command(), r.now, &next), base::Code::kOk);
  const auto late = r.polled();
  ASSERT_EQ(late.size(), 1u);
  EXPECT_EQ(late[0].kind, EventKind::kRequest);
  EXPECT_EQ(late[0].lane, r.lane_ref);
}

}  // namespace
}  // namespace sluice::transport
