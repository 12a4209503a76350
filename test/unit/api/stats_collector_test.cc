// SPDX-License-Identifier: Apache-2.0
#include "api/stats_collector.h"

#include <gtest/gtest.h>

#include "api/api_stats.h"
#include "engine/stats.h"

namespace sluice::internal {
namespace {

TEST(StatsCollector, adds_up_by_name_in_the_order_of_arrival) {
  StatsCollector all;
  all.add("b", "second", 2);
  all.add("a", "first", 1);
  all.add("b", "second", 3);
  const StatsSnapshot snapshot = all.take(77);
  ASSERT_EQ(snapshot.counters.size(), 2u);
  EXPECT_EQ(snapshot.counters[0].name, "b");
  EXPECT_EQ(snapshot.value("b"), 5u);
  EXPECT_EQ(snapshot.value("a"), 1u);
  EXPECT_EQ(snapshot.time_ns, 77u);
  EXPECT_TRUE(all.take(0).counters.empty());
}

TEST(StatsCollector, a_longest_time_is_no_sum) {
  engine::LcoreStats one;
  engine::LcoreStats two;
  one.longest_loop.set(500);
  two.longest_loop.set(300);
  one.loops.add(10);
  two.loops.add(5);
  StatsCollector all;
  all.add_all(one);
  all.add_all(two);
  const StatsSnapshot snapshot = all.take(0);
  EXPECT_EQ(snapshot.value("lcore.longest_loop_ns"), 500u);
  EXPECT_EQ(snapshot.value("lcore.loops"), 15u);
}

TEST(StatsCollector, takes_the_counters_of_every_module) {
  ApiStats api;
  api.no_handler.add(4);
  transport::Stats transport;
  transport.drop_tag.add(2);
  StatsCollector all;
  all.add_all(api);
  all.add_all(transport);
  const StatsSnapshot snapshot = all.take(0);
  EXPECT_EQ(snapshot.value("refused.no_handler"), 4u);
  EXPECT_EQ(snapshot.value("dropped.tag"), 2u);
}

}  // namespace
}  // namespace sluice::internal
