// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <utility>

namespace sluice::base {
namespace {

void print_to_stderr(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "check failed: %s in %s:%d\n", condition, file, line);
}

void fail_again(const char* condition, const char* file, int line) {
  print_to_stderr(condition, file, line);
  SLUICE_CHECK(false);
}

TEST(CheckDeathTest, tells_the_handler_what_failed_and_where) {
  const auto fail = [] {
    set_check_handler(&print_to_stderr);
    SLUICE_CHECK(1 + 1 == 3);
  };
  EXPECT_DEATH(fail(), "check failed: 1 \\+ 1 == 3 in .*check_test.cc:[0-9]+");
}

TEST(CheckDeathTest, stops_without_a_handler) {
  set_check_handler(nullptr);
  EXPECT_DEATH(SLUICE_CHECK(false), "");
}

TEST(CheckDeathTest, a_failing_handler_does_not_call_itself) {
  const auto fail = [] {
    set_check_handler(&fail_again);
    SLUICE_CHECK(0 > 1);
  };
  EXPECT_DEATH(fail(), "check failed: 0 > 1");
}

TEST(Check, true_conditions_are_evaluated_once) {
  int calls = 0;
  SLUICE_CHECK(++calls == 1);
  EXPECT_EQ(calls, 1);
  SLUICE_CHECK(std::pair<int, int>(1, 2).second == 2);
}

TEST(Check, debug_checks_follow_the_build) {
  int calls = 0;
  SLUICE_DCHECK(++calls == 1);
#ifdef NDEBUG
  EXPECT_EQ(calls, 0);
#else
  EXPECT_EQ(calls, 1);
#endif
}

TEST(Check, handlers_replace_each_other) {
  set_check_handler(&print_to_stderr);
  EXPECT_EQ(set_check_handler(nullptr), &print_to_stderr);
  EXPECT_EQ(set_check_handler(nullptr), nullptr);
}

}  // namespace
}  // namespace sluice::base
