// SPDX-License-Identifier: Apache-2.0
#include "transport/rtt.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

using base::micros;
using base::millis;

RttEstimator make() { return RttEstimator(millis(1), micros(200), millis(50)); }

TEST(Rtt, the_initial_timeout_holds_until_the_first_sample) {
  RttEstimator rtt = make();
  EXPECT_FALSE(rtt.has_sample());
  EXPECT_EQ(rtt.timeout(0), millis(1));
  EXPECT_EQ(rtt.reordering(), micros(250));
  rtt.sample(micros(100));
  EXPECT_TRUE(rtt.has_sample());
  rtt.reset();
  EXPECT_EQ(rtt.timeout(0), millis(1));
}

// RFC 6298 §2: first srtt = R, var = R/2; then var = 3/4 var + 1/4 |srtt - R|, srtt = 7/8, 1/8.
TEST(Rtt, samples_are_smoothed_as_rfc_6298_says) {
  RttEstimator rtt = make();
  rtt.sample(micros(800));
  EXPECT_EQ(rtt.smoothed(), micros(800));
  EXPECT_EQ(rtt.timeout(0), micros(800 + 4 * 400));
  rtt.sample(micros(1600));
  EXPECT_EQ(rtt.smoothed(), micros(900));
  EXPECT_EQ(rtt.timeout(0), micros(900 + 4 * 500));
  EXPECT_EQ(rtt.reordering(), micros(225));
}

// Verifies MUST-T8 together with Timers, a_fruitless_timer_doubles_up_to_the_ceiling.
TEST(Rtt, each_backoff_doubles_the_timeout_up_to_the_ceiling) {
  RttEstimator rtt = make();
  EXPECT_EQ(rtt.timeout(1), millis(2));
  EXPECT_EQ(rtt.timeout(5), millis(32));
  EXPECT_EQ(rtt.timeout(6), millis(50));
  EXPECT_EQ(rtt.timeout(15), millis(50));
  EXPECT_EQ(rtt.timeout(16), millis(50));
  EXPECT_EQ(rtt.timeout(UINT32_MAX), millis(50));
}

TEST(Rtt, the_floor_bounds_a_fast_path) {
  RttEstimator rtt = make();
  for (int i = 0; i < 100; ++i) rtt.sample(micros(5));
  EXPECT_EQ(rtt.timeout(0), micros(200));
  EXPECT_EQ(rtt.timeout(1), micros(400));
}

}  // namespace
}  // namespace sluice::transport
