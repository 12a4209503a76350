// SPDX-License-Identifier: Apache-2.0
#include "sim/traffic.h"

#include <gtest/gtest.h>

#include <map>
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

TEST(Traffic, a_permutation_is_one_cycle_and_the_seeds_own) {
  const PermutationTraffic traffic(1, 144, 1000);
  std::set<uint32_t> reached;
  for (uint32_t host = 0; reached.insert(host).second;) host = traffic.destinations()[host];
  EXPECT_EQ(reached.size(), 144u) << "everyone gets one, and none sends to itself";
  EXPECT_EQ(PermutationTraffic(1, 144, 9).destinations(), traffic.destinations());
  EXPECT_NE(PermutationTraffic(2, 144, 9).destinations(), traffic.destinations());
}

TEST(Traffic, bursts_come_at_one_time_from_as_many_senders_as_asked_for) {
  const Picos end(1'000'000'000);
  Bursts bursts({.senders = 3, .bytes = 100, .mean_gap = Picos(10'000'000)}, 1, 8, Picos(5), end);
  std::map<Picos, std::pair<uint32_t, std::set<uint32_t>>> seen;  // Receiver and senders by time.
  for (uint32_t host = 0; host < 8; ++host) {
    Picos last;
    for (Picos at = bursts.next_time(host); at != Picos::max(); at = bursts.next_time(host)) {
      EXPECT_GT(at, last) << "in order of time";
      EXPECT_LT(at, end);
      last = at;
      const uint32_t to = bursts.take(host);
      auto& burst = seen.try_emplace(at, to, std::set<uint32_t>()).first->second;
      EXPECT_EQ(burst.first, to) << "one receiver";
      EXPECT_NE(host, to);
      burst.second.insert(host);
    }
  }
  EXPECT_NEAR(static_cast<double>(seen.size()), 100, 30);
  for (const auto& [time, burst] : seen) EXPECT_EQ(burst.second.size(), 3u);
}

TEST(Traffic, without_bursts_there_are_none) {
  const Bursts bursts({}, 1, 2, Picos(), Picos(1'000'000'000));
  EXPECT_EQ(bursts.next_time(0), Picos::max());
}

}  // namespace
}  // namespace sluice::sim
