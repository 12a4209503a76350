// SPDX-License-Identifier: Apache-2.0
//
// The simulator against what others have published of theirs. These are short runs that tell a
// broken model from a sound one; `perf/evaluate` makes the long ones. Where a published curve is
// not at hand, the published bound stands for it.
#include <gtest/gtest.h>

#include <string>

#include "sim/report.h"

namespace sluice::sim {
namespace {

Scenario scenario_of(const std::string& topology, const std::string& workload,
                     const std::string& policy, uint32_t overcommit = 0) {
  Scenario scenario;
  scenario.topology = topology;
  scenario.workload = workload;
  EXPECT_TRUE(set_policy(policy, &scenario).ok());
  scenario.overcommit = overcommit;
  return scenario;
}

void set_times(uint64_t warmup_us, uint64_t duration_us, Scenario* scenario) {
  scenario->warmup = to_picos(base::micros(warmup_us));
  scenario->duration = to_picos(base::micros(duration_us));
}

Report run(const Scenario& scenario) {
  auto experiment = Experiment::create(scenario);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  (*experiment)->run();
  return report_of(**experiment);
}

const SlowdownGroup& group(const Report& report, const std::string& name) {
  for (const SlowdownGroup& group : report.groups) {
    if (group.name == name) return group;
  }
  ADD_FAILURE() << "no messages in group " << name;
  return report.groups.front();
}

// Homa's simulations: 144 hosts at 10/40 Gb/s, 80 % of the wire, as many messages granted at a time
// as PlatformLab/HomaSimulation has for the workload, slowdown against its own packets. V1: p99 of
// the shorter half lies between what an ideal network does and 2.2 (its README). V2: the median
// exceeds the ideal one by no more than the 5 % to which the published curve would be read.
struct HomaCase {
  const char* workload;
  uint32_t overcommit;
  uint64_t warmup_us;
  uint64_t duration_us;
  // Longest and mean queue of a ToR's port to a host, in KB: Homa (SIGCOMM 2018), table 1, as
  // recalled. The longest depends on the length of the run.
  double longest_kb;
  double mean_kb;
};

class Homa : public testing::TestWithParam<HomaCase> {
 protected:
  Report run_with(const char* policy) const {
    const HomaCase& c = GetParam();
    Scenario scenario = scenario_of("leafspine144-10g", c.workload, policy, c.overcommit);
    set_times(c.warmup_us, c.duration_us, &scenario);
    return run(scenario);
  }
};

TEST_P(Homa, short_messages_stay_within_the_published_bound) {
  const Report homa = run_with("homa");
  const Report ideal = run_with("ideal");
  const SlowdownGroup& own = group(homa, "short");
  const SlowdownGroup& floor = group(ideal, "short");
  EXPECT_LE(own.homa_p99, 2.2) << "V1";
  EXPECT_GE(own.homa_p99, floor.homa_p99 * 0.97) << "V1: nobody beats the ideal network";
  EXPECT_LE(own.homa_p50, floor.homa_p50 * 1.05) << "V2";
  EXPECT_GE(own.homa_p50, floor.homa_p50 * 0.95) << "V2";
  // V3, as far as a short run can: the queues are there, and no longer than published.
  EXPECT_LE(static_cast<double>(homa.max_host_port_bytes), GetParam().longest_kb * 1e3 * 1.5);
  EXPECT_LE(homa.mean_host_port_bytes, GetParam().mean_kb * 1e3 * 1.25);
  EXPECT_GT(homa.mean_host_port_bytes, GetParam().mean_kb * 1e3 * 0.25);
}

INSTANTIATE_TEST_SUITE_P(Published, Homa,
                         testing::Values(HomaCase{"W1", 1, 100, 200, 59, 1.7},
                                         HomaCase{"W2", 3, 300, 400, 93, 5.5},
                                         HomaCase{"W3", 4, 1000, 1500, 118, 12.8}),
                         [](const auto& param) { return std::string(param.param.workload); });

// V4: a receiver that grants one message at a time wastes 35 to 45 % of a saturated network with
// W4, and one that grants seven less than 10 % (Homa, SIGCOMM 2018, §5.2: about 40 % of bandwidth).
double saturated_wire_share(uint32_t overcommit) {
  Scenario scenario = scenario_of("leafspine144-10g", "W4", "homa", overcommit);
  scenario.pattern = Pattern::kSaturate;
  set_times(3000, 3000, &scenario);
  scenario.drain = Picos(1);
  return run(scenario).wire_share;
}

TEST(Validation, one_grant_at_a_time_wastes_what_was_published) {
  const double wasted = 1 - saturated_wire_share(1);
  EXPECT_GE(wasted, 0.35);
  EXPECT_LE(wasted, 0.45);
}

TEST(Validation, seven_grants_at_a_time_waste_little) {
  EXPECT_LT(1 - saturated_wire_share(7), 0.10);
}

// V5: stable means that the backlog grows no faster than the ideal network's on the same messages,
// up to 1 % of what the links carry. Homa's published limits lie between 87 and 92 % of the wire.
double growth(const char* policy, double load) {
  Scenario scenario = scenario_of("single16-10g", "W2", policy, 3);
  scenario.load = load;
  set_times(1000, 12'000, &scenario);
  return run(scenario).backlog_growth;
}

TEST(Validation, a_load_below_the_published_limit_is_carried) {
  EXPECT_LT(growth("homa", 0.80) - growth("ideal", 0.80), 0.01);
}

TEST(Validation, more_than_a_link_carries_piles_up) {
  EXPECT_GT(growth("homa", 1.10), 0.05);
  EXPECT_GT(growth("ideal", 1.10), 0.05) << "whoever schedules";
}

// V6: Homa's longest sum of a ToR's queues over SIRD's. SIRD (NSDI 2025) claims twelve times, and
// 0.8 MB at most where receivers are the bottleneck.
TEST(Validation, sird_queues_less_than_homa_by_the_published_factor) {
  Scenario scenario = scenario_of("leafspine144-100g", "W4", "sird");
  set_times(300, 300, &scenario);
  const Report sird = run(scenario);
  ASSERT_TRUE(set_policy("homa", &scenario).ok());
  scenario.overcommit = 7;
  const Report homa = run(scenario);
  EXPECT_LE(sird.max_tor_bytes, 800'000u * 3 / 2);
  const double ratio =
      static_cast<double>(homa.max_tor_bytes) / static_cast<double>(sird.max_tor_bytes);
  EXPECT_GE(ratio, 12 / 1.5);
  EXPECT_LE(ratio, 12 * 1.5);
}

// V7: the Ultra Ethernet Consortium's htsim (uet-htsim) at 400 Gb/s with links of 1 us and packets
// of 4 KiB. Its targets in microseconds are 1.2 times ideal; receivers that give credit in turn
// (its RCCC, the policy `fair` here) are to reach them within 5 %, and cannot beat their own link.
constexpr uint32_t kMebibyte = 1u << 20;
constexpr double kMicrosPerMebibyte = kMebibyte * 8 / 400e3;

double last_micros(Pattern pattern, uint32_t senders, uint32_t bytes) {
  Scenario scenario = scenario_of("leafspine144-400g", "W4", "fair");
  scenario.pattern = pattern;
  scenario.senders = senders;
  scenario.incast_bytes = bytes;
  // 4096 bytes of payload, 48 of header, 16 of tag, 28 of IP and UDP.
  scenario.mtu = 4188;
  const Report report = run(scenario);
  EXPECT_EQ(report.delivered, report.submitted);
  return static_cast<double>(report.last_done.value()) / 1e6;
}

TEST(Validation, one_flow_takes_what_its_link_takes) {
  const double micros = last_micros(Pattern::kIncast, 1, kMebibyte);
  EXPECT_GE(micros, kMicrosPerMebibyte);
  EXPECT_LE(micros, 34 * 1.05) << "the permutation of 1 MB, in which each flow is alone";
}

TEST(Validation, incasts_end_when_htsims_do) {
  const std::pair<uint32_t, double> targets[] = {{8, 212}, {32, 812}, {128, 3212}};
  for (const auto& [senders, target] : targets) {
    const double micros = last_micros(Pattern::kIncast, senders, kMebibyte);
    EXPECT_GE(micros, kMicrosPerMebibyte * senders);
    EXPECT_LE(micros, target * 1.05) << senders;
  }
}

TEST(Validation, permutations_end_when_htsims_do) {
  const std::pair<uint32_t, double> targets[] = {{1, 34}, {8, 202}};
  for (const auto& [mebibytes, target] : targets) {
    const double micros = last_micros(Pattern::kPermutation, 1, mebibytes * kMebibyte);
    EXPECT_GE(micros, kMicrosPerMebibyte * mebibytes);
    EXPECT_LE(micros, target * 1.05) << mebibytes;
  }
}

// An incast of W4 among other traffic is what SIRD's third configuration has: 30 times 500 KB, 7 %
// of the bytes. It shows as 7 % of what is offered.
TEST(Validation, incasts_take_their_share_of_the_load) {
  Scenario scenario = scenario_of("leafspine144-100g", "100000", "hybrid");
  scenario.load = 0.3;
  scenario.incast_share = 0.5;
  set_times(0, 500, &scenario);
  auto experiment = Experiment::create(scenario);
  ASSERT_TRUE(experiment.ok()) << experiment.status();
  (*experiment)->run();
  uint64_t in_bursts = 0;
  uint64_t all = 0;
  for (const MessageRecord& record : (*experiment)->log().records()) {
    all += record.size;
    in_bursts += record.size == 500'000 ? record.size : 0;
  }
  EXPECT_NEAR(static_cast<double>(in_bursts) / static_cast<double>(all), 0.5, 0.15);
  EXPECT_EQ((*experiment)->log().outstanding(), 0u);
}

}  // namespace
}  // namespace sluice::sim
