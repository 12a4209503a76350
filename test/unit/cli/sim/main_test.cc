// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

namespace {

int exit_status(const std::string& arguments) {
  const std::string command =
      std::string(SLUICE_SIM_PROGRAM) + " " + arguments + " >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SimMain, ends_with_the_statuses_that_are_promised) {
  EXPECT_EQ(exit_status("--help"), 0);
  EXPECT_EQ(exit_status("--topology=single16-10g --workload=64 --duration=20us"), 0);
  EXPECT_EQ(exit_status("--load=9"), 2);
  EXPECT_EQ(exit_status("--nonsense"), 2);
}

}  // namespace
