// SPDX-License-Identifier: Apache-2.0
#include "sim/traffic.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::sim {
namespace {

TEST(Traffic, destinations_are_all_others_and_never_oneself) {
  Drawing drawing(base::Workload::fixed(64), 1, 5);
  std::set<uint32_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(drawing.destination(2));
  EXPECT_EQ(seen, (std::set<uint32_t>{0, 1, 3, 4}));
}

TEST(Traffic, a_host_draws_the_same_whatever_others_do) {
  Drawing alone(base::Workload::fixed(64), 1, 5);
  Drawing among(base::Workload::fixed(64), 1, 5);
  for (int i = 0; i < 100; ++i) {
    among.destination(0);
    EXPECT_EQ(alone.destination(1), among.destination(1));
  }
}

TEST(Traffic, sizes_come_by_name_or_number) {
  Scenario scenario;
  scenario.workload = "500";
  auto fixed = workload_of(scenario);
  ASSERT_TRUE(fixed.ok());
  EXPECT_EQ(fixed->max_size(), 500u);
  scenario.workload = "W5";
  EXPECT_TRUE(workload_of(scenario).ok());
  for (const char* wrong : {"W6", "0", "999999999", ""}) {
    scenario.workload = wrong;
    const auto none = workload_of(scenario);
    ASSERT_FALSE(none.ok()) << wrong;
    EXPECT_EQ(std::string(none.status().message()).rfind("workload: ", 0), 0u);
  }
}

TEST(Traffic, the_mean_wire_time_of_one_size_is_exact) {
  const Packetisation packets{1000, 100};
  EXPECT_EQ(mean_wire_time(base::Workload::fixed(2500), packets, 80), picos(2800 * 80));
}

}  // namespace
}  // namespace sluice::sim
