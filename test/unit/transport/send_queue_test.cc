// SPDX-License-Identifier: Apache-2.0
#include "transport/send_queue.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::transport {
namespace {

// A message of several packets.
struct Message {
  Exchange exchange;
  ColdPart cold;
  Outgoing& out = exchange.out;

  Message() {
    exchange.cold = &cold;
    cold.out = &out;
  }
};

TEST(SendQueue, fewest_bytes_left_first) {
  SendQueue queue(0);
  std::array<Message, 3> messages;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next(), nullptr);
  queue.insert(messages[0].out, 30'000);
  EXPECT_FALSE(queue.several());
  queue.insert(messages[1].out, 10'000);
  queue.insert(messages[2].out, 20'000);
  EXPECT_TRUE(queue.several());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(queue.next(), &messages[1].out);
  queue.update(messages[1].out, 100'000);
  EXPECT_EQ(queue.next(), &messages[2].out);
  queue.erase(messages[2].out);
  EXPECT_FALSE(SendQueue::contains(messages[2].out));
  EXPECT_EQ(queue.next(), &messages[0].out);
  queue.erase(messages[0].out);
  queue.erase(messages[1].out);
  EXPECT_TRUE(queue.empty());
}

TEST(SendQueue, a_share_of_the_granted_packets_goes_in_turn) {
  SendQueue queue(4);
  std::array<Message, 3> messages;
  std::array<int, 3> served{};
  for (uint32_t i = 0; i < 3; ++i) queue.insert(messages[i].out, 1'000 << i);
  for (int turn = 0; turn < 1'200; ++turn) {
    const Outgoing* const next = queue.next();
    for (uint32_t i = 0; i < 3; ++i) served[i] += next == &messages[i].out ? 1 : 0;
  }
  EXPECT_EQ(served[0], 1'000);
  EXPECT_EQ(served[1], 100);
  EXPECT_EQ(served[2], 100);
  for (Message& message : messages) queue.erase(message.out);
}

TEST(SendQueue, nobody_takes_a_turn_before_bytes_that_go_unasked) {
  SendQueue queue(2);
  Message granted;
  Message fresh;
  fresh.cold.begin(5'000);
  queue.insert(granted.out, 100'000);
  queue.insert(fresh.out, 5'000);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(queue.next(), &fresh.out);
  queue.erase(fresh.out);
  EXPECT_EQ(queue.next(), &granted.out);
  queue.erase(granted.out);
}

}  // namespace
}  // namespace sluice::transport
