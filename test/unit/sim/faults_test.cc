// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

using What = Fault::What;

// 2 racks of 1 host, 2 spines: links 0 and 1 are the hosts', 2 + 2 * rack + spine the fabric's;
// switches 0 and 1 are the leaves, 2 and 3 the spines.
class FaultStateTest : public testing::Test {
 protected:
  Topology topology_ = leaf_spine("tiny", {.racks = 2, .hosts_per_rack = 1, .spines = 2});
  Fabric fabric_{topology_, NetworkConfig()};
  FaultState state_{topology_};
};

TEST_F(FaultStateTest, a_link_fails_and_comes_back) {
  EXPECT_TRUE(state_.apply({What::kFailLink, 3}, &fabric_));
  EXPECT_FALSE(fabric_.link_is_up(3));
  EXPECT_TRUE(fabric_.link_is_up(2));
  EXPECT_FALSE(state_.apply({What::kFailLink, 3}, &fabric_));
  EXPECT_TRUE(state_.apply({What::kRestoreLink, 3}, &fabric_));
  EXPECT_TRUE(fabric_.link_is_up(3));
  EXPECT_FALSE(state_.apply({What::kRestoreLink, 3}, &fabric_));
}

TEST_F(FaultStateTest, a_switch_takes_all_its_links_with_it) {
  EXPECT_TRUE(state_.apply({What::kFailSwitch, 2}, &fabric_));
  EXPECT_FALSE(fabric_.link_is_up(2));
  EXPECT_TRUE(fabric_.link_is_up(3));
  EXPECT_FALSE(fabric_.link_is_up(4));
  EXPECT_TRUE(fabric_.link_is_up(0));
  EXPECT_TRUE(state_.apply({What::kRestoreSwitch, 2}, &fabric_));
  for (LinkId link = 0; link < topology_.links.size(); ++link) {
    EXPECT_TRUE(fabric_.link_is_up(link));
  }
}

TEST_F(FaultStateTest, a_link_needs_itself_and_both_its_switches) {
  state_.apply({What::kFailLink, 2}, &fabric_);
  EXPECT_TRUE(state_.apply({What::kFailSwitch, 0}, &fabric_));
  EXPECT_TRUE(state_.apply({What::kFailSwitch, 2}, &fabric_));
  EXPECT_TRUE(state_.apply({What::kRestoreSwitch, 0}, &fabric_));
  EXPECT_TRUE(fabric_.link_is_up(0));
  EXPECT_TRUE(fabric_.link_is_up(3));
  EXPECT_FALSE(fabric_.link_is_up(2));
  EXPECT_FALSE(state_.apply({What::kRestoreLink, 2}, &fabric_));
  EXPECT_TRUE(state_.apply({What::kRestoreSwitch, 2}, &fabric_));
  EXPECT_TRUE(fabric_.link_is_up(2));
}

TEST_F(FaultStateTest, a_rate_is_no_failure) {
  EXPECT_FALSE(state_.apply({What::kChangeRate, 2, 25}, &fabric_));
  EXPECT_EQ(fabric_.ports()[4].picos_per_byte, 320u);
  EXPECT_EQ(fabric_.ports()[5].picos_per_byte, 320u);
  EXPECT_EQ(fabric_.ports()[6].picos_per_byte, 200u);
  EXPECT_TRUE(fabric_.link_is_up(2));
}

}  // namespace
}  // namespace sluice::sim
