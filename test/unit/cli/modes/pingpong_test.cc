// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(PingpongMode, has_one_rpc_of_64_bytes_in_flight) {
  Options options;
  ASSERT_TRUE(kPingpongMode.prepare(&options).ok());
  EXPECT_EQ(options.outstanding, 1u);
  EXPECT_EQ(options.size, 64u);
  EXPECT_EQ(options.service, kEchoService);
  EXPECT_EQ(options.count, 100'000u);
}

TEST(PingpongMode, a_duration_replaces_the_count) {
  Options options;
  options.duration = 1'000'000;
  ASSERT_TRUE(kPingpongMode.prepare(&options).ok());
  EXPECT_EQ(options.count, 0u);
}

}  // namespace
}  // namespace sluice::cli
