// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/faults.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
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
  for (const char* wrong : {"--seeds=0", "--seed=3", "more", "--json=/none/x", "--shrink=/none/x",
                            "--seed-file=/none/x"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_faults({wrong}, ""), 2) << wrong;
    EXPECT_NE(testing::internal::GetCapturedStderr(), "") << wrong;
  }
}

TEST(SimFaults, a_file_stands_for_one_run) {
  const std::string path = testing::TempDir() + "/sluice_faults_test.faults";
  std::ofstream(path) << "seed = 3\nkinds = loss\ncalls = 2\nlongest = 10\n";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_faults({"--seed-file=" + path}, ""), 0);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_NE(text.find("1 seeds"), std::string::npos) << text;
  std::ofstream(path) << "seed = 3\nkinds = nonsense\n";
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_faults({"--seed-file=" + path}, ""), 2);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("line 2"), std::string::npos);
  std::remove(path.c_str());
}

// Runs that failed once, with a defect that is mended, or was put in deliberately.
TEST(SimFaults, what_failed_once_passes_now) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_FAULT_REGRESSIONS)) {
    if (entry.path().extension() != ".faults") continue;
    ++files;
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_faults({"--seed-file=" + entry.path().string()}, ""), 0) << entry.path();
    testing::internal::GetCapturedStdout();
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace sluice::cli
