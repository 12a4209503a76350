// SPDX-License-Identifier: Apache-2.0
#include "base/utc.h"

#include <gtest/gtest.h>
#include <time.h>

#include <cstdio>

namespace sluice::base {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(Utc, known_times) {
  EXPECT_EQ(utc_text(0), "1970-01-01 00:00:00 UTC");
  EXPECT_EQ(utc_text(951'782'400 * kSecond), "2000-02-29 00:00:00 UTC");
  EXPECT_EQ(utc_text(1'800'000'000 * kSecond + 500'000'000), "2027-01-15 08:00:00.500 UTC");
  EXPECT_EQ(utc_text(UINT64_MAX), "2554-07-21 23:34:33.709 UTC");
}

// Against the C library, over some centuries in steps that meet every month and hour.
TEST(Utc, agrees_with_the_c_library) {
  for (uint64_t seconds = 0; seconds < 16'000'000'000; seconds += 1'234'567) {
    const auto when = static_cast<time_t>(seconds);
    tm parts{};
    gmtime_r(&when, &parts);
    char text[64];
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
    ASSERT_EQ(utc_text(seconds * kSecond), text);
  }
}

}  // namespace
}  // namespace sluice::base
