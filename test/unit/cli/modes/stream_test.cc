// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(StreamMode, sends_megabytes_to_the_sink) {
  Options options;
  ASSERT_TRUE(kStreamMode.prepare(&options).ok());
  EXPECT_EQ(options.size, 1'000'000u);
  EXPECT_EQ(options.service, kSinkService);
}

TEST(StreamMode, takes_messages_longer_than_what_is_buffered) {
  Options options;
  options.size = 100'000'000;
  EXPECT_TRUE(kStreamMode.prepare(&options).ok());
  EXPECT_EQ(kStreamMode.longest(options), 100'000'000u);
}

}  // namespace
}  // namespace sluice::cli
