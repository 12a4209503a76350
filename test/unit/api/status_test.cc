// SPDX-License-Identifier: Apache-2.0
#include "sluice/status.h"

#include <gtest/gtest.h>

#include "api/codes.h"

namespace sluice {
namespace {

TEST(Status, names_are_those_of_the_house) {
  EXPECT_STREQ(status_code_name(StatusCode::kDeadlineExceeded), "deadline_exceeded");
  EXPECT_STREQ(status_code_name(static_cast<StatusCode>(99)), "unknown");
}

TEST(Status, every_code_crosses_and_comes_back) {
  for (uint8_t value = 0; value < base::kCodeCount; ++value) {
    const auto code = static_cast<base::Code>(value);
    EXPECT_EQ(internal::to_base(internal::to_public(code)), code);
  }
}

TEST(Status, the_control_path_gets_a_sentence) {
  EXPECT_TRUE(to_status(StatusCode::kOk, "anything").ok());
  const absl::Status status = to_status(StatusCode::kUnavailable, "calling 10.0.0.2");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(), "calling 10.0.0.2: unavailable");
}

TEST(Status, no_failure_becomes_ok) {
  for (uint8_t value = 1; value < base::kCodeCount; ++value) {
    EXPECT_FALSE(to_status(static_cast<StatusCode>(value), "x").ok()) << int{value};
  }
}

}  // namespace
}  // namespace sluice
