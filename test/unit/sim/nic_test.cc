// SPDX-License-Identifier: Apache-2.0
#include "sim/nic.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

TEST(Nic, without_cost_a_packet_is_ready_at_once) {
  Nic nic({}, 1, 0);
  uint64_t stalls = 0;
  EXPECT_EQ(nic.ready_at(Picos(500), &stalls), Picos(500));
  EXPECT_EQ(nic.ready_at(Picos(500), &stalls), Picos(500));
  EXPECT_EQ(stalls, 0u);
}

TEST(Nic, packets_queue_for_the_processor) {
  Nic nic({.packet_cost = Picos(100)}, 1, 0);
  uint64_t stalls = 0;
  EXPECT_EQ(nic.ready_at(Picos(1'000), &stalls), Picos(1'100));
  EXPECT_EQ(nic.ready_at(Picos(1'050), &stalls), Picos(1'200));
  EXPECT_EQ(nic.ready_at(Picos(5'000), &stalls), Picos(5'100));
}

TEST(Nic, a_stall_holds_up_what_follows) {
  Nic nic({.stall_chance = UINT32_MAX, .stall = Picos(20'000)}, 1, 0);
  uint64_t stalls = 0;
  EXPECT_EQ(nic.ready_at(Picos(0), &stalls), Picos(20'000));
  nic.set_model({});
  EXPECT_EQ(nic.ready_at(Picos(1), &stalls), Picos(20'000));
  EXPECT_EQ(stalls, 1u);
}

TEST(Nic, stalls_come_as_often_as_asked) {
  Nic nic({.stall_chance = chance(0.01), .stall = Picos(1)}, 1, 0);
  uint64_t stalls = 0;
  for (uint64_t i = 0; i < 100'000; ++i) nic.ready_at(Picos(i * 1'000), &stalls);
  EXPECT_NEAR(static_cast<double>(stalls), 1'000, 120);
}

TEST(Nic, counts_what_is_on_its_way) {
  Nic nic({}, 1, 0);
  EXPECT_FALSE(nic.is_waiting());
  nic.will_wait(100);
  nic.will_wait(50);
  EXPECT_EQ(nic.waiting_bytes(), 150u);
  nic.waited(100);
  EXPECT_TRUE(nic.is_waiting());
  EXPECT_EQ(nic.waiting(), 1u);
  nic.waited(50);
  EXPECT_FALSE(nic.is_waiting());
}

TEST(Nic, an_empty_ring_takes_any_packet) {
  Nic nic({.ring_bytes = 100}, 1, 0);
  EXPECT_TRUE(nic.admit(0, 9'000));
  EXPECT_TRUE(nic.admit(40, 60));
  EXPECT_FALSE(nic.admit(40, 61));
}

TEST(Nic, the_call_is_owed_once_after_the_mark_was_reached) {
  Nic nic({.ring_bytes = 1'000, .refill_bytes = 500}, 1, 0);
  nic.entered(499);
  EXPECT_FALSE(nic.take_owed_call(0));
  nic.entered(500);
  EXPECT_FALSE(nic.take_owed_call(500));
  EXPECT_TRUE(nic.take_owed_call(499));
  EXPECT_FALSE(nic.take_owed_call(0));
}

TEST(Nic, a_refusal_is_owed_a_call_too) {
  Nic nic({.ring_bytes = 1'000, .refill_bytes = 500}, 1, 0);
  EXPECT_FALSE(nic.admit(400, 900));
  EXPECT_TRUE(nic.take_owed_call(400));
}

}  // namespace
}  // namespace sluice::sim
