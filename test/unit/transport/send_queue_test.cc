// SPDX-License-Identifier: Apache-2.0
#include "transport/send_queue.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::transport {
namespace {

TEST(SendQueue, fewest_bytes_left_first) {
  SendQueue queue(0);
  std::array<Outgoing, 3> messages;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next(), nullptr);
  queue.insert(messages[0], 30'000);
  EXPECT_FALSE(queue.several());
  queue.insert(messages[1], 10'000);
  queue.insert(messages[2], 20'000);
  EXPECT_TRUE(queue.several());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(queue.next(), &messages[1]);
  queue.update(messages[1], 100'000);
  EXPECT_EQ(queue.next(), &messages[2]);
  queue.erase(messages[2]);
  EXPECT_FALSE(SendQueue::contains(messages[2]));
  EXPECT_EQ(queue.next(), &messages[0]);
  queue.erase(messages[0]);
  queue.erase(messages[1]);
  EXPECT_TRUE(queue.empty());
}

TEST(SendQueue, a_share_of_the_granted_packets_goes_in_turn) {
  SendQueue queue(4);
  std::array<Outgoing, 3> messages;
  std::array<int, 3> served{};
  for (uint32_t i = 0; i < 3; ++i) queue.insert(messages[i], 1'000 << i);
  for (int i = 0; i < 1'200; ++i) ++served[static_cast<size_t>(queue.next() - messages.data())];
  EXPECT_EQ(served[0], 1'000);
  EXPECT_EQ(served[1], 100);
  EXPECT_EQ(served[2], 100);
  for (Outgoing& message : messages) queue.erase(message);
}

TEST(SendQueue, nobody_takes_a_turn_before_bytes_that_go_unasked) {
  SendQueue queue(2);
  Outgoing granted;
  Outgoing fresh;
  fresh.unasked = 5'000;
  queue.insert(granted, 100'000);
  queue.insert(fresh, 5'000);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(queue.next(), &fresh);
  queue.erase(fresh);
  EXPECT_EQ(queue.next(), &granted);
  queue.erase(granted);
}

}  // namespace
}  // namespace sluice::transport
