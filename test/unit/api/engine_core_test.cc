// SPDX-License-Identifier: Apache-2.0
#include "api/engine_core.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "test/unit/api/test_engine.h"

namespace sluice::internal {
namespace {

using testing_support::Echo;
using testing_support::kClient;
using testing_support::two_nodes;

TEST(EngineCore, work_for_an_lcore_runs_there_or_here) {
  Echo echo;
  auto core = EngineCore::create(two_nodes(&echo));
  ASSERT_TRUE(core.ok()) << core.status();
  EndpointCore* endpoint = (*core)->endpoint(kClient, 0);
  ASSERT_NE(endpoint, nullptr);
  bool on_lcore = true;
  const auto ask = [&](EndpointCore& target) {
    EXPECT_EQ(&target, endpoint);
    on_lcore = EndpointCore::on_lcore_thread();
  };
  ASSERT_TRUE((*core)->on_lcore(*endpoint, ask).ok());
  EXPECT_FALSE(on_lcore);
  ASSERT_TRUE((*core)->start().ok());
  ASSERT_TRUE((*core)->on_lcore(*endpoint, ask).ok());
  EXPECT_TRUE(on_lcore);
  ASSERT_TRUE((*core)->close().ok());
  ASSERT_TRUE((*core)->on_lcore(*endpoint, ask).ok());
  EXPECT_FALSE(on_lcore);
}

TEST(EngineCore, refused_peers_are_logged_but_not_all_of_them) {
  Echo echo;
  EngineOptions options = two_nodes(&echo);
  options.log_level = LogLevel::kWarning;
  auto core = EngineCore::create(options);
  ASSERT_TRUE(core.ok()) << core.status();
  testing::internal::CaptureStderr();
  transport::PeerAddress peer;
  peer.ip = wire::IpAddress::from_v4(0x0a090001);
  for (int i = 0; i < 3; ++i) (*core)->on_peer_refused(1, peer, "the keys differ");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("server: 10.9.0.1: the keys differ"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

}  // namespace
}  // namespace sluice::internal
