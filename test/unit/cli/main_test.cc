// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

namespace {

int exit_status(const std::string& arguments) {
  const std::string command = std::string(SLUICE_PROGRAM) + " " + arguments + " >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Main, ends_with_the_statuses_that_are_promised) {
  EXPECT_EQ(exit_status("--help"), 0);
  EXPECT_EQ(exit_status("rate --help"), 0);
  EXPECT_EQ(exit_status(""), 2);
  EXPECT_EQ(exit_status("rate --nonsense"), 2);
}

}  // namespace
