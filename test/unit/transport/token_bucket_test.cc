// SPDX-License-Identifier: Apache-2.0
#include "transport/token_bucket.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

using base::millis;
using base::seconds;

int taken(TokenBucket* bucket, base::Nanos now, int tries) {
  int out = 0;
  for (int i = 0; i < tries; ++i) out += bucket->take(now) ? 1 : 0;
  return out;
}

TEST(TokenBucket, begins_full_and_refills_at_its_rate) {
  TokenBucket bucket(1000, 10);
  EXPECT_EQ(taken(&bucket, seconds(1), 100), 10);
  EXPECT_EQ(taken(&bucket, seconds(1) + millis(3), 100), 3);
  EXPECT_EQ(taken(&bucket, seconds(100), 100), 10);
}

TEST(TokenBucket, a_clock_that_stands_still_or_jumps_far_is_harmless) {
  TokenBucket bucket(1, 1);
  EXPECT_EQ(taken(&bucket, base::Nanos(0), 5), 1);
  EXPECT_EQ(taken(&bucket, base::Nanos(0), 5), 0);
  EXPECT_EQ(taken(&bucket, base::Nanos::max(), 5), 1);
  EXPECT_EQ(taken(&bucket, base::Nanos(7), 5), 0);
  EXPECT_EQ(taken(&bucket, base::Nanos::max(), 5), 0);
}

TEST(TokenBucket, admits_the_rate_over_a_long_time) {
  TokenBucket bucket(20000, 1);
  int admitted = 0;
  for (uint64_t us = 0; us < 1'000'000; us += 7) admitted += bucket.take(base::micros(us));
  EXPECT_GE(admitted, 17'000);
  EXPECT_LE(admitted, 20'001);
}

}  // namespace
}  // namespace sluice::transport
