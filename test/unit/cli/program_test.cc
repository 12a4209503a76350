// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "sluice/options.h"

namespace sluice::cli {
namespace {

TEST(Program, a_mode_gets_its_defaults) {
  const auto command = read_command({"rate"});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->mode, &kRateMode);
  EXPECT_EQ(command->options.size, 64u);
  EXPECT_EQ(command->options.outstanding, 60u);
}

TEST(Program, eal_arguments_are_passed_on) {
  const auto command = read_command({"-l", "0,1", "--", "pingpong"});
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(command->options.eal, (std::vector<std::string>{"-l", "0,1"}));
}

TEST(Program, help_is_given_before_and_after_the_dashes_and_for_each_mode) {
  EXPECT_NE(read_command({"--help"})->help.find("pingpong"), std::string::npos);
  EXPECT_NE(read_command({"--help", "--"})->help.find("pingpong"), std::string::npos);
  for (const Mode* mode : modes()) {
    const auto command = read_command({mode->name, "--help"});
    ASSERT_TRUE(command.ok());
    EXPECT_NE(command->help.find(mode->help), std::string::npos) << mode->name;
  }
}

TEST(Program, help_names_the_default_port) {
  const std::string port = absl::StrCat("[fd00::2]:", kDefaultUdpPort);
  EXPECT_NE(read_command({"pingpong", "--help"})->help.find(port), std::string::npos);
}

TEST(Program, what_is_not_understood_is_one_line) {
  const std::vector<std::vector<std::string>> bad = {
      {}, {"quantum"}, {"rat"}, {"rate", "extra"}, {"serve"}, {"sendfile"}, {"rate", "--siez=1"}};
  for (const auto& arguments : bad) {
    const auto command = read_command(arguments);
    ASSERT_FALSE(command.ok());
    EXPECT_EQ(command.status().message().find('\n'), absl::string_view::npos);
  }
  EXPECT_NE(read_command({"rat"}).status().message().find("is rate meant?"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace sluice::cli
