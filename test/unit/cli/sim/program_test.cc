// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/program.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::cli {
namespace {

std::vector<std::string> quick(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"--topology=single16-100g", "--workload=W2", "--load=0.4",
                                        "--duration=20us"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(SimProgram, a_run_prints_its_tables_and_writes_its_figures) {
  const std::string path = testing::TempDir() + "/sluice_sim_test.json";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_sim_program(quick({"--json=" + path})), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("slowdown"), std::string::npos);
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_NE(text.str().find("\"goodput.fraction\""), std::string::npos);
  std::remove(path.c_str());
}

int refused(const std::vector<std::string>& arguments, std::string* why) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const int status = run_sim_program(arguments);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  *why = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(why->begin(), why->end(), '\n'), 1) << *why;
  return status;
}

TEST(SimProgram, bad_input_gets_one_line_status_2_and_no_file) {
  const std::string path = testing::TempDir() + "/sluice_sim_refused.json";
  std::string why;
  EXPECT_EQ(refused(quick({"--topology=ring", "--json=" + path}), &why), 2);
  EXPECT_NE(why.find("topology"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(refused(quick({"--json=/none/a.json"}), &why), 2);
  EXPECT_EQ(refused({"--workload=W1", "--duration=10s"}, &why), 2);
  EXPECT_NE(why.find("--max-messages"), std::string::npos) << why;
  EXPECT_EQ(refused({"--speed=9"}, &why), 2);
}

TEST(SimProgram, help_ends_well) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_sim_program({"--help"}), 0);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("--workload"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
