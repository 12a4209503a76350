// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/faults.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace sluice::cli {
namespace {

TEST(SimFaults, a_few_seeds_print_what_came_and_write_it) {
  const std::string path = testing::TempDir() + "/sluice_faults_test.json";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_faults({"--seeds=3", "--first-seed=5", "--json=" + path}, "sluice-sim faults"), 0);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_NE(text.find("3 seeds"), std::string::npos) << text;
  EXPECT_NE(text.find("every promise was kept"), std::string::npos);
  std::ostringstream json;
  json << std::ifstream(path).rdbuf();
  EXPECT_NE(json.str().find(R"("metric": "faults.fired")"), std::string::npos);
  std::remove(path.c_str());
}

TEST(SimFaults, bad_arguments_get_one_line_and_status_2) {
  for (const char* wrong : {"--seeds=0", "--seed=3", "more", "--json=/none/x"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_faults({wrong}, ""), 2) << wrong;
    EXPECT_NE(testing::internal::GetCapturedStderr(), "") << wrong;
  }
}

}  // namespace
}  // namespace sluice::cli
