// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(LoopbackMode, is_the_main_job_by_default) {
  Options options;
  ASSERT_TRUE(kLoopbackMode.prepare(&options).ok());
  EXPECT_EQ(options.workload, "W3");
  EXPECT_EQ(options.count, 200'000u);
  EXPECT_TRUE(kLoopbackMode.roles.serve);
  EXPECT_TRUE(kLoopbackMode.roles.files);
}

TEST(LoopbackMode, has_no_device) {
  Options options;
  options.ports.emplace_back();
  EXPECT_FALSE(kLoopbackMode.prepare(&options).ok());
}

}  // namespace
}  // namespace sluice::cli
