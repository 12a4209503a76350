// SPDX-License-Identifier: Apache-2.0
#include "transport/send_paths.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace sluice::transport {
namespace {

TEST(SendPaths, each_is_used_once_in_every_round_and_in_changing_order) {
  base::Prng prng(1);
  SendPaths paths;
  paths.start(&prng);
  std::set<std::array<uint8_t, SendPaths::kCount>> orders;
  for (int round = 0; round < 50; ++round) {
    std::array<uint8_t, SendPaths::kCount> order;
    for (uint8_t& path : order) path = paths.next(&prng);
    EXPECT_EQ(std::set<uint8_t>(order.begin(), order.end()).size(), SendPaths::kCount);
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 25u);
}

TEST(SendPaths, two_messages_in_turn_both_meet_every_path) {
  base::Prng prng(1);
  SendPaths paths;
  paths.start(&prng);
  std::set<uint8_t> met[2];
  for (uint32_t i = 0; i < 40 * SendPaths::kCount; ++i) met[i % 2].insert(paths.next(&prng));
  EXPECT_EQ(met[0].size(), SendPaths::kCount);
  EXPECT_EQ(met[1].size(), SendPaths::kCount);
}

TEST(SendPaths, only_the_paths_named_are_replaced) {
  base::Prng prng(7);
  SendPaths paths;
  paths.start(&prng);
  std::array<uint16_t, SendPaths::kCount> before;
  for (uint8_t i = 0; i < SendPaths::kCount; ++i) before[i] = paths.entropy(i);
  EXPECT_GT(std::set<uint16_t>(before.begin(), before.end()).size(), SendPaths::kCount / 2);
  EXPECT_EQ(paths.replace(0x8005, &prng), 3u);
  for (uint8_t i = 0; i < SendPaths::kCount; ++i) {
    EXPECT_EQ(paths.entropy(i) != before[i], i == 0 || i == 2 || i == 15) << int{i};
  }
  EXPECT_EQ(paths.replace(0, &prng), 0u);
}

TEST(PathTrail, tells_the_paths_of_the_latest_records) {
  PathTrail trail;
  for (uint32_t record = 0; record < 20; ++record) {
    trail.note(record, static_cast<uint8_t>(record * 3 % SendPaths::kCount));
  }
  EXPECT_EQ(trail.taken(19, 20, 19), 1u << (57 % 16));
  EXPECT_EQ(trail.taken(4, 6, 19), 1u << 12 | 1u << 15);
  EXPECT_EQ(trail.taken(0, 4, 19), 0u) << "too long ago";
  EXPECT_EQ(trail.taken(0, 5, 19), 1u << 12);
  EXPECT_EQ(trail.taken(19, 40, 19), 1u << (57 % 16)) << "nothing was sent behind it";
  trail.note(5, 1);  // Sent again.
  EXPECT_EQ(trail.taken(5, 6, 19), 1u << 1);
  EXPECT_EQ(PathTrail().taken(0, 1, 0), 1u << 0);
}

}  // namespace
}  // namespace sluice::transport
