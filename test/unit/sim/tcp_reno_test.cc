// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_reno.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

TEST(TcpReno, slow_start_doubles_and_avoidance_adds_one_a_round_trip) {
  TcpReno reno;
  EXPECT_DOUBLE_EQ(reno.window(), 10);
  for (int i = 0; i < 10; ++i) reno.on_ack(1, false);
  EXPECT_DOUBLE_EQ(reno.window(), 20);
  reno.on_loss();
  EXPECT_DOUBLE_EQ(reno.window(), 10);
  for (int i = 0; i < 10; ++i) reno.on_ack(1, false);
  EXPECT_NEAR(reno.window(), 11, 0.1);
}

TEST(TcpReno, a_timeout_begins_anew_up_to_half_of_what_there_was) {
  TcpReno reno;
  for (int i = 0; i < 30; ++i) reno.on_ack(1, false);
  reno.on_timeout();
  EXPECT_DOUBLE_EQ(reno.window(), 1);
  for (int i = 0; i < 19; ++i) reno.on_ack(1, false);
  EXPECT_DOUBLE_EQ(reno.window(), 20) << "slow start";
  reno.on_ack(1, false);
  EXPECT_DOUBLE_EQ(reno.window(), 20 + 1.0 / 20) << "and no further";
}

TEST(TcpReno, marks_mean_nothing_and_two_segments_always_remain) {
  TcpReno reno;
  reno.on_ack(1, true);
  reno.on_round();
  EXPECT_DOUBLE_EQ(reno.window(), 11);
  for (int i = 0; i < 10; ++i) reno.on_loss();
  EXPECT_DOUBLE_EQ(reno.window(), 2);
}

}  // namespace
}  // namespace sluice::sim
