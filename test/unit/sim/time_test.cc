// SPDX-License-Identifier: Apache-2.0
#include "sim/time.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

TEST(Time, nanoseconds_are_rounded_down) {
  EXPECT_EQ(to_nanos(Picos(0)), base::nanos(0));
  EXPECT_EQ(to_nanos(Picos(999)), base::nanos(0));
  EXPECT_EQ(to_nanos(Picos(1000)), base::nanos(1));
  EXPECT_EQ(to_nanos(Picos(1'234'567'999)), base::nanos(1'234'567));
}

TEST(Time, never_stays_never) {
  EXPECT_EQ(to_nanos(Picos::max()), base::Nanos::max());
  EXPECT_EQ(to_picos(base::Nanos::max()), Picos::max());
  // The first nanosecond beyond the range is never, the last within it is not.
  EXPECT_EQ(to_picos(base::nanos(UINT64_MAX / 1000)), Picos(UINT64_MAX / 1000 * 1000));
  EXPECT_EQ(to_picos(base::nanos(UINT64_MAX / 1000 + 1)), Picos::max());
}

TEST(Time, a_deadline_is_reached_at_exactly_its_time) {
  for (const uint64_t ns : {0ull, 1ull, 7750ull, 3'000'000'000ull}) {
    const Picos deadline = to_picos(base::nanos(ns));
    EXPECT_EQ(to_nanos(deadline), base::nanos(ns));
    if (ns > 0) {
      EXPECT_LT(to_nanos(deadline - Picos(1)), base::nanos(ns));
    }
  }
}

TEST(Time, after_does_not_wrap) {
  EXPECT_EQ(after(Picos(5), Picos(7)), Picos(12));
  EXPECT_EQ(after(Picos::max() - Picos(3), Picos(4)), Picos::max());
}

TEST(Time, a_byte_lasts_whole_picoseconds_at_the_rates_of_ethernet) {
  EXPECT_EQ(picos_per_byte(10), 800u);
  EXPECT_EQ(picos_per_byte(25), 320u);
  EXPECT_EQ(picos_per_byte(40), 200u);
  EXPECT_EQ(picos_per_byte(50), 160u);
  EXPECT_EQ(picos_per_byte(100), 80u);
  EXPECT_EQ(picos_per_byte(200), 40u);
  EXPECT_EQ(picos_per_byte(400), 20u);
  EXPECT_EQ(picos_per_byte(800), 10u);
  EXPECT_FALSE(is_exact_rate(0));
  EXPECT_FALSE(is_exact_rate(3));
  EXPECT_FALSE(is_exact_rate(300));
  EXPECT_DEATH(picos_per_byte(300), "");
}

}  // namespace
}  // namespace sluice::sim
