// SPDX-License-Identifier: Apache-2.0
#include "engine/connectx_device.h"

#include <gtest/gtest.h>

namespace sluice::engine {
namespace {

// No machine has one at this address. With rdma-core or without: a reason, and nothing is opened.
TEST(ConnectxDevice, says_why_there_is_none) {
  const auto device = open_connectx("ffff:ff:1f.7");
  ASSERT_TRUE(absl::IsUnavailable(device.status())) << device.status();
  const std::string why(device.status().message());
  EXPECT_TRUE(why.find("no rdma-core") == 0 || why.find("rdma-core knows no ConnectX") == 0 ||
              why.find("rdma-core cannot list") == 0 || why.find("built without") == 0)
      << why;
  EXPECT_EQ(describe_connectx("ffff:ff:1f.7"), "no TLS engine: " + why);
}

}  // namespace
}  // namespace sluice::engine
