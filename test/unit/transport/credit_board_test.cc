// SPDX-License-Identifier: Apache-2.0
#include "transport/credit_board.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice::transport {
namespace {

TEST(CreditBoard, who_is_alone_has_all_of_it) {
  CreditBoard board(1);
  board.publish_granted(0, 70, true);
  EXPECT_EQ(board.allowed(0, 100), 100u);
}

TEST(CreditBoard, each_may_have_what_the_others_leave) {
  CreditBoard board(3);
  board.publish_granted(1, 30, false);
  board.publish_granted(2, 10, false);
  EXPECT_EQ(board.allowed(0, 100), 60u);
  EXPECT_EQ(board.allowed(1, 100), 90u) << "one's own is not taken off";
}

TEST(CreditBoard, each_may_have_its_share_whatever_the_others_hold) {
  CreditBoard board(4);
  board.publish_granted(1, 500, true);
  EXPECT_EQ(board.allowed(0, 100), 50u);
  board.publish_granted(2, 0, true);
  EXPECT_EQ(board.allowed(0, 100), 33u);
  board.publish_granted(1, 500, false);
  EXPECT_EQ(board.allowed(0, 100), 33u) << "it has not come yet";
  board.publish_granted(1, 0, false);
  EXPECT_EQ(board.allowed(0, 100), 100u) << "it has";
}

TEST(CreditBoard, tells_what_the_others_have_to_send) {
  CreditBoard board(3);
  EXPECT_FALSE(board.others(0).any);
  board.publish_unspent(0, 1000, true);
  EXPECT_EQ(board.others(0).unspent, 0u);
  EXPECT_FALSE(board.others(0).any);
  board.publish_unspent(1, 20, true);
  board.publish_unspent(2, 3, false);
  EXPECT_EQ(board.others(0).unspent, 23u);
  EXPECT_TRUE(board.others(0).any);
  EXPECT_EQ(board.others(1).unspent, 1003u);
  board.publish_unspent(1, 0, false);
  EXPECT_FALSE(board.others(0).any);
}

// For the sanitizers: members write and read at once, each on a thread of its own.
TEST(CreditBoard, members_are_threads) {
  CreditBoard board(4);
  std::vector<std::thread> threads;
  for (uint32_t member = 0; member < 4; ++member) {
    threads.emplace_back([&board, member] {
      for (uint64_t i = 0; i < 2000; ++i) {
        board.publish_granted(member, i % 100, i % 2 == 0);
        board.publish_unspent(member, i % 100, i % 2 == 0);
        ASSERT_GE(board.allowed(member, 400), 100u);
        ASSERT_LE(board.allowed(member, 400), 400u);
        ASSERT_LE(board.others(member).unspent, 297u);
      }
      board.publish_granted(member, 10, false);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(board.allowed(2, 400), 370u);
}

}  // namespace
}  // namespace sluice::transport
