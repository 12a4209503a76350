// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery_policy.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace sluice::transport {
namespace {

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;

class GapRecoveryTest : public testing::Test {
 protected:
  Ranges progress(base::Nanos now) {
    std::array<ResendRange, 8> out;
    const size_t count = recovery_.on_progress(&message_, rtt_, 1000, now, out);
    return taken(out, count);
  }
  Ranges timeout(base::Nanos now) {
    std::array<ResendRange, 8> out;
    const size_t count = recovery_.on_timeout(&message_, now, out);
    return taken(out, count);
  }
  static Ranges taken(const std::array<ResendRange, 8>& out, size_t count) {
    Ranges found;
    for (size_t i = 0; i < count; ++i) found.emplace_back(out[i].begin, out[i].end);
    return found;
  }

  GapRecovery recovery_;
  Reassembly message_;
  RttEstimator rtt_{base::micros(400), base::micros(200), base::millis(50)};
  base::Nanos now_ = base::seconds(1);
};

TEST_F(GapRecoveryTest, a_young_hole_may_be_reordering) {
  message_.received.insert(1000, 3000);
  EXPECT_EQ(progress(now_), Ranges{});
}

TEST_F(GapRecoveryTest, three_packets_beyond_a_hole_prove_it_once) {
  message_.received.insert(1000, 4000);
  EXPECT_EQ(progress(now_), (Ranges{{0, 1000}}));
  EXPECT_EQ(progress(now_), Ranges{}) << "each hole is asked for once";
  message_.received.insert(5000, 9000);
  EXPECT_EQ(progress(now_), (Ranges{{4000, 5000}}));
}

TEST_F(GapRecoveryTest, a_hole_older_than_a_quarter_round_trip_is_lost) {
  message_.received.insert(0, 1000);
  message_.received.insert(2000, 3000);
  EXPECT_EQ(progress(now_), Ranges{});
  EXPECT_EQ(progress(now_ + base::micros(99)), Ranges{});
  EXPECT_EQ(progress(now_ + base::micros(100)), (Ranges{{1000, 2000}}));
}

TEST_F(GapRecoveryTest, what_another_priority_may_have_overtaken_gets_a_whole_time_out) {
  message_.class_begin = 3000;
  message_.received.insert(0, 1000);
  message_.received.insert(3000, 9000);
  EXPECT_EQ(progress(now_), Ranges{});
  EXPECT_EQ(progress(now_ + base::micros(399)), Ranges{});
  EXPECT_EQ(progress(now_ + base::micros(400)), (Ranges{{1000, 3000}}));
  message_.received.insert(10'000, 14'000);
  EXPECT_EQ(progress(now_ + base::micros(401)), (Ranges{{9000, 10'000}})) << "one priority again";
}

TEST_F(GapRecoveryTest, a_hole_that_begins_later_is_a_younger_one) {
  message_.received.insert(1000, 2000);
  EXPECT_EQ(progress(now_), Ranges{});
  message_.received.insert(0, 1000);
  message_.received.insert(3000, 4000);
  EXPECT_EQ(progress(now_ + base::micros(90)), Ranges{});
  EXPECT_EQ(progress(now_ + base::micros(150)), Ranges{}) << "seen for 60 us only";
  EXPECT_EQ(progress(now_ + base::micros(190)), (Ranges{{2000, 3000}}));
}

TEST_F(GapRecoveryTest, a_filled_hole_is_not_asked_for) {
  message_.received.insert(1000, 3000);
  EXPECT_EQ(progress(now_), Ranges{});
  message_.received.insert(0, 1000);
  EXPECT_EQ(progress(now_ + base::seconds(1)), Ranges{});
}

TEST_F(GapRecoveryTest, more_holes_than_fit_are_asked_for_in_turns) {
  for (uint32_t i = 0; i < 12; ++i) message_.received.insert(i * 2000 + 1000, i * 2000 + 2000);
  message_.received.insert(24000, 30000);
  const Ranges first = progress(now_);
  EXPECT_EQ(first.size(), 8u);
  EXPECT_EQ(first.front(), (std::pair<uint32_t, uint32_t>{0, 1000}));
  EXPECT_EQ(progress(now_).size(), 4u);
  EXPECT_EQ(progress(now_).size(), 0u);
}

TEST_F(GapRecoveryTest, a_timeout_asks_for_all_that_is_granted_and_missing) {
  message_.grant.granted = 10000;
  message_.received.insert(2000, 5000);
  EXPECT_EQ(timeout(now_), (Ranges{{0, 2000}, {5000, 10000}}));
  EXPECT_EQ(timeout(now_), (Ranges{{0, 2000}, {5000, 10000}})) << "again with every timeout";
  message_.received.insert(0, 10000);
  EXPECT_EQ(timeout(now_), Ranges{});
}

}  // namespace
}  // namespace sluice::transport
