// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(RecvfileMode, needs_a_device_and_a_folder_to_write_into) {
  Options options;
  EXPECT_FALSE(kRecvfileMode.prepare(&options).ok());
  options.ports.emplace_back();
  options.folder = "/none/such";
  EXPECT_FALSE(kRecvfileMode.prepare(&options).ok());
  options.folder = testing::TempDir();
  EXPECT_TRUE(kRecvfileMode.prepare(&options).ok());
}

}  // namespace
}  // namespace sluice::cli
