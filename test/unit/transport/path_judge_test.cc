// SPDX-License-Identifier: Apache-2.0
#include "transport/path_judge.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::transport {
namespace {

constexpr base::Nanos kRtt = base::micros(10);

// Rounds of arrivals, in turn over the paths that live. Returns what was said.
struct Network {
  std::set<uint8_t> dead;
  std::set<uint8_t> marked;
  PathJudge judge;
  uint32_t turn = 0;
  base::Nanos now = base::seconds(1);

  uint16_t round() {
    uint16_t said = 0;
    for (uint32_t i = 0; i < PathJudge::kRound;) {
      const auto path = static_cast<uint8_t>(turn++ % wire::kPaths);
      if (dead.contains(path)) continue;
      ++i;
      said |= judge.note(path, marked.contains(path), kRtt, now);
    }
    return said;
  }
};

// Verifies MUST-T25
TEST(PathJudge, says_nothing_while_each_path_brings_its_share) {
  Network network;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(network.round(), 0u);
}

// Verifies MUST-T25
TEST(PathJudge, a_dead_path_is_named_after_a_round_and_again_after_some_round_trips) {
  Network network;
  network.dead = {3, 9};
  const uint16_t both = 1u << 3 | 1u << 9;
  EXPECT_EQ(network.round(), both);
  // What was under way on them was sent before the news could be there.
  network.now = base::after(network.now, kRtt * PathJudge::kQuietRoundTrips - base::Nanos(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(network.round(), 0u);
  network.now = base::after(network.now, base::Nanos(1));
  EXPECT_EQ(network.round(), both);
  network.now = base::after(network.now, kRtt * PathJudge::kQuietRoundTrips);
  network.dead.clear();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(network.round(), 0u);
}

TEST(PathJudge, names_the_dead_even_where_only_two_live) {
  Network network;
  for (uint8_t i = 2; i < wire::kPaths; ++i) network.dead.insert(i);
  EXPECT_EQ(network.round(), 0xfffcu);
}

// Verifies MUST-T25
TEST(PathJudge, a_path_that_alone_is_marked_is_overloaded) {
  Network network;
  network.marked = {5};
  EXPECT_EQ(network.round(), 1u << 5);
}

TEST(PathJudge, marks_on_many_of_them_tell_of_what_they_share) {
  Network network;
  for (uint8_t i = 0; i < wire::kPaths; ++i) network.marked.insert(i);
  EXPECT_EQ(network.round(), 0u);
  for (uint8_t i = 0; i < wire::kPaths / 2; ++i) network.marked.erase(i);
  EXPECT_EQ(network.round(), 0u);
}

// Verifies MUST-T25
TEST(PathJudge, a_sender_that_keeps_to_one_path_is_left_alone) {
  PathJudge judge;
  for (uint32_t i = 0; i < 10 * PathJudge::kRound; ++i) {
    EXPECT_EQ(judge.note(0, true, kRtt, base::seconds(i)), 0u);
  }
}

}  // namespace
}  // namespace sluice::transport
