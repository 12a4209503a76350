// SPDX-License-Identifier: Apache-2.0
//
// Padded messages as a peer sends them piece by piece, in any order, well or not.
#include "transport/padding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "test/unit/transport/roles.h"
#include "wire/padding.h"

namespace sluice::transport {
namespace {

EndpointConfig padded_config() {
  EndpointConfig config = bench_config();
  config.padding = true;
  return config;
}

DataSpec part_of(const PacketData& message, uint32_t offset, bool response = false) {
  DataSpec spec;
  spec.offset = offset;
  spec.message_length = static_cast<uint32_t>(message.size());
  spec.initiator = !response;
  return spec;
}

// The pieces [cuts[i], cuts[i + 1]) of a message, from one past the other.
std::vector<PacketData> pieces(Peer* peer, const PacketData& message, std::vector<uint32_t> cuts,
                               bool response = false) {
  cuts.push_back(static_cast<uint32_t>(message.size()));
  std::vector<PacketData> out;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    out.push_back(peer->data(part_of(message, cuts[i], response),
                             {message.begin() + cuts[i], message.begin() + cuts[i + 1]}));
  }
  return out;
}

// What the application hears of messages.
std::vector<Event> told(Roles* r) {
  std::vector<Event> out = r->polled();
  std::erase_if(out, [](const Event& event) { return event.kind == EventKind::kLaneUp; });
  return out;
}

void expect_request(Roles* r, const PacketData& content) {
  const std::vector<Event> events = told(r);
  ASSERT_EQ(events.size(), 1u);
  ASSERT_EQ(events[0].kind, EventKind::kRequest);
  EXPECT_EQ(PacketData(events[0].data, events[0].data + events[0].length), content);
}

// Verifies MUST-L3: the content alone reaches the application, whatever way it came.
TEST(PaddedMessages, arrive_in_any_pieces_and_any_order) {
  const PacketData content = pattern(2000);
  const PacketData message = wire::padded_message(content);
  ASSERT_EQ(message.size(), 2048u);
  std::vector<uint32_t> cuts = {0, 1, 3, 7, 900, 1999, 2003, 2004, 2005, 2040};
  std::vector<size_t> order(cuts.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  base::Prng prng(1);
  for (int round = 0; round < 50; ++round) {
    Roles r(padded_config());
    const std::vector<PacketData> sent = pieces(&r.peer, message, cuts);
    const bool one_burst = round % 2 == 0;
    std::vector<PacketData> burst;
    for (const size_t i : order) {
      burst.push_back(sent[i]);
      if (!one_burst) r.give(sent[i]);
    }
    if (one_burst) r.give(burst);
    expect_request(&r, content);
    EXPECT_EQ(r.ctx.stats.message_bytes_delivered.value(), content.size());
    for (size_t i = order.size(); i-- > 1;) std::swap(order[i], order[prng.uniform(i + 1)]);
  }
}

TEST(PaddedMessages, arrive_whole_in_a_bundle_a_packet_or_a_record) {
  EndpointConfig config = padded_config();
  config.record_mode = true;
  for (const size_t size : {1u, 60u, 61u, 256u, 800u}) {
    const PacketData content = pattern(size);
    const PacketData message = wire::padded_message(content);
    Roles r(config);
    r.give(r.peer.request(1, message));
    expect_request(&r, content);
    DataSpec spec;
    spec.id = 2;
    r.give(r.peer.data(spec, message));
    expect_request(&r, content);
    spec.id = 3;
    r.give(r.peer.record(spec, message));
    expect_request(&r, content);
  }
}

// The refusal that the peer gets for the request.
base::Code refusal_of(Roles* r) {
  const auto gone = frames_of(r->sent(), wire::FrameType::kGone);
  return gone.size() == 1 ? static_cast<base::Code>(gone[0].gone.reason) : base::Code::kOk;
}

// Verifies MUST-L3: each way in which a message can be padded otherwise, each way in which it can
// come, and in each order.
TEST(PaddedMessages, what_is_padded_otherwise_is_delivered_to_nobody) {
  const PacketData good = wire::padded_message(pattern(1500));
  std::vector<PacketData> bad(6, good);
  bad[0].back() = 1;                                          // Not zero at the end,
  bad[1][1504] = 1;                                           // or right behind the content.
  std::fill(bad[2].begin(), bad[2].begin() + 4, uint8_t{0});  // No content.
  bad[3][2] = 0xff;                                           // More content than there is room,
  bad[4][0] = 0xff;                                           // by far.
  bad[5] = {0, 0, 0, 1};                                      // Nothing but a length.
  for (const PacketData& message : bad) {
    for (int way = 0; way < 4; ++way) {
      SCOPED_TRACE(testing::Message() << &message - bad.data() << " " << way);
      EndpointConfig config = padded_config();
      config.record_mode = true;
      Roles r(config);
      std::vector<PacketData> sent = {r.peer.data(part_of(message, 0), message)};
      if (way == 1) sent = r.peer.record(part_of(message, 0), message);
      if (way >= 2 && message.size() > 1000) sent = pieces(&r.peer, message, {0, 700, 1500});
      if (way == 3) std::reverse(sent.begin(), sent.end());
      r.give(sent);
      EXPECT_TRUE(told(&r).empty());
      EXPECT_EQ(refusal_of(&r), base::Code::kDataLoss);
      EXPECT_EQ(r.ctx.arena.bytes_free(), r.ctx.arena.bytes_total());
      r.give(r.peer.bundle(wire::FloorFrame{2}));
      EXPECT_TRUE(r.empty());
    }
  }
}

TEST(PaddedMessages, a_response_that_is_padded_otherwise_ends_its_call) {
  const PacketData request = pattern(10);
  PacketData message = wire::padded_message(pattern(1500));
  message.back() = 1;
  for (const LandingMode mode : {LandingMode::kBuffered, LandingMode::kNamed}) {
    for (const bool whole : {true, false}) {
      Roles r(padded_config());
      PacketData memory(1500);
      r.call(request, false, {mode, 1500, memory.data()});
      r.sent();
      r.give(whole ? pieces(&r.peer, message, {0}, true)
                   : pieces(&r.peer, message, {0, 1000}, true));
      const std::vector<Event> events = told(&r);
      ASSERT_EQ(events.size(), 1u);
      EXPECT_EQ(events[0].kind, EventKind::kCallDone);
      EXPECT_EQ(events[0].code, base::Code::kDataLoss);
      EXPECT_EQ(r.ctx.stats.drop_padding.value(), 1u);
    }
  }
}

// Verifies MUST-L3: named memory needs room for the content, and nothing behind it is written.
TEST(PaddedMessages, named_memory_holds_the_content_and_no_more) {
  const PacketData content = pattern(1500);
  const PacketData message = wire::padded_message(content);
  const PacketData request = pattern(10);
  for (const bool backwards : {false, true}) {
    for (const uint32_t room : {1500u, 1499u}) {
      Roles r(padded_config());
      PacketData memory(room + 64, 0xee);
      r.call(request, false, {LandingMode::kNamed, room, memory.data()});
      r.sent();
      std::vector<PacketData> sent = pieces(&r.peer, message, {0, 3, 800, 1450, 1520}, true);
      if (backwards) std::reverse(sent.begin(), sent.end());
      r.give(sent);
      const std::vector<Event> events = told(&r);
      ASSERT_EQ(events.size(), 1u);
      if (room == 1500) {
        ASSERT_EQ(events[0].code, base::Code::kOk);
        EXPECT_EQ(PacketData(events[0].data, events[0].data + events[0].length), content);
      } else {
        EXPECT_EQ(events[0].code, base::Code::kTooLarge);
      }
      for (size_t i = room; i < memory.size(); ++i) ASSERT_EQ(memory[i], 0xee) << i;
    }
  }
}

// A stream whose content fits its window needs no byte given back, however much padding follows.
TEST(PaddedMessages, padding_takes_no_room_in_a_streams_window) {
  constexpr uint32_t kWindow = 16384;
  const PacketData content = pattern(kWindow);
  const PacketData message = wire::padded_message(content);
  ASSERT_GT(message.size(), kWindow + wire::kLengthPrefix);
  const PacketData request = pattern(10);
  for (const bool wrong : {false, true}) {
    Roles r(padded_config());
    r.call(request, false, {LandingMode::kStream, kWindow, nullptr});
    r.sent();
    PacketData padded = message;
    if (wrong) padded.back() = 1;
    std::vector<uint32_t> cuts;
    for (uint32_t at = 0; at < padded.size(); at += 1000) cuts.push_back(at);
    PacketData read;
    bool last = false;
    base::Code code = base::Code::kInternal;
    for (const PacketData& packet : pieces(&r.peer, padded, cuts, true)) {
      EXPECT_FALSE(last) << "the end is told when all of it is there";
      r.give(packet);
      for (const Event& event : told(&r)) {
        if (event.kind == EventKind::kCallDone) code = event.code;
        if (event.kind != EventKind::kStream || event.data == nullptr) continue;
        EXPECT_EQ(event.offset, read.size());
        EXPECT_GT(event.length, 0u);
        read.insert(read.end(), event.data, event.data + event.length);
        last = event.last;
      }
    }
    EXPECT_EQ(code, wrong ? base::Code::kDataLoss : base::Code::kOk);
    EXPECT_EQ(last, !wrong);
    PacketData shown = content;
    if (wrong) shown.pop_back();  // The last byte waits for the padding.
    EXPECT_EQ(read, shown);
  }
}

// A stream far longer than its window, read as it comes; packets out of order.
TEST(PaddedMessages, long_streams_wrap) {
  Roles r(padded_config());
  const PacketData content = pattern(100'000);
  const PacketData message = wire::padded_message(content);
  const PacketData request = pattern(10);
  r.call(request, false, {LandingMode::kStream, 16384, nullptr});
  r.sent();
  PacketData read;
  bool last = false;
  for (uint32_t at = 0; at < message.size(); at += 2000) {
    std::vector<PacketData> two;
    for (const uint32_t begin : {at + 1000, at}) {
      const auto end = std::min<uint32_t>(begin + 1000, static_cast<uint32_t>(message.size()));
      if (begin >= end) continue;
      two.push_back(r.peer.data(part_of(message, begin, true),
                                {message.begin() + begin, message.begin() + end}));
    }
    r.give(two);
    for (const Event& event : told(&r)) {
      if (event.kind != EventKind::kStream) continue;
      read.insert(read.end(), event.data, event.data + event.length);
      last = event.last;
      r.inbound.consume(*r.ctx.find_exchange(event.exchange), event.length);
      r.inbound.settle(r.now);
    }
  }
  EXPECT_TRUE(last);
  EXPECT_EQ(read, content);
}

// Of a request that is streamed, the application has seen a part when the padding proves wrong.
TEST(PaddedMessages, a_streamed_request_that_is_padded_otherwise_is_aborted) {
  Roles r(padded_config());
  r.ctx.services.insert(1, ServiceLanding{LandingMode::kStream, 16384});
  PacketData message = wire::padded_message(pattern(1500));
  message.back() = 1;
  r.give(pieces(&r.peer, message, {0, 1000}));
  std::vector<Event> events = told(&r);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, EventKind::kRequest);
  EXPECT_EQ(events[1].kind, EventKind::kStream);
  EXPECT_EQ(events[1].code, base::Code::kDataLoss);
  EXPECT_TRUE(events[1].last);
  EXPECT_EQ(refusal_of(&r), base::Code::kAborted);
  r.lifecycle.free(*r.ctx.find_exchange(events[0].exchange));
  EXPECT_TRUE(r.empty());
}

// Memory that the application has lent is given back.
TEST(PaddedMessages, named_memory_of_a_request_that_is_padded_otherwise_comes_back) {
  EndpointConfig config = padded_config();
  config.max_buffered_message = 1000;
  Roles r(config);
  r.ctx.services.insert(1, ServiceLanding{LandingMode::kAsk, 0});
  PacketData message = wire::padded_message(pattern(1500));
  message.back() = 1;
  r.give(pieces(&r.peer, message, {0, 1000}));
  std::vector<Event> events = told(&r);
  ASSERT_EQ(events.size(), 1u);
  ASSERT_EQ(events[0].kind, EventKind::kOffer);
  EXPECT_EQ(events[0].length, message.size()) << "more it cannot be";
  PacketData memory(1500);
  const Landing landing{LandingMode::kNamed, 1500, memory.data()};
  Exchange* exchange = r.ctx.find_exchange(events[0].exchange);
  ASSERT_EQ(r.inbound.land(*exchange, landing, r.now), base::Code::kOk);
  r.give(pieces(&r.peer, message, {0, 1000}));
  events = told(&r);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kLost);
  EXPECT_EQ(events[0].code, base::Code::kDataLoss);
}

}  // namespace
}  // namespace sluice::transport
