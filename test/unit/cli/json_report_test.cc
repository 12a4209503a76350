// SPDX-License-Identifier: Apache-2.0
#include "cli/json_report.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace sluice::cli {
namespace {

std::string content(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

class WriteWhole : public testing::Test {
 protected:
  WriteWhole() : folder_(testing::TempDir() + "sluice-json-" + std::to_string(::getpid())) {
    std::filesystem::create_directory(folder_);
  }
  ~WriteWhole() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  size_t files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++count;
    return count;
  }

  std::string folder_;
};

TEST(JsonReal, whole_numbers_have_no_point_and_the_impossible_is_null) {
  EXPECT_EQ(json_real(3000000), "3000000");
  EXPECT_EQ(json_real(0.25), "0.25");
  EXPECT_EQ(json_real(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json_real(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(JsonReport, has_the_common_form) {
  JsonReport report("sluice rate", "0.1.0", {"A CPU", 2, 4000, 0, "Linux 6"});
  report.add("rpc.completed", 200, "RPCs", {{"phase", "clean"}});
  report.add_real("rpc.rate", 1.5, "RPCs/s");
  EXPECT_EQ(report.results(), 2u);
  EXPECT_EQ(report.text(), R"({
  "command": "sluice rate",
  "version": "0.1.0",
  "machine": {"cpu": "A CPU", "cores": 2, "memory_mb": 4000, "huge_pages": 0, "kernel": "Linux 6"},
  "results": [
    {"metric": "rpc.completed", "value": 200, "unit": "RPCs", "labels": {"phase": "clean"}},
    {"metric": "rpc.rate", "value": 1.5, "unit": "RPCs/s", "labels": {}}
  ]
}
)");
}

TEST_F(WriteWhole, replaces_a_file_and_leaves_nothing_beside_it) {
  std::ofstream(path("a.json")) << "old and longer";
  ASSERT_TRUE(write_whole(path("a.json"), "new").ok());
  EXPECT_EQ(content(path("a.json")), "new");
  EXPECT_EQ(files(), 1u);
}

TEST_F(WriteWhole, follows_a_link_instead_of_replacing_it) {
  std::ofstream(path("real")) << "old";
  std::filesystem::create_symlink(path("real"), path("link"));
  ASSERT_TRUE(write_whole(path("link"), "new").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(content(path("real")), "new");
}

TEST_F(WriteWhole, leaves_nothing_when_the_folder_is_missing) {
  EXPECT_FALSE(write_whole(path("none/a.json"), "x").ok());
  EXPECT_EQ(files(), 0u);
}

TEST_F(WriteWhole, writes_devices_directly) {
  EXPECT_TRUE(write_whole("/dev/null", "x").ok());
  struct stat info = {};
  ASSERT_EQ(::stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

TEST_F(WriteWhole, what_cannot_work_is_said_before) {
  EXPECT_TRUE(check_writable(path("a.json")).ok());
  EXPECT_TRUE(check_writable("/dev/null").ok());
  EXPECT_FALSE(check_writable("").ok());
  EXPECT_FALSE(check_writable(folder_).ok());
  EXPECT_FALSE(check_writable(path("none/a.json")).ok());
  EXPECT_FALSE(check_writable(path("")).ok());
}

}  // namespace
}  // namespace sluice::cli
