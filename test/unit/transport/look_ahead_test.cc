// SPDX-License-Identifier: Apache-2.0
//
// That it gains something is for perf/growth to show; here, that it does no harm.
#include "transport/look_ahead.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

// An endpoint with more lanes than it takes to look ahead.
class LookAhead : public testing::Test {
 protected:
  static EndpointConfig config() {
    EndpointConfig out = bench_config();
    out.max_lanes = 2 * kCachedLanes;
    return out;
  }
  LookAhead() : r(config()) {
    for (uint32_t i = 0; i < kCachedLanes; ++i) {
      InstallLane command = r.lane_command();
      command.local_session = base::SessionId(1000 + i);
      LaneRef lane;
      EXPECT_EQ(r.lifecycle.open_lane(command, r.now, &lane), base::Code::kOk);
    }
    EXPECT_GT(r.ctx.lanes.in_use(), kCachedLanes);
  }

  Roles r;
};

TEST_F(LookAhead, requests_and_answers_of_a_burst_arrive_as_ever) {
  const PacketData bytes = pattern(100);
  Exchange& call = r.call(bytes);
  r.sent();
  r.give({r.peer.request(1, bytes), r.peer.response(1, bytes), r.peer.request(2, bytes),
          r.peer.bundle(wire::PingFrame{5})});
  EXPECT_EQ(call.state, ExchangeState::kDone);
  EXPECT_EQ(call.code, base::Code::kOk);
  EXPECT_NE(r.served(1), nullptr);
  EXPECT_NE(r.served(2), nullptr);
  EXPECT_EQ(frames_of(r.sent(), wire::FrameType::kPong).size(), 1u);
}

// Packets of every length, each in memory of its own size, so that a sanitizer would see a byte
// read behind the end: noise, and the beginnings of one that names a lane.
TEST_F(LookAhead, packets_that_are_cut_short_or_noise_are_dropped) {
  base::Prng prng(3);
  const PacketData whole = r.peer.request(1, pattern(40));
  std::vector<PacketData> burst;
  for (size_t size = 1; size < whole.size(); ++size) {
    PacketData noise(size);
    for (uint8_t& byte : noise) byte = static_cast<uint8_t>(prng.next_u64());
    burst.push_back(std::move(noise));
    burst.emplace_back(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    if (burst.size() >= 30) r.give(std::exchange(burst, {}));
  }
  r.give(std::move(burst));
  EXPECT_TRUE(r.empty());
  r.give({whole, whole});
  EXPECT_NE(r.served(1), nullptr);
  EXPECT_EQ(r.ctx.stats.drop_duplicate.value() + r.ctx.stats.drop_replay.value(), 1u);
}

TEST_F(LookAhead, a_lane_that_ends_within_the_burst_is_looked_at_before) {
  const PacketData bytes = pattern(100);
  r.give({r.peer.request(1, bytes), r.peer.bundle(wire::CloseFrame{1}), r.peer.request(2, bytes)});
  EXPECT_FALSE(r.lane->live);
}

}  // namespace
}  // namespace sluice::transport
