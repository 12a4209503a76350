// SPDX-License-Identifier: Apache-2.0
#include "transport/rack_recovery.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace sluice::transport {
namespace {

using Ranges = std::vector<std::pair<uint32_t, uint32_t>>;

class RackRecoveryTest : public testing::Test {
 protected:
  Ranges progress(uint64_t micros) {
    std::array<ResendRange, 8> out;
    const size_t count = recovery_.on_progress(&message_, rtt_, 1000, at(micros), out);
    Ranges found;
    for (size_t i = 0; i < count; ++i) found.emplace_back(out[i].begin, out[i].end);
    return found;
  }
  static base::Nanos at(uint64_t micros) { return base::seconds(1) + base::micros(micros); }
  // A quarter of the round trip: 25 us.
  void know_the_round_trip() {
    for (int i = 0; i < 50; ++i) rtt_.sample(base::micros(100));
  }

  RackRecovery recovery_;
  Reassembly message_;
  RttEstimator rtt_{base::micros(400), base::micros(200), base::millis(50)};
};

TEST_F(RackRecoveryTest, later_packets_prove_nothing) {
  know_the_round_trip();
  message_.received.insert(1000, 20'000);
  EXPECT_EQ(progress(0), Ranges{});
  EXPECT_EQ(progress(24), Ranges{});
  EXPECT_EQ(progress(25), (Ranges{{0, 1000}}));
  EXPECT_EQ(progress(100), Ranges{}) << "each hole is asked for once";
}

TEST_F(RackRecoveryTest, only_holes_as_old_as_the_first_are_asked_for) {
  know_the_round_trip();
  message_.received.insert(1000, 2000);
  message_.received.insert(3000, 4000);
  EXPECT_EQ(progress(0), Ranges{});
  message_.received.insert(5000, 6000);
  EXPECT_EQ(progress(25), (Ranges{{0, 1000}, {2000, 3000}}));
  EXPECT_EQ(progress(26), Ranges{});
  EXPECT_EQ(progress(51), (Ranges{{4000, 5000}}));
}

TEST_F(RackRecoveryTest, learns_how_long_reordering_takes) {
  know_the_round_trip();
  message_.received.insert(1000, 2000);
  EXPECT_EQ(progress(0), Ranges{});
  message_.received.insert(0, 1000);
  recovery_.on_closed(&message_, at(20));
  EXPECT_EQ(recovery_.skew(), base::micros(20));
  message_.received.insert(3000, 4000);
  EXPECT_EQ(progress(100), Ranges{});
  EXPECT_EQ(progress(139), Ranges{});
  EXPECT_EQ(progress(140), (Ranges{{2000, 3000}})) << "twice what was seen";
}

TEST_F(RackRecoveryTest, a_hole_that_gives_way_to_a_later_one_has_closed) {
  know_the_round_trip();
  message_.received.insert(1000, 2000);
  message_.received.insert(3000, 4000);
  EXPECT_EQ(progress(0), Ranges{});
  message_.received.insert(0, 1000);
  EXPECT_EQ(progress(10), Ranges{});
  EXPECT_EQ(recovery_.skew(), base::micros(10));
  EXPECT_EQ(progress(34), Ranges{}) << "the second is looked at since 10";
  EXPECT_EQ(progress(35), (Ranges{{2000, 3000}}));
}

TEST_F(RackRecoveryTest, forgets_and_never_waits_longer_than_a_time_out) {
  know_the_round_trip();
  message_.received.insert(1000, 2000);
  EXPECT_EQ(progress(0), Ranges{});
  recovery_.on_closed(&message_, at(100'000));
  EXPECT_EQ(recovery_.skew(), base::millis(100));
  EXPECT_EQ(progress(100'000), Ranges{});
  EXPECT_EQ(progress(100'200), (Ranges{{0, 1000}})) << "the floor of time-outs";
  recovery_.on_closed(&message_, at(200'000));
  EXPECT_EQ(recovery_.skew(), base::millis(100)) << "what was asked for does not come by itself";
  for (int i = 0; i < 1000; ++i) {
    message_.gap_since = at(0);
    message_.gap_first = 2000;
    recovery_.on_closed(&message_, at(0));
  }
  EXPECT_LT(recovery_.skew(), base::micros(1));
}

TEST_F(RackRecoveryTest, what_another_priority_may_have_overtaken_gets_a_whole_time_out) {
  know_the_round_trip();
  message_.class_begin = 3000;
  message_.received.insert(0, 1000);
  message_.received.insert(3000, 9000);
  EXPECT_EQ(progress(0), Ranges{});
  EXPECT_EQ(progress(199), Ranges{});
  EXPECT_EQ(progress(200), (Ranges{{1000, 3000}}));
}

TEST_F(RackRecoveryTest, what_a_higher_priority_overtook_teaches_nothing_about_paths) {
  know_the_round_trip();
  message_.class_begin = 3000;
  message_.received.insert(1000, 4000);
  EXPECT_EQ(progress(0), Ranges{});
  message_.received.insert(0, 1000);
  recovery_.on_closed(&message_, at(80));
  EXPECT_EQ(recovery_.skew(), base::Nanos());
}

TEST_F(RackRecoveryTest, what_was_asked_for_is_asked_for_again_while_others_arrive) {
  know_the_round_trip();
  message_.received.insert(1000, 2000);
  message_.received.insert(3000, 4000);
  EXPECT_EQ(progress(0), Ranges{});
  EXPECT_EQ(progress(25), (Ranges{{0, 1000}, {2000, 3000}}));
  message_.received.insert(2000, 3000);
  message_.received.insert(4000, 5000);
  EXPECT_EQ(progress(224), Ranges{});
  EXPECT_EQ(progress(225), Ranges{}) << "a time-out after it was asked for, its hole is new";
  EXPECT_EQ(progress(250), (Ranges{{0, 1000}}));
}

TEST_F(RackRecoveryTest, before_the_round_trip_is_known_it_is_asked_for_again_after_a_time_out) {
  message_.received.insert(1000, 2000);
  EXPECT_EQ(progress(0), Ranges{});
  EXPECT_EQ(progress(100), (Ranges{{0, 1000}}));
  EXPECT_EQ(progress(499), Ranges{});
  EXPECT_EQ(progress(500), Ranges{}) << "from now on it counts as lost again";
  EXPECT_EQ(progress(600), (Ranges{{0, 1000}}));
}

TEST_F(RackRecoveryTest, a_time_out_asks_for_all_that_is_allowed) {
  message_.grant.granted = 8000;
  message_.received.insert(1000, 2000);
  std::array<ResendRange, 8> out;
  ASSERT_EQ(recovery_.on_timeout(&message_, at(0), out), 2u);
  EXPECT_EQ(out[0].end, 1000u);
  EXPECT_EQ(out[1].begin, 2000u);
  EXPECT_EQ(out[1].end, 8000u);
}

}  // namespace
}  // namespace sluice::transport
