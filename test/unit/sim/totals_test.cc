// SPDX-License-Identifier: Apache-2.0
#include "sim/totals.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice::sim {
namespace {

TEST(Totals, every_cause_has_its_own_name) {
  std::set<std::string> names;
  for (uint32_t cause = 0; cause < kDropCauses; ++cause) {
    names.insert(drop_name(static_cast<Drop>(cause)));
  }
  EXPECT_EQ(names.size(), kDropCauses);
  EXPECT_EQ(names.count("unknown"), 0u);
  EXPECT_STREQ(drop_name(static_cast<Drop>(kDropCauses)), "unknown");
}

TEST(Totals, counts_by_cause) {
  NetworkTotals totals;
  totals.dropped_packets[static_cast<uint32_t>(Drop::kLoss)] = 3;
  EXPECT_EQ(totals.dropped(Drop::kLoss), 3u);
  EXPECT_EQ(totals.dropped(Drop::kQueueFull), 0u);
}

}  // namespace
}  // namespace sluice::sim
