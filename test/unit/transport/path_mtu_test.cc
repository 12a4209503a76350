// SPDX-License-Identifier: Apache-2.0
#include "transport/path_mtu.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

using base::millis;
using base::seconds;

constexpr base::Nanos kTimeout = millis(1);

// Searches a path that carries packets of up to `path` bytes; returns the probes it took.
uint32_t search(PathMtu& mtu, uint32_t path, base::Nanos* now) {
  uint32_t probes = 0;
  while (mtu.next_deadline() != base::Nanos::max() &&
         mtu.next_deadline() <= base::after(*now, seconds(1))) {
    *now = std::max(*now, mtu.next_deadline());
    const uint32_t size = mtu.poll_probe(*now, kTimeout);
    if (size == 0) continue;
    ++probes;
    EXPECT_LE(probes, 100u) << "the search ends";
    if (probes > 100) break;
    if (size <= path) mtu.on_ack(size, *now);
  }
  return probes;
}

TEST(PathMtu, a_clean_path_takes_one_probe_of_the_ceiling) {
  PathMtu mtu;
  base::Nanos now = seconds(1);
  mtu.start(1200, 8900, now);
  EXPECT_EQ(mtu.limit(), 1200u);
  EXPECT_EQ(search(mtu, 9000, &now), 1u);
  EXPECT_EQ(mtu.limit(), 8900u);
  EXPECT_EQ(mtu.next_deadline(), base::Nanos::max());
}

// Verifies MUST-T22: the size found is one that a probe showed to pass, and close to the best.
TEST(PathMtu, a_narrow_path_is_found_by_bisection) {
  for (const uint32_t path : {1200u, 1231u, 1300u, 4000u, 8899u}) {
    PathMtu mtu;
    base::Nanos now = seconds(1);
    mtu.start(1200, 8900, now);
    EXPECT_LE(search(mtu, path, &now), 40u);
    EXPECT_LE(mtu.limit(), path);
    EXPECT_GE(mtu.limit() + 2 * PathMtu::kSearchStep, path);
  }
}

TEST(PathMtu, each_size_is_tried_three_times_a_timeout_apart) {
  PathMtu mtu;
  base::Nanos now = seconds(1);
  mtu.start(1200, 9000, now);
  for (uint32_t i = 0; i < PathMtu::kProbesPerSize; ++i) {
    EXPECT_EQ(mtu.poll_probe(now, kTimeout), 9000u);
    EXPECT_EQ(mtu.poll_probe(now, kTimeout), 0u) << "not before the timeout";
    now = base::after(now, kTimeout);
  }
  const uint32_t next = mtu.poll_probe(now, kTimeout);
  EXPECT_GT(next, 1200u);
  EXPECT_LT(next, 9000u);
  EXPECT_EQ(mtu.limit(), 1200u) << "a lost probe changes nothing";
}

TEST(PathMtu, a_search_is_repeated_after_the_interval) {
  PathMtu mtu;
  base::Nanos now = seconds(1);
  mtu.set_interval(seconds(60));
  mtu.start(1200, 9000, now);
  search(mtu, 4000, &now);
  const uint32_t found = mtu.limit();
  now = base::after(now, seconds(59));
  EXPECT_EQ(mtu.poll_probe(now, kTimeout), 0u);
  now = base::after(now, seconds(2));
  EXPECT_EQ(mtu.poll_probe(now, kTimeout), 9000u);
  mtu.on_ack(9000, now);
  EXPECT_GT(mtu.limit(), found);
}

TEST(PathMtu, acknowledgements_of_no_use_change_nothing) {
  PathMtu mtu;
  const base::Nanos now = seconds(1);
  mtu.start(1200, 1452, now);
  mtu.on_ack(1452 + 1, now);
  EXPECT_EQ(mtu.limit(), 1200u) << "above the ceiling";
  mtu.on_ack(1100, now);
  EXPECT_EQ(mtu.limit(), 1200u);
  mtu.start(1200, 1000, now);
  EXPECT_EQ(mtu.limit(), 1000u) << "the ceiling bounds the base";
}

// Verifies MUST-T22: a path that shrank is left for the size that passes everywhere.
TEST(PathMtu, a_black_hole_falls_back_to_the_base_and_searches_anew) {
  PathMtu mtu;
  base::Nanos now = seconds(1);
  mtu.start(1200, 9000, now);
  search(mtu, 9000, &now);
  ASSERT_EQ(mtu.limit(), 9000u);
  mtu.on_black_hole(now);
  EXPECT_EQ(mtu.limit(), 1200u);
  search(mtu, 1452, &now);
  EXPECT_LE(mtu.limit(), 1452u);
  const base::Nanos before = mtu.next_deadline();
  PathMtu at_base;
  at_base.start(1200, 1200, now);
  at_base.on_black_hole(now);
  EXPECT_EQ(at_base.limit(), 1200u);
  EXPECT_EQ(mtu.next_deadline(), before);
}

}  // namespace
}  // namespace sluice::transport
