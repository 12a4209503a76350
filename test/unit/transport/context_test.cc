// SPDX-License-Identifier: Apache-2.0
#include "transport/context.h"

#include <gtest/gtest.h>

#include "test/unit/base/mappings.h"
#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

TEST(Context, keys_of_lanes_are_left_out_of_core_dumps) {
  Roles r;
  if (!test::tells_dumped(r.lane)) GTEST_SKIP() << "/proc/self/smaps has no flags here";
  const auto* const first = reinterpret_cast<const uint8_t*>(&r.ctx.lanes.at(0));
  const uint32_t bytes = r.ctx.lanes.capacity() * static_cast<uint32_t>(sizeof(Lane));
  for (uint32_t at = 0; at < bytes; at += 1024) {
    EXPECT_TRUE(test::left_out_of_dumps(first + at)) << at;
  }
}

TEST(Context, finds_lanes_by_session_and_number_or_by_reference) {
  Roles r;
  EXPECT_EQ(r.ctx.find_lane(Roles::kLocal, Roles::kLane), r.lane);
  EXPECT_EQ(r.ctx.find_lane(Roles::kRemote, Roles::kLane), nullptr);
  EXPECT_EQ(r.ctx.find_lane(Roles::kLocal, Roles::kLane + 1), nullptr);
  EXPECT_EQ(r.ctx.find_lane(r.lane_ref), r.lane);
  EXPECT_EQ(r.ctx.find_lane(LaneRef{}), nullptr);
  EXPECT_EQ(r.ctx.find_lane(LaneRef{r.lane_ref.index, r.lane_ref.generation + 1}), nullptr);
  r.lifecycle.close_lane(*r.lane, base::Code::kClosed);
  EXPECT_EQ(r.ctx.find_lane(r.lane_ref), nullptr) << "a lane that ended";
}

TEST(Context, finds_exchanges_by_role_and_id_or_by_reference) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  EXPECT_EQ(r.ctx.find_exchange(*r.lane, true, 1), &call);
  EXPECT_EQ(r.ctx.find_exchange(*r.lane, false, 1), nullptr) << "the two roles count apart";
  const ExchangeRef ref = r.ctx.ref_of(call);
  EXPECT_EQ(r.ctx.find_exchange(ref), &call);
  r.lifecycle.free(call);
  EXPECT_EQ(r.ctx.find_exchange(ref), nullptr);
  EXPECT_EQ(r.ctx.find_exchange(ExchangeRef{}), nullptr);
  Exchange& next = r.call(bytes);
  EXPECT_EQ(r.ctx.find_exchange(ref), nullptr) << "the place is used again, the reference is not";
  r.lifecycle.free(next);
}

TEST(Context, an_exchange_waits_in_the_event_queue_once) {
  Roles r;
  const PacketData bytes = pattern(10);
  Exchange& call = r.call(bytes);
  r.ctx.raise(call, EventKind::kStream);
  r.ctx.raise(call, EventKind::kStream);
  r.ctx.raise(call, EventKind::kCallDone);
  EXPECT_TRUE(r.ctx.events.single());
}

TEST(Context, attending_a_lane_brings_its_timer_near_but_never_back) {
  Roles r;
  r.ctx.wheel.arm(r.lane->timer, r.now + base::seconds(100));
  r.ctx.attend(*r.lane);
  EXPECT_EQ(r.lane->timer.deadline(), r.now + kLaneTick);
  r.ctx.wheel.arm(r.lane->timer, r.now + base::micros(3));
  r.ctx.attend(*r.lane);
  EXPECT_EQ(r.lane->timer.deadline(), r.now + base::micros(3));
}

TEST(Context, lane_events_keep_their_order) {
  Roles r;
  r.ctx.raise_lane(*r.lane, EventKind::kLaneUp, base::Code::kOk);
  r.lifecycle.close_lane(*r.lane, base::Code::kUnavailable);
  const auto events = r.polled();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, EventKind::kLaneUp);
  EXPECT_EQ(events[1].kind, EventKind::kLaneDown);
  EXPECT_EQ(events[1].code, base::Code::kUnavailable);
}

TEST(Context, services_land_in_buffers_unless_told_otherwise) {
  Roles r;
  EXPECT_EQ(r.ctx.landing_of(9).mode, LandingMode::kBuffered);
  r.ctx.services.insert(9, ServiceLanding{LandingMode::kStream, 65536});
  EXPECT_EQ(r.ctx.landing_of(9).mode, LandingMode::kStream);
  EXPECT_EQ(r.ctx.landing_of(9).stream_window, 65536u);
}

TEST(Lane, a_record_is_what_the_path_leaves_for_payload) {
  Roles r;
  EXPECT_EQ(r.lane->record_bytes(), 1200u - 48 - 16);
  Roles plain_check(bench_config(), crypto::AeadAlgorithm::kChaCha20Poly1305);
  EXPECT_EQ(plain_check.lane->record_bytes(), 1200u - 48 - 16);
}

}  // namespace
}  // namespace sluice::transport
