// SPDX-License-Identifier: Apache-2.0
#include "sim/report.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::sim {
namespace {

TEST(Report, quantiles_are_values_that_occurred) {
  std::vector<double> values;
  EXPECT_EQ(quantile(&values, 500'000), 0);
  for (int i = 1; i <= 100; ++i) values.push_back(101 - i);
  EXPECT_EQ(quantile(&values, 500'000), 50);
  EXPECT_EQ(quantile(&values, 990'000), 99);
  EXPECT_EQ(quantile(&values, 999'000), 100);
  EXPECT_EQ(quantile(&values, 0), 1);
}

Report run(const Scenario& scenario) {
  auto experiment = Experiment::create(scenario);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  (*experiment)->run();
  return report_of(**experiment);
}

TEST(Report, counts_every_message_once_in_each_division) {
  Scenario scenario;
  scenario.topology = "single16-100g";
  scenario.workload = "W2";
  scenario.load = 0.5;
  scenario.duration = to_picos(base::micros(100));
  const Report report = run(scenario);
  ASSERT_GT(report.submitted, 1000u);
  EXPECT_EQ(report.delivered, report.submitted);
  uint64_t by_tenth = 0;
  uint64_t by_bdp = 0;
  for (const SlowdownGroup& group : report.groups) {
    if (group.name.rfind("tenth_", 0) == 0) by_tenth += group.count;
    if (group.name.find("bdp") != std::string::npos) by_bdp += group.count;
    EXPECT_GE(group.p50, 0.999) << group.name;
    EXPECT_GE(group.p99, group.p50) << group.name;
    EXPECT_GE(group.p999, group.p99) << group.name;
    EXPECT_GE(group.homa_p50, group.p50 * 0.999) << "our packets carry less, so take longer";
  }
  EXPECT_EQ(by_tenth, report.submitted);
  EXPECT_EQ(by_bdp, report.submitted);
  EXPECT_EQ(report.groups.front().count, report.submitted);
  EXPECT_LT(report.mean_payload_share, report.homa_payload_share);
}

}  // namespace
}  // namespace sluice::sim
