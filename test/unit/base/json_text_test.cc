// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

TEST(JsonString, escapes_what_json_does_not_allow) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_EQ(json_string("\xC3\xA4"), "\"\xC3\xA4\"");
  EXPECT_EQ(json_string("\xFFz"), "\"\xEF\xBF\xBDz\"");
  EXPECT_EQ(json_string("\x1f\x10"), "\"\\u001f\\u0010\"");
  EXPECT_EQ(json_string("\xC3"), "\"\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace sluice::base
