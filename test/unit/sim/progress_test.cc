// SPDX-License-Identifier: Apache-2.0
#include "sim/progress.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace sluice::sim {
namespace {

constexpr Picos kStep(10'000'000);

// Points whose bytes per step are what the functions say.
std::vector<ProgressPoint> points(size_t count, const std::function<uint64_t(size_t)>& submitted,
                                  const std::function<uint64_t(size_t)>& arrived) {
  std::vector<ProgressPoint> out(1);
  for (size_t i = 0; i + 1 < count; ++i) {
    ProgressPoint next = out.back();
    next.time += kStep;
    next.submitted += submitted(i);
    next.arrived += arrived(i);
    out.push_back(next);
  }
  return out;
}

uint64_t thousand(size_t) { return 1000; }

TEST(Progress, a_backlog_that_grows_is_told_from_one_that_has_grown) {
  // Growing all the time, by a tenth of what is submitted.
  const auto growing = points(100, thousand, [](size_t) { return 900; });
  EXPECT_NEAR(backlog_growth(growing) * static_cast<double>(kStep.value()), 100, 1e-6);
  // Ten times as much, but long ago.
  const auto grown = points(100, thousand, [](size_t i) { return i < 30 ? 0 : 1000; });
  EXPECT_EQ(grown.back().backlog(), 30'000u);
  EXPECT_NEAR(backlog_growth(grown), 0, 1e-12);
  const auto shrinking = points(100, thousand, [](size_t i) { return i < 50 ? 0 : 1500; });
  EXPECT_NEAR(backlog_growth(shrinking) * static_cast<double>(kStep.value()), -500, 1e-6);
}

TEST(Progress, too_few_points_say_nothing) {
  EXPECT_EQ(backlog_growth({}), 0);
  EXPECT_EQ(backlog_growth(points(3, thousand, [](size_t) { return 0; })), 0);
}

TEST(Progress, a_fault_is_felt_until_as_much_arrives_as_before) {
  // Half of it for 20 steps from step 40 on.
  const auto dip = points(100, thousand, [](size_t i) { return i >= 40 && i < 60 ? 500 : 1000; });
  const auto felt = recovery_time(dip, Picos(kStep.value() * 40));
  ASSERT_TRUE(felt.has_value());
  // The 50 us that begin in the last poor step are at 90 %.
  EXPECT_EQ(*felt, Picos(kStep.value() * 20));
  const auto none = recovery_time(points(100, thousand, thousand), Picos(kStep.value() * 40));
  EXPECT_EQ(none, Picos());
}

TEST(Progress, what_never_recovers_has_no_time) {
  const auto lasting = points(100, thousand, [](size_t i) { return i < 40 ? 1000 : 750; });
  EXPECT_EQ(recovery_time(lasting, Picos(kStep.value() * 40)), std::nullopt);
  EXPECT_EQ(recovery_time(lasting, Picos(0)), std::nullopt) << "nothing came before";
  EXPECT_EQ(recovery_time({}, Picos(0)), std::nullopt);
}

}  // namespace
}  // namespace sluice::sim
