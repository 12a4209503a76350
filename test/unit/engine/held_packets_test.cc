// SPDX-License-Identifier: Apache-2.0
#include "engine/held_packets.h"

#include <gtest/gtest.h>

#include "engine/limits.h"

namespace sluice::engine {
namespace {

HeldPacket packet(uint32_t session, uint8_t byte) {
  return {.session = base::SessionId(session), .lane = 1, .bytes = {byte}};
}

TEST(HeldPackets, those_of_a_session_come_back_in_order_and_once) {
  ControlStats stats;
  HeldPackets held(&stats);
  held.hold(packet(1, 10));
  held.hold(packet(2, 20));
  held.hold(packet(1, 11));
  const auto first = held.take(base::SessionId(1));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].bytes.at(0), 10);
  EXPECT_EQ(first[1].bytes.at(0), 11);
  EXPECT_TRUE(held.take(base::SessionId(1)).empty());
  EXPECT_EQ(held.size(), 1u);
  EXPECT_EQ(stats.packets_held.value(), 3u);
}

TEST(HeldPackets, the_oldest_make_room) {
  ControlStats stats;
  HeldPackets held(&stats);
  for (size_t i = 0; i <= limits::kMaxHeldPackets; ++i)
    held.hold(packet(1, static_cast<uint8_t>(i)));
  EXPECT_EQ(held.size(), limits::kMaxHeldPackets);
  EXPECT_EQ(stats.limit_held.value(), 1u);
  EXPECT_EQ(held.take(base::SessionId(1))[0].bytes.at(0), 1);
}

}  // namespace
}  // namespace sluice::engine
