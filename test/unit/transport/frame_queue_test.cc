// SPDX-License-Identifier: Apache-2.0
#include "transport/frame_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace sluice::transport {
namespace {

bool put(FrameQueue& queue, uint32_t size, uint8_t fill) {
  const auto room = queue.append(size);
  if (room.empty()) return false;
  EXPECT_EQ(room.size(), size);
  std::fill(room.begin(), room.end(), fill);
  return true;
}

TEST(FrameQueue, frames_come_out_whole_and_in_order) {
  FrameQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(put(queue, 10, 1));
  EXPECT_TRUE(put(queue, 64, 2));
  EXPECT_TRUE(put(queue, 1, 3));
  std::array<uint8_t, 74> out{};
  EXPECT_EQ(queue.take(out), 74u);
  EXPECT_EQ(out[9], 1);
  EXPECT_EQ(out[10], 2);
  EXPECT_EQ(queue.take(out), 1u);
  EXPECT_EQ(out[0], 3);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.take(out), 0u);
}

TEST(FrameQueue, a_frame_that_does_not_fit_stays) {
  FrameQueue queue;
  put(queue, 20, 1);
  std::array<uint8_t, 19> small{};
  EXPECT_EQ(queue.take(small), 0u);
  EXPECT_FALSE(queue.empty());
  queue.clear();
  EXPECT_TRUE(queue.empty());
}

TEST(FrameQueue, a_full_queue_refuses_and_room_comes_back) {
  FrameQueue queue;
  uint32_t count = 0;
  while (put(queue, 63, static_cast<uint8_t>(count))) ++count;
  EXPECT_EQ(count, FrameQueue::kCapacityBytes / 64);
  std::array<uint8_t, 63 * 3> out{};
  EXPECT_EQ(queue.take(out), out.size());
  for (uint8_t i = 0; i < 3; ++i) EXPECT_TRUE(put(queue, 63, static_cast<uint8_t>(200 + i)));
  EXPECT_FALSE(put(queue, 63, 0));
  std::vector<uint8_t> rest(FrameQueue::kCapacityBytes);
  EXPECT_EQ(queue.take(rest), 63 * count);
  EXPECT_EQ(rest[0], 3) << "the oldest that was left";
  EXPECT_EQ(rest[63 * count - 1], 202) << "the newest";
}

}  // namespace
}  // namespace sluice::transport
