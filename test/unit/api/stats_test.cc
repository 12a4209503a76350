// SPDX-License-Identifier: Apache-2.0
#include "sluice/stats.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Stats, since_subtracts_counter_by_counter) {
  StatsSnapshot earlier;
  earlier.counters = {{"a", "", 5}, {"b", "", 7}};
  StatsSnapshot later;
  later.counters = {{"a", "", 6}, {"b", "", 17}, {"c", "", 3}};
  const StatsSnapshot change = later.since(earlier);
  EXPECT_EQ(change.value("a"), 1u);
  EXPECT_EQ(change.value("b"), 10u);
  EXPECT_EQ(change.value("c"), 3u);
  EXPECT_EQ(change.value("d"), 0u);
}

TEST(Stats, since_finds_counters_in_another_order_and_never_wraps) {
  StatsSnapshot earlier;
  earlier.counters = {{"b", "", 7}, {"a", "", 50}};
  StatsSnapshot later;
  later.counters = {{"a", "", 40}, {"b", "", 9}};
  const StatsSnapshot change = later.since(earlier);
  EXPECT_EQ(change.value("a"), 0u);
  EXPECT_EQ(change.value("b"), 2u);
}

TEST(Stats, a_maximum_stays_what_it_is) {
  StatsSnapshot earlier;
  earlier.counters = {{"lcore.longest_loop_ns", "", 900}};
  StatsSnapshot later;
  later.counters = {{"lcore.longest_loop_ns", "", 1000}};
  EXPECT_EQ(later.since(earlier).value("lcore.longest_loop_ns"), 1000u);
}

}  // namespace
}  // namespace sluice
