// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/options.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace sluice::cli {
namespace {

TEST(SimOptions, the_issues_own_command_is_understood) {
  const auto command = read_sim_command({"--topology", "leafspine144-100g", "--workload", "w4",
                                         "--load", "0.8", "--policy", "homa", "--seed", "1",
                                         "--duration", "4ms", "--json", "out.json"});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->scenario.topology, "leafspine144-100g");
  EXPECT_EQ(command->scenario.workload, "W4");
  EXPECT_DOUBLE_EQ(command->scenario.load, 0.8);
  EXPECT_EQ(command->scenario.duration, sim::to_picos(base::millis(4)));
  EXPECT_EQ(command->json, "out.json");
}

TEST(SimOptions, faults_and_jitter_are_understood) {
  const auto command =
      read_sim_command({"--pattern=permutation", "--routing=ecmp", "--dead-spine=1ms",
                        "--slow-spine=2ms", "--detection=50us", "--stalls=0.0001", "--stall=20us",
                        "--overcommit=7", "--incast-share=7%"});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->scenario.pattern, sim::Pattern::kPermutation);
  EXPECT_EQ(command->scenario.routing, sim::Routing::kEcmp);
  EXPECT_EQ(command->scenario.dead_spine, sim::to_picos(base::millis(1)));
  EXPECT_EQ(command->scenario.slow_spine, sim::to_picos(base::millis(2)));
  EXPECT_EQ(command->scenario.detection, sim::to_picos(base::micros(50)));
  EXPECT_DOUBLE_EQ(command->scenario.stall_share, 0.0001);
  EXPECT_EQ(command->scenario.stall, sim::to_picos(base::micros(20)));
  EXPECT_EQ(command->scenario.overcommit, 7u);
  EXPECT_DOUBLE_EQ(command->scenario.incast_share, 0.07);
}

TEST(SimOptions, flows_beside_sluice_are_understood) {
  const auto command = read_sim_command(
      {"--tcp=dctcp", "--tcp-flows=12", "--tcp-priority=3", "--ecn-host=100000", "--pattern=none"});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->scenario.tcp, sim::TcpKind::kDctcp);
  EXPECT_EQ(command->scenario.tcp_flows, 12u);
  EXPECT_EQ(command->scenario.tcp_priority, 3u);
  EXPECT_EQ(command->scenario.ecn_host_bytes, 100'000u);
  EXPECT_EQ(command->scenario.pattern, sim::Pattern::kNone);
}

TEST(SimOptions, shares_are_written_in_two_ways) {
  const auto command = read_sim_command({"--load=65%", "--loss=0.001"});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_DOUBLE_EQ(command->scenario.load, 0.65);
  EXPECT_DOUBLE_EQ(command->scenario.loss, 0.001);
}

void expect_refused(const std::vector<std::string>& arguments, const std::string& says) {
  const auto command = read_sim_command(arguments);
  ASSERT_FALSE(command.ok()) << says;
  const std::string message(command.status().message());
  EXPECT_NE(message.find(says), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST(SimOptions, what_is_not_understood_is_named) {
  expect_refused({"--topolgy=x"}, "is --topology meant?");
  expect_refused({"--load=much"}, "load: 'much' is no share");
  expect_refused({"--duration=soon"}, "duration: 'soon' is no time");
  expect_refused({"--policy=tcp"}, "'tcp' is no grant policy");
  expect_refused({"--pattern=zigzag"}, "zigzag");
  expect_refused({"--tcp=cubic"}, "'cubic' is unknown");
  expect_refused({"--routing=maze"}, "'maze' is none");
  expect_refused({"--priorities=9"}, "'9' is no number from 0 to 8");
  expect_refused({"twice"}, "'twice'");
  expect_refused({"--scenario=/none"}, "cannot read /none");
}

TEST(SimOptions, scenario_files_hold_options_and_comments) {
  const auto arguments = scenario_arguments("# a run\nload = 0.5\n\n workload=W1 # small\n");
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(*arguments, (std::vector<std::string>{"--load=0.5", "--workload=W1"}));
  const auto wrong = scenario_arguments("load = 0.5\nwhat\n");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(std::string(wrong.status().message()).find("line 2"), std::string::npos);
}

TEST(SimOptions, the_command_line_has_the_last_word_over_a_file) {
  const std::string path = testing::TempDir() + "/sluice_scenario_test";
  std::ofstream(path) << "load = 0.5\nworkload = W1\n";
  const auto command = read_sim_command({"--workload=W2", "--scenario=" + path});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_DOUBLE_EQ(command->scenario.load, 0.5);
  EXPECT_EQ(command->scenario.workload, "W2");
  std::ofstream(path) << "topolgy = x\n";
  expect_refused({"--scenario=" + path}, "is --topology meant?");
  std::remove(path.c_str());
}

TEST(SimOptions, help_is_for_the_asking) {
  const auto command = read_sim_command({"--load=9", "--help"});
  ASSERT_TRUE(command.ok());
  EXPECT_NE(command->help.find("--topology"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
