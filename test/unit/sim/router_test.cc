// SPDX-License-Identifier: Apache-2.0
#include "sim/router.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace sluice::sim {
namespace {

// 3 racks of 2 hosts, 4 spines: links 0 to 5 are the hosts', 6 + 4 * rack + spine the fabric's.
Topology small() { return leaf_spine("small", {.racks = 3, .hosts_per_rack = 2, .spines = 4}); }

Packet packet(uint16_t src, uint16_t dst, uint16_t entropy = 0) {
  Packet result{};
  result.src = src;
  result.dst = dst;
  result.entropy = entropy;
  return result;
}

std::map<PortId, int> choices(Router* router, uint32_t from, uint16_t dst, int count) {
  std::map<PortId, int> chosen;
  for (int i = 0; i < count; ++i) ++chosen[router->choose(from, packet(0, dst))];
  return chosen;
}

PortId up_port(uint32_t rack, uint32_t spine) { return 2 * (6 + 4 * rack + spine); }

TEST(Router, goes_down_where_the_host_is) {
  Router router(small(), Routing::kSpray, 1);
  // A host's link has the switch at its end b.
  EXPECT_EQ(router.choose(0, packet(0, 1)), 2u * 1 + 1);
  // Spine 2 is switch 5; its port to rack 1 is at end b of that rack's third uplink.
  EXPECT_EQ(router.choose(5, packet(0, 2)), up_port(1, 2) + 1);
}

TEST(Router, spraying_spreads) {
  Router router(small(), Routing::kSpray, 1);
  const auto chosen = choices(&router, 0, 5, 40'000);
  ASSERT_EQ(chosen.size(), 4u);
  for (uint32_t spine = 0; spine < 4; ++spine) {
    EXPECT_NEAR(chosen.at(up_port(0, spine)), 10'000, 450);
  }
}

TEST(Router, sprayed_choices_do_not_follow_one_another) {
  Router router(small(), Routing::kSpray, 1);
  int same = 0;
  PortId last = kNoPort;
  for (int i = 0; i < 40'000; ++i) {
    const PortId port = router.choose(0, packet(0, 5));
    same += port == last ? 1 : 0;
    last = port;
  }
  EXPECT_NEAR(same, 10'000, 450);
}

TEST(Router, round_robin_takes_turns) {
  Router router(small(), Routing::kRoundRobin, 1);
  for (uint32_t i = 0; i < 12; ++i) {
    EXPECT_EQ(router.choose(0, packet(0, 5)), up_port(0, i % 4));
  }
}

TEST(Router, ecmp_keeps_a_flow_and_spreads_flows) {
  Router router(small(), Routing::kEcmp, 1);
  std::map<PortId, int> chosen;
  for (uint16_t entropy = 0; entropy < 4'000; ++entropy) {
    const PortId port = router.choose(0, packet(0, 5, entropy));
    ++chosen[port];
    for (int i = 0; i < 3; ++i) EXPECT_EQ(router.choose(0, packet(0, 5, entropy)), port);
  }
  ASSERT_EQ(chosen.size(), 4u);
  for (const auto& [port, count] : chosen) EXPECT_NEAR(count, 1'000, 130);
}

TEST(Router, ecmp_hashes_another_way_in_each_switch_and_run) {
  Router router(small(), Routing::kEcmp, 1);
  Router other(small(), Routing::kEcmp, 2);
  int same_switch = 0;
  int same_seed = 0;
  for (uint16_t entropy = 0; entropy < 1'000; ++entropy) {
    const PortId port = router.choose(0, packet(0, 5, entropy));
    same_switch += router.choose(1, packet(0, 5, entropy)) - up_port(1, 0) == port - up_port(0, 0);
    same_seed += other.choose(0, packet(0, 5, entropy)) == port;
  }
  EXPECT_NEAR(same_switch, 250, 70);
  EXPECT_NEAR(same_seed, 250, 70);
}

TEST(Router, avoids_links_that_are_down_near_and_far) {
  const Topology topology = small();
  Router router(topology, Routing::kSpray, 1);
  std::vector<bool> up(topology.links.size(), true);
  up[6 + 4 * 0 + 1] = false;  // Rack 0 to spine 1.
  up[6 + 4 * 2 + 3] = false;  // Rack 2 to spine 3.
  router.recompute(up);
  const auto to_rack2 = choices(&router, 0, 5, 1'000);
  EXPECT_EQ(to_rack2.size(), 2u);  // Spines 0 and 2.
  EXPECT_EQ(to_rack2.count(up_port(0, 1)) + to_rack2.count(up_port(0, 3)), 0u);
  const auto to_rack1 = choices(&router, 0, 2, 1'000);
  EXPECT_EQ(to_rack1.size(), 3u);  // Only spine 1 is missing.
  EXPECT_EQ(to_rack1.count(up_port(0, 1)), 0u);
  router.recompute(std::vector<bool>(topology.links.size(), true));
  EXPECT_EQ(choices(&router, 0, 5, 1'000).size(), 4u);
}

TEST(Router, without_a_way_there_is_no_port) {
  const Topology topology = small();
  Router router(topology, Routing::kSpray, 1);
  std::vector<bool> up(topology.links.size(), true);
  up[5] = false;  // Host 5's own.
  router.recompute(up);
  EXPECT_EQ(router.choose(0, packet(0, 5)), kNoPort);
  EXPECT_EQ(router.choose(2, packet(0, 5)), kNoPort);
  EXPECT_NE(router.choose(0, packet(0, 4)), kNoPort);
}

// A spine that lost its link to a rack may still reach it over another rack, but those ways are
// longer, and are taken only when there is no shortest one.
TEST(Router, takes_detours_only_in_need) {
  const Topology topology = small();
  Router router(topology, Routing::kSpray, 1);
  std::vector<bool> up(topology.links.size(), true);
  for (const uint32_t spine : {1u, 2u, 3u}) up[6 + 4 * 0 + spine] = false;  // Rack 0: spine 0 only.
  up[6 + 4 * 2 + 0] = false;  // Rack 2: all but spine 0.
  router.recompute(up);
  // Rack 0, spine 0, rack 1, spines 1 to 3, rack 2.
  EXPECT_EQ(router.choose(0, packet(0, 5)), up_port(0, 0));
  EXPECT_EQ(router.choose(3, packet(0, 5)), up_port(1, 0) + 1);
  EXPECT_EQ(choices(&router, 1, 5, 1'000).size(), 3u);
}

}  // namespace
}  // namespace sluice::sim
