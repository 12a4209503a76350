// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/output.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

sim::Report report() {
  sim::Report report;
  report.groups.push_back({.name = "short", .from = 1, .to = 99, .count = 1234, .p99 = 1.25});
  report.submitted = report.delivered = 1234;
  report.goodput_fraction = 0.75;
  report.max_tor_bytes = 600'000;
  report.fault = true;
  report.recovered = sim::Picos(120'000'000);
  report.backlog_growth = 0.0125;
  report.hash = UINT64_MAX;
  return report;
}

TEST(SimOutput, the_tables_have_the_figures) {
  const std::string text = sim_report_text(report());
  EXPECT_NE(text.find("short"), std::string::npos);
  EXPECT_NE(text.find("1-99"), std::string::npos);
  EXPECT_NE(text.find("1.250"), std::string::npos);
  EXPECT_NE(text.find("75.00 %"), std::string::npos);
  EXPECT_NE(text.find("600 KB"), std::string::npos);
  EXPECT_NE(text.find("1.25 %"), std::string::npos);
  EXPECT_NE(text.find("120 us"), std::string::npos) << text;
}

TEST(SimOutput, the_json_has_the_stable_names) {
  JsonReport json("sluice-sim", "0", Machine{});
  add_sim_report(report(), &json);
  const std::string text = json.text();
  EXPECT_NE(text.find(R"("metric": "slowdown", "value": 1.25, "unit": "times", )"
                      R"("labels": {"quantile": "p99", "size": "short"})"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("metric": "queue.max_bytes", "value": 600000)"), std::string::npos);
  EXPECT_NE(text.find(R"("metric": "goodput.fraction", "value": 0.75)"), std::string::npos);
  EXPECT_NE(text.find(R"("metric": "backlog.growth", "value": 0.0125)"), std::string::npos);
  EXPECT_NE(text.find(R"("metric": "fault.recovery", "value": 120000)"), std::string::npos);
  // Small enough for readers that hold numbers as doubles.
  EXPECT_NE(text.find(R"("metric": "run.hash", "value": 9007199254740991)"), std::string::npos);
}

TEST(SimOutput, what_shares_the_links_is_reported_where_there_is_any) {
  sim::Report with = report();
  EXPECT_EQ(sim_report_text(with).find("TCP"), std::string::npos);
  with.tcp = true;
  with.tcp_goodput_fraction = 0.345;
  EXPECT_NE(sim_report_text(with).find("34.50 %"), std::string::npos);
  JsonReport json("sluice-sim", "0", Machine{});
  add_sim_report(with, &json);
  EXPECT_NE(json.text().find(R"("metric": "tcp.goodput.fraction", "value": 0.345)"),
            std::string::npos);
}

TEST(SimOutput, one_line_says_what_was_simulated) {
  const auto plan = sim::plan(sim::Scenario{});
  ASSERT_TRUE(plan.ok());
  const std::string text = scenario_text(sim::Scenario{}, *plan);
  EXPECT_NE(text.find("leafspine144-100g: 144 hosts"), std::string::npos) << text;
  EXPECT_NE(text.find("W4 at 80 %"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice::cli
