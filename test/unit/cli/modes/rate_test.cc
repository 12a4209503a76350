// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(RateMode, has_sixty_in_flight_unless_told_otherwise) {
  Options options;
  ASSERT_TRUE(kRateMode.prepare(&options).ok());
  EXPECT_EQ(options.outstanding, 60u);
  options.outstanding = 8;
  ASSERT_TRUE(kRateMode.prepare(&options).ok());
  EXPECT_EQ(options.outstanding, 8u);
}

TEST(RateMode, a_workload_replaces_the_size) {
  Options options;
  options.workload = "W3";
  ASSERT_TRUE(kRateMode.prepare(&options).ok());
  EXPECT_EQ(options.size, 0u);
  EXPECT_EQ(kRateMode.longest(options), 1'000'000u);
}

}  // namespace
}  // namespace sluice::cli
