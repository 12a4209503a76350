// SPDX-License-Identifier: Apache-2.0
#include "transport/aimd_window.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

constexpr uint32_t kFloor = 10'000;
constexpr uint32_t kMost = 100'000;
constexpr uint32_t kPacket = 1000;

AimdWindow fresh() { return AimdWindow(kFloor, kMost, kPacket); }

TEST(AimdWindow, begins_open_and_stays_so_without_marks) {
  AimdWindow window = fresh();
  EXPECT_EQ(window.bytes(), kMost);
  for (int i = 0; i < 1000; ++i) window.on_arrival(kPacket, 0);
  EXPECT_EQ(window.bytes(), kMost);
  EXPECT_EQ(window.smoothed_share(), 0u);
}

TEST(AimdWindow, lasting_marks_bring_it_to_the_floor_and_not_below) {
  AimdWindow window = fresh();
  for (int i = 0; i < 20'000; ++i) window.on_arrival(kPacket, kPacket);
  EXPECT_EQ(window.bytes(), kFloor);
  EXPECT_GT(window.smoothed_share(), AimdWindow::kWhole * 9 / 10);
}

TEST(AimdWindow, doubling_brings_it_back_within_a_few_windows_of_arrivals) {
  using Growth = AimdWindow::Growth;
  for (const Growth growth : {Growth::kPacket, Growth::kDouble}) {
    AimdWindow window(kFloor, kMost, kPacket, growth);
    for (int i = 0; i < 20'000; ++i) window.on_arrival(kPacket, kPacket);
    ASSERT_EQ(window.bytes(), kFloor);
    for (uint32_t arrived = 0; arrived < kMost - kFloor; arrived += kPacket) {
      window.on_arrival(kPacket, 0);
    }
    if (growth == Growth::kDouble) {
      EXPECT_EQ(window.bytes(), kMost);
    } else {
      EXPECT_LT(window.bytes(), 2 * kFloor);
    }
  }
}

TEST(AimdWindow, it_is_cut_at_most_once_in_one_and_a_half_windows) {
  AimdWindow window = fresh();
  uint32_t cuts = 0;
  uint32_t before = window.bytes();
  for (uint32_t i = 0; i < 300; ++i) {  // Three windows' worth.
    window.on_arrival(kPacket, kPacket);
    if (window.bytes() < before) ++cuts;
    before = window.bytes();
  }
  EXPECT_EQ(cuts, 2u);
}

TEST(AimdWindow, a_window_without_marks_adds_a_packet) {
  AimdWindow window = fresh();
  for (int i = 0; i < 20'000; ++i) window.on_arrival(kPacket, kPacket);
  const uint32_t low = window.bytes();
  for (uint32_t i = 0; i < low / kPacket; ++i) window.on_arrival(kPacket, 0);
  EXPECT_NEAR(window.bytes(), low + kPacket, kPacket / 10);
}

TEST(AimdWindow, arrivals_in_one_burst_count_as_their_packets_do) {
  AimdWindow one = fresh();
  AimdWindow many = fresh();
  for (int i = 0; i < 2000; ++i) many.on_arrival(kPacket, kPacket);
  for (int i = 0; i < 200; ++i) one.on_arrival(10 * kPacket, 10 * kPacket);
  EXPECT_NEAR(one.bytes(), many.bytes(), kMost / 10);
}

}  // namespace
}  // namespace sluice::transport
