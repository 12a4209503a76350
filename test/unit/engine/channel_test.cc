// SPDX-License-Identifier: Apache-2.0
#include "engine/channel.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "engine_test_util.h"

namespace sluice::engine {
namespace {

TEST(PointerRing, is_bounded_and_in_order) {
  ASSERT_NE(test_eal(), nullptr);
  auto ring = PointerRing::create("test", 8);
  ASSERT_TRUE(ring.ok()) << ring.status();
  std::array<int, 16> values{};
  size_t pushed = 0;
  while (pushed < values.size() && (*ring)->push(&values[pushed])) ++pushed;
  EXPECT_GE(pushed, 7u);
  EXPECT_LT(pushed, values.size());
  std::array<void*, 16> out{};
  EXPECT_EQ((*ring)->pop(out), pushed);
  EXPECT_EQ(out[0], &values[0]);
  EXPECT_EQ(out[pushed - 1], &values[pushed - 1]);
  EXPECT_TRUE((*ring)->empty());
}

TEST(Doorbell, does_not_miss_a_ring_between_looking_and_sleeping) {
  Doorbell doorbell;
  doorbell.prepare();
  doorbell.ring();
  const auto start = std::chrono::steady_clock::now();
  doorbell.wait(base::seconds(5));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(Doorbell, sleeps_for_its_time_when_nobody_rings) {
  Doorbell doorbell;
  doorbell.ring();  // Nobody sleeps: forgotten.
  doorbell.prepare();
  const auto start = std::chrono::steady_clock::now();
  doorbell.wait(base::millis(5));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(4));
}

TEST(ControlChannel, carries_every_notice_of_several_lcores) {
  ASSERT_NE(test_eal(), nullptr);
  auto channel = ControlChannel::create("test", 64);
  ASSERT_TRUE(channel.ok()) << channel.status();
  constexpr uint64_t kEach = 2000;
  std::vector<std::thread> lcores;
  for (uint8_t lcore = 0; lcore < 2; ++lcore) {
    lcores.emplace_back([&, lcore] {
      for (uint64_t i = 0; i < kEach; ++i) {
        (*channel)->push_notice({.kind = Notice::Kind::kLaneDown,
                                 .lcore = lcore,
                                 .lane = {.index = static_cast<uint32_t>(i), .generation = 1}});
      }
    });
  }
  std::array<uint32_t, 2> next{};
  std::array<Notice, 16> notices;
  while (next[0] + next[1] < 2 * kEach) {
    (*channel)->doorbell().prepare();
    const size_t count = (*channel)->pop_notices(notices);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(notices[i].lane.index, next[notices[i].lcore]++);
    }
    if (count == 0) (*channel)->doorbell().wait(base::millis(100));
  }
  for (std::thread& lcore : lcores) lcore.join();
  EXPECT_TRUE((*channel)->empty());
}

}  // namespace
}  // namespace sluice::engine
