// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(IncastMode, begins_rounds_of_many_to_the_sink) {
  Options options;
  ASSERT_TRUE(kIncastMode.prepare(&options).ok());
  EXPECT_EQ(options.outstanding, 32u);
  EXPECT_EQ(options.size, 100'000u);
  EXPECT_EQ(options.service, kSinkService);
}

}  // namespace
}  // namespace sluice::cli
