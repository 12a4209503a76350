// SPDX-License-Identifier: Apache-2.0
#include "engine/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sluice::engine {
namespace {

TEST(TickScale, converts_without_drift_over_days) {
  for (const uint64_t hz : {1'000'000'000u, 2'350'000'000u, 3'999'999'999u}) {
    const TickScale scale = TickScale::from_hz(hz);
    EXPECT_NEAR(static_cast<double>(scale.to_nanos(hz)), 1e9, 2.0) << hz;
    const uint64_t days = 30ull * 86400;
    const double error =
        static_cast<double>(scale.to_nanos(hz * days)) - static_cast<double>(days) * 1e9;
    EXPECT_LT(error < 0 ? -error : error, static_cast<double>(days) * 2.0) << hz;
  }
}

TEST(Clock, the_kernel_clock_runs_and_starts_near_zero) {
  const Clock clock(0);
  EXPECT_FALSE(clock.uses_tsc());
  const base::Nanos first = clock.now();
  EXPECT_LT(first, base::millis(100));
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_GE(clock.now(), first + base::millis(2));
}

TEST(Clock, wall_base_is_the_time_of_day_at_zero) {
  const Clock clock(0);
  const auto wall = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::system_clock::now().time_since_epoch())
                                              .count());
  const uint64_t told = clock.wall_base() + clock.now().value();
  EXPECT_LT(told > wall ? told - wall : wall - told, 50'000'000u);
}

}  // namespace
}  // namespace sluice::engine
