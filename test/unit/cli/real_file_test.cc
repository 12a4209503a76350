// SPDX-License-Identifier: Apache-2.0
#include "cli/real_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sluice::cli {
namespace {

TEST(TemporaryFolder, goes_with_its_files) {
  std::string path;
  {
    auto folder = TemporaryFolder::make();
    ASSERT_TRUE(folder.ok());
    path = folder->path();
    std::ofstream(path + "/x") << "x";
    const TemporaryFolder moved = std::move(*folder);
    EXPECT_TRUE(std::filesystem::exists(moved.path()));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(RealFile, is_long_enough_and_begins_like_a_program) {
  auto folder = TemporaryFolder::make();
  ASSERT_TRUE(folder.ok());
  const std::string path = folder->path() + "/f";
  ASSERT_TRUE(write_real_file(path, 30'000'000).ok());
  EXPECT_GE(std::filesystem::file_size(path), 30'000'000u);
  char begin[4] = {};
  std::ifstream(path, std::ios::binary).read(begin, 4);
  EXPECT_EQ(std::string(begin + 1, 3), "ELF");
}

TEST(RealFile, says_when_it_cannot_be_written) {
  EXPECT_FALSE(write_real_file("/proc/none/f", 1000).ok());
}

}  // namespace
}  // namespace sluice::cli
