// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::cli {
namespace {

TEST(Machine, knows_cores_memory_and_kernel) {
  const Machine machine = read_machine();
  EXPECT_GE(machine.cores, 1u);
  EXPECT_GT(machine.memory_mb, 100u);
  EXPECT_EQ(machine.kernel.substr(0, 5), "Linux");
}

TEST(Machine, is_described_in_one_line) {
  const Machine machine = {"", 1, 16000, 3, "Linux 6"};
  EXPECT_EQ(machine_text(machine),
            "1 core of an unnamed CPU, 16,000 MB, 3 huge pages free, Linux 6");
}

TEST(Machine, resident_memory_grows_with_what_is_touched) {
  const uint64_t before = resident_bytes();
  std::vector<char> touched(64u << 20, 1);
  EXPECT_GT(before, 0u);
  EXPECT_GE(resident_bytes() + touched[0], before + (32u << 20));
}

}  // namespace
}  // namespace sluice::cli
