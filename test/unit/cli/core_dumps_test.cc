// SPDX-License-Identifier: Apache-2.0
#include "cli/core_dumps.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace sluice::cli {
namespace {

// In a child, so that this program's own dumps stay as they are.
TEST(CoreDumps, a_process_may_leave_out_its_memory) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool done = keep_memory_out_of_core_dumps();
    std::ifstream file("/proc/self/coredump_filter");
    std::string filter = "none";
    file >> filter;
    _exit(done && filter == "00000000" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sluice::cli
