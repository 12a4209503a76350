// SPDX-License-Identifier: Apache-2.0
#include "sim/packet_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace sluice::sim {
namespace {

TEST(PacketPool, hands_out_what_its_comments_promise) {
  PacketPool pool(4, 100);
  EXPECT_EQ(pool.buffer_bytes(), 128u);
  const PacketHandle handle = pool.allocate();
  const Packet& packet = pool[handle];
  EXPECT_NE(packet.bytes, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(packet.bytes) % 64, 0u);
  EXPECT_EQ(packet.length, 0u);
  EXPECT_EQ(packet.stored, 0u);
  EXPECT_EQ(packet.wire_bytes, 0u);
  EXPECT_EQ(packet.priority, 0u);
  EXPECT_EQ(packet.ecn, Ecn::kEct0);
  EXPECT_EQ(packet.flags, 0u);
  EXPECT_EQ(packet.rank, 0u);
  EXPECT_EQ(packet.user, 0u);
}

TEST(PacketPool, a_reused_packet_is_reset) {
  PacketPool pool(1, 64);
  const PacketHandle first = pool.allocate();
  pool[first].flags = kTrimmed | kCorrupt;
  pool[first].user = 9;
  pool[first].ecn = Ecn::kCongestionExperienced;
  pool.release(first);
  const PacketHandle second = pool.allocate();
  EXPECT_EQ(second, first);
  EXPECT_FALSE(pool[second].has(kTrimmed));
  EXPECT_EQ(pool[second].user, 0u);
  EXPECT_EQ(pool[second].ecn, Ecn::kEct0);
}

TEST(PacketPool, the_last_released_is_the_first_handed_out) {
  PacketPool pool(8, 64);
  std::vector<PacketHandle> handles;
  for (int i = 0; i < 5; ++i) handles.push_back(pool.allocate());
  pool.release(handles[1]);
  pool.release(handles[3]);
  EXPECT_EQ(pool.allocate(), handles[3]);
  EXPECT_EQ(pool.allocate(), handles[1]);
}

TEST(PacketPool, an_empty_pool_refuses_and_counts) {
  PacketPool pool(3, 64);
  for (int i = 0; i < 3; ++i) EXPECT_NE(pool.allocate(), kNoPacket);
  EXPECT_EQ(pool.allocate(), kNoPacket);
  EXPECT_EQ(pool.allocate(), kNoPacket);
  EXPECT_EQ(pool.exhausted(), 2u);
  EXPECT_EQ(pool.live(), 3u);
  pool.release(1);
  EXPECT_EQ(pool.live(), 2u);
  EXPECT_EQ(pool.allocate(), 1u);
  EXPECT_EQ(pool.peak(), 3u);
}

TEST(PacketPool, buffers_do_not_overlap) {
  PacketPool pool(16, 64);
  std::set<uint8_t*> buffers;
  for (int i = 0; i < 16; ++i) {
    const PacketHandle handle = pool.allocate();
    std::memset(pool[handle].bytes, i, 64);
    buffers.insert(pool[handle].bytes);
  }
  EXPECT_EQ(buffers.size(), 16u);
  for (PacketHandle handle = 0; handle < 16; ++handle) {
    EXPECT_EQ(pool[handle].bytes[0], handle);
    EXPECT_EQ(pool[handle].bytes[63], handle);
  }
}

TEST(PacketPool, frames_have_a_shortest_length) {
  EXPECT_EQ(framed_bytes(1472), 1538u);
  EXPECT_EQ(framed_bytes(19), 85u);
  EXPECT_EQ(framed_bytes(18), 84u);
  EXPECT_EQ(framed_bytes(0), 84u);
}

}  // namespace
}  // namespace sluice::sim
