// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice::base {
namespace {

TEST(Status, each_code_has_a_name_of_its_own) {
  std::set<std::string> names;
  for (uint8_t i = 0; i < kCodeCount; ++i) names.insert(code_name(static_cast<Code>(i)));
  EXPECT_EQ(names.size(), kCodeCount);
  EXPECT_EQ(names.count("unknown"), 0u);
}

TEST(Status, values_outside_the_list_are_unknown) {
  EXPECT_STREQ(code_name(static_cast<Code>(kCodeCount)), "unknown");
  EXPECT_STREQ(code_name(static_cast<Code>(255)), "unknown");
}

TEST(Status, names_are_stable) {
  EXPECT_STREQ(code_name(Code::kOk), "ok");
  EXPECT_STREQ(code_name(Code::kDeadlineExceeded), "deadline_exceeded");
  EXPECT_EQ(static_cast<int>(Code::kInternal), 12);
}

}  // namespace
}  // namespace sluice::base
