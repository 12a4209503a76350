// SPDX-License-Identifier: Apache-2.0
#include "engine/node.h"

#include <gtest/gtest.h>

#include "engine_test_util.h"

namespace sluice::engine {
namespace {

TEST(NodeConfig, limits_are_checked) {
  NodeConfig good = test_node("n", "pair:x", {"10.0.0.1/24"});
  EXPECT_TRUE(check_node_config(good).ok());
  NodeConfig ports = good;
  ports.ports.resize(9, good.ports[0]);
  EXPECT_NE(std::string(check_node_config(ports).message()).find("1 to 8 ports"),
            std::string::npos);
  NodeConfig lcores = good;
  lcores.lcores = 0;
  EXPECT_FALSE(check_node_config(lcores).ok());
  NodeConfig base = good;
  base.base_port = 65535;
  base.lcores = 2;
  EXPECT_FALSE(check_node_config(base).ok());
}

TEST(NodeConfig, two_default_nodes_stay_within_the_memory_budget) {
  NodeConfig node;
  PortConfig port;
  port.device = "pair:x";
  node.ports = {port};
  const uint64_t arena_mb = node.endpoint.arena_bytes >> 20;
  EXPECT_LE(2 * (estimate_memory_mb(node) + arena_mb), 200u);
}

TEST(NodeConfig, jumbo_frames_need_more_memory) {
  NodeConfig small = test_node("n", "pair:x", {"10.0.0.1/24"});
  NodeConfig large = small;
  large.ports[0].mtu = 9000;
  EXPECT_GT(estimate_memory_mb(large), 2 * estimate_memory_mb(small));
}

TEST(Node, a_jumbo_node_runs) {
  EngineConfig config = test_pair("jumbo");
  for (NodeConfig& node : config.nodes) node.ports[0].mtu = 9000;
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(
      0, {*wire::parse_ip_address("fd00:9::2"), kDefaultBasePort}, base::seconds(2));
  EXPECT_TRUE(session.ok()) << session.status();
  EXPECT_EQ((*engine)->report().ports[0].mtu, 9000u);
}

}  // namespace
}  // namespace sluice::engine
