// SPDX-License-Identifier: Apache-2.0
//
// The gate between two endpoints and their applications, as an lcore puts it there.
#include "engine/gate.h"

#include <gtest/gtest.h>

#include <atomic>

#include "engine/engine_impl.h"
#include "engine_test_util.h"
#include "engine_tls.h"
#include "test_application.h"

namespace sluice::engine {
namespace {

using transport::Event;
using transport::EventKind;

class GateTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(test_eal(), nullptr);
    EngineConfig config = test_pair("gate");
    impl = std::make_unique<EngineImpl>(std::move(config));
    ASSERT_TRUE(impl->open().ok());
    permissions.set_services(1, 1, true);
    permissions.set_layer(crypto::PolicyLayer::kRpc, true);
  }

  // What becomes of one event. The endpoint does not know its exchange, so what is submitted about
  // it has no effect.
  Event pass(EventKind kind, uint16_t service, uint32_t length = 8, bool whole = true) {
    static constexpr uint8_t kByte = 1;
    Event event;
    event.kind = kind;
    event.service = service;
    event.lane = lane;
    event.length = length;
    event.data = whole ? &kByte : nullptr;
    fresh = gate.filter(endpoint(), base::Nanos::zero(), {&event, 1});
    return event;
  }
  transport::Endpoint& endpoint() {
    return const_cast<transport::Endpoint&>(impl->nodes[0]->lcores()[0]->endpoint());
  }

  std::unique_ptr<EngineImpl> impl;
  LcoreStats stats;
  crypto::Permissions permissions;
  transport::LaneRef lane{3, 1};
  Gate gate{8, 1000, &stats};
  bool fresh = false;
};

// Verifies MUST-P3
TEST_F(GateTest, what_is_not_permitted_becomes_the_end_of_something_unknown) {
  gate.set(lane, base::SessionId(5), &permissions);
  EXPECT_EQ(pass(EventKind::kRequest, 1).kind, EventKind::kRequest);
  EXPECT_TRUE(fresh);
  EXPECT_EQ(pass(EventKind::kRequest, 1).kind, EventKind::kRequest);
  EXPECT_FALSE(fresh);
  EXPECT_EQ(stats.denied.value(), 0u);
  for (const auto kind : {EventKind::kRequest, EventKind::kOffer, EventKind::kOneWay}) {
    const Event event = pass(kind, 2);
    EXPECT_EQ(event.kind, EventKind::kLost);
    EXPECT_EQ(event.code, base::Code::kPermissionDenied);
    EXPECT_EQ(event.data, nullptr);
  }
  EXPECT_EQ(pass(EventKind::kRequest, 2, 8, false).kind, EventKind::kLost);
  EXPECT_EQ(pass(EventKind::kOneWay, 1).kind, EventKind::kLost);
  EXPECT_EQ(stats.denied.value(), 5u);
  // Answers, and the ends of things, are nobody's to deny.
  for (const auto kind : {EventKind::kCallDone, EventKind::kSendDone, EventKind::kStream,
                          EventKind::kLost, EventKind::kLaneUp}) {
    EXPECT_EQ(pass(kind, 2).kind, kind);
  }
}

TEST_F(GateTest, a_message_is_judged_when_it_begins) {
  gate.set(lane, base::SessionId(5), &permissions);
  EXPECT_EQ(pass(EventKind::kOffer, 1, 5000).kind, EventKind::kOffer);
  const crypto::Permissions none;
  gate.set(lane, base::SessionId(5), &none);
  EXPECT_EQ(pass(EventKind::kRequest, 1, 5000).kind, EventKind::kRequest);
  EXPECT_EQ(pass(EventKind::kStream, 1, 5000).kind, EventKind::kStream);
  EXPECT_EQ(pass(EventKind::kRequest, 1).kind, EventKind::kLost);
}

TEST_F(GateTest, a_lane_that_has_ended_is_let_nothing) {
  EXPECT_EQ(pass(EventKind::kRequest, 1).kind, EventKind::kLost);
  gate.set(lane, base::SessionId(5), nullptr);
  EXPECT_EQ(pass(EventKind::kRequest, 9).kind, EventKind::kRequest);
  EXPECT_EQ(pass(EventKind::kLaneDown, 0).kind, EventKind::kLaneDown);
  EXPECT_EQ(pass(EventKind::kRequest, 9).kind, EventKind::kLost);
  gate.set({3, 2}, base::SessionId(6), nullptr);
  EXPECT_EQ(pass(EventKind::kRequest, 9).kind, EventKind::kLost);
}

TEST_F(GateTest, a_lane_beyond_its_uses_is_judged_and_counted_in_one) {
  gate.set(lane, base::SessionId(5), &permissions);
  for (uint32_t service = 2; service < 60'000; ++service) {
    ASSERT_EQ(pass(EventKind::kRequest, static_cast<uint16_t>(service)).kind, EventKind::kLost);
  }
  EXPECT_EQ(stats.denied.value(), 59'998u);
  EXPECT_EQ(stats.limit_uses.value(), 0u);
  size_t kinds = 0;
  uint64_t messages = 0;
  uint64_t others = 0;
  gate.uses().end(base::SessionId(5), [&](const Use& use, uint64_t count) {
    ++kinds;
    messages += count;
    if (use.others) others += count;
  });
  EXPECT_EQ(kinds, limits::kMaxUsesOfLane + 1u);
  EXPECT_EQ(messages, 59'998u);
  EXPECT_EQ(others, messages - limits::kMaxUsesOfLane);
}

TEST_F(GateTest, uses_beyond_the_table_are_counted_by_the_lcore_alone) {
  for (uint32_t session = 1; session < 2000; ++session) {
    gate.set({3, session}, base::SessionId(session), &permissions);
    lane = {3, session};
    for (uint16_t service = 2; service < 6; ++service) {
      ASSERT_EQ(pass(EventKind::kRequest, service).kind, EventKind::kLost);
    }
  }
  EXPECT_GT(stats.limit_uses.value(), 0u);
  EXPECT_EQ(stats.denied.value(), 4u * 1999u);
}

}  // namespace
}  // namespace sluice::engine
