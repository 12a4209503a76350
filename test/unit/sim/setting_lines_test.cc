// SPDX-License-Identifier: Apache-2.0
#include "sim/setting_lines.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

TEST(SettingLines, have_names_and_values_without_blanks_and_comments) {
  const auto lines =
      setting_lines("# a run\n\n  load = 0.8 # high\nname\t=a = b\nkinds =\nlonely\n");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].number, 3);
  EXPECT_EQ(lines[0].whole, "load = 0.8");
  EXPECT_EQ(lines[0].name, "load");
  EXPECT_EQ(lines[0].value, "0.8");
  EXPECT_EQ(lines[1].name, "name");
  EXPECT_EQ(lines[1].value, "a = b");
  EXPECT_EQ(lines[2].value, "");
  EXPECT_EQ(lines[3].number, 6);
  EXPECT_EQ(lines[3].name, "lonely");
  EXPECT_EQ(lines[3].value, "");
  EXPECT_TRUE(setting_lines("").empty());
}

}  // namespace
}  // namespace sluice::sim
