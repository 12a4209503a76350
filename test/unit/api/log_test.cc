// SPDX-License-Identifier: Apache-2.0
#include "api/log.h"

#include <gtest/gtest.h>

#include "base/check.h"

namespace sluice::internal {
namespace {

TEST(Log, says_nothing_below_its_level) {
  testing::internal::CaptureStderr();
  const auto log = make_logger(LogLevel::kWarning);
  log->info("a quiet word");
  log->warn("a loud word");
  log->flush();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("a quiet word"), std::string::npos);
  EXPECT_NE(text.find("a loud word"), std::string::npos);
}

TEST(Log, off_is_off) {
  testing::internal::CaptureStderr();
  const auto log = make_logger(LogLevel::kOff);
  log->critical("never");
  log->flush();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(LogDeathTest, a_failed_check_says_where) {
  EXPECT_DEATH(
      {
        install_check_handler();
        SLUICE_CHECK(1 + 1 == 3);
      },
      "check failed: 1 \\+ 1 == 3 .*log_test");
}

}  // namespace
}  // namespace sluice::internal
