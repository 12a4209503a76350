// SPDX-License-Identifier: Apache-2.0
#include "sim/port.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::sim {
namespace {

class PortQueueTest : public testing::Test {
 protected:
  PacketHandle packet(uint32_t bytes, uint64_t rank = 0) {
    const PacketHandle handle = pool_.allocate();
    pool_[handle].wire_bytes = bytes;
    pool_[handle].rank = rank;
    return handle;
  }

  PacketPool pool_{64, 64};
};

TEST_F(PortQueueTest, the_highest_class_goes_first_and_each_is_fifo) {
  PortQueue queue(Discipline::kStrict);
  const PacketHandle low1 = packet(10);
  const PacketHandle low2 = packet(20);
  const PacketHandle high1 = packet(30);
  const PacketHandle high2 = packet(40);
  queue.push(pool_, low1, 0);
  queue.push(pool_, high1, 7);
  queue.push(pool_, low2, 0);
  queue.push(pool_, high2, 7);
  EXPECT_EQ(queue.packets(), 4u);
  EXPECT_EQ(queue.class_bytes(0), 30u);
  EXPECT_EQ(queue.class_bytes(7), 70u);
  for (const PacketHandle expected : {high1, high2, low1, low2}) {
    EXPECT_EQ(queue.pop(pool_), expected);
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.class_bytes(0), 0u);
}

TEST_F(PortQueueTest, a_class_may_run_dry_and_fill_again) {
  PortQueue queue(Discipline::kStrict);
  for (int round = 0; round < 3; ++round) {
    const PacketHandle first = packet(1);
    queue.push(pool_, first, 3);
    EXPECT_EQ(queue.pop(pool_), first);
    EXPECT_TRUE(queue.empty());
  }
}

TEST_F(PortQueueTest, ranks_go_smallest_first_and_fifo_among_equals) {
  PortQueue queue(Discipline::kRanked);
  std::vector<PacketHandle> handles;
  for (const uint64_t rank : {5u, 3u, 5u, 1u, 3u}) {
    handles.push_back(packet(100, rank));
    queue.push(pool_, handles.back(), 0);
  }
  for (const size_t i : {3u, 1u, 4u, 0u, 2u}) EXPECT_EQ(queue.pop(pool_), handles[i]);
  EXPECT_TRUE(queue.empty());
}

TEST_F(PortQueueTest, packets_of_one_message_stay_in_order_and_the_first_counts) {
  PortQueue queue(Discipline::kRanked);
  std::vector<PacketHandle> handles;
  const auto push = [&](uint64_t rank, uint64_t message) {
    handles.push_back(packet(100, rank));
    pool_[handles.back()].user = message;
    queue.push(pool_, handles.back(), 0);
  };
  push(9, 1);
  push(3, 1);  // The end of message 1 does not pass its beginning...
  push(5, 2);
  push(4, 2);
  push(6, 0);
  // ...but goes at once when that has gone.
  for (const size_t i : {2u, 3u, 4u, 0u, 1u}) EXPECT_EQ(queue.pop(pool_), handles[i]);
  EXPECT_TRUE(queue.empty());
}

TEST(QueueGauge, knows_the_largest_and_the_mean) {
  QueueGauge gauge;
  gauge.start_window(Picos(0));
  gauge.add(100, Picos(10));       // 0 for 10
  gauge.add(200, Picos(20));       // 100 for 10
  gauge.subtract(250, Picos(30));  // 300 for 10
  EXPECT_EQ(gauge.bytes(), 50u);
  EXPECT_EQ(gauge.max(), 300u);
  EXPECT_DOUBLE_EQ(gauge.mean(Picos(40)), (1'000 + 3'000 + 500) / 40.0);
}

TEST(QueueGauge, a_window_begins_with_what_is_there) {
  QueueGauge gauge;
  gauge.add(500, Picos(0));
  gauge.subtract(400, Picos(1'000));
  gauge.start_window(Picos(2'000));
  EXPECT_EQ(gauge.max(), 100u);
  EXPECT_DOUBLE_EQ(gauge.mean(Picos(2'000)), 100.0);
  EXPECT_DOUBLE_EQ(gauge.mean(Picos(3'000)), 100.0);
}

// A second at full buffers is far beyond 64 bits of bytes times picoseconds.
TEST(QueueGauge, long_times_do_not_overflow) {
  QueueGauge gauge;
  gauge.start_window(Picos(0));
  gauge.add(100'000'000, Picos(0));
  gauge.add(0, Picos(10'000'000'000'000));
  EXPECT_DOUBLE_EQ(gauge.mean(Picos(10'000'000'000'000)), 1e8);
}

TEST(Port, is_idle_when_nothing_is_under_way_or_waits) {
  Port port(Discipline::kStrict, 1, 0);
  EXPECT_TRUE(port.is_idle(Picos(0)));
  port.busy_until = Picos(100);
  EXPECT_FALSE(port.is_idle(Picos(99)));
  EXPECT_TRUE(port.is_idle(Picos(100)));
  port.free_pending = true;
  EXPECT_FALSE(port.is_idle(Picos(100)));
}

}  // namespace
}  // namespace sluice::sim
