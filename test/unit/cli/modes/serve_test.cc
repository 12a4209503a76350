// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(ServeMode, needs_a_device) {
  Options options;
  EXPECT_FALSE(kServeMode.prepare(&options).ok());
  options.ports.emplace_back();
  EXPECT_TRUE(kServeMode.prepare(&options).ok());
}

TEST(ServeMode, checks_messages_of_every_length) {
  EXPECT_EQ(kServeMode.longest(Options()), (1u << 30) - 1);
  EXPECT_TRUE(kServeMode.roles.serve);
  EXPECT_FALSE(kServeMode.connects);
}

}  // namespace
}  // namespace sluice::cli
