// SPDX-License-Identifier: Apache-2.0
#include "engine/uses.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice::engine {
namespace {

Use use_of(uint32_t session, uint16_t service, bool allowed = true) {
  return {base::SessionId(session), service, crypto::PolicyLayer::kRpc, allowed};
}

size_t fresh_of(Uses* uses) {
  size_t count = 0;
  uses->fresh([&](const Use&) { ++count; });
  return count;
}

TEST(Uses, the_first_of_each_kind_is_told_and_the_rest_counted) {
  Uses uses(64);
  EXPECT_FALSE(uses.any_fresh());
  EXPECT_EQ(uses.count(use_of(1, 7)), Uses::Count::kFirst);
  EXPECT_EQ(uses.count(use_of(1, 7)), Uses::Count::kAgain);
  EXPECT_EQ(uses.count(use_of(1, 7, false)), Uses::Count::kFirst);
  EXPECT_EQ(uses.count(use_of(2, 7)), Uses::Count::kFirst);
  EXPECT_EQ(uses.count({base::SessionId(1), 7, crypto::PolicyLayer::kOneWay, true}),
            Uses::Count::kFirst);
  EXPECT_TRUE(uses.any_fresh());
  EXPECT_EQ(fresh_of(&uses), 4u);
  EXPECT_FALSE(uses.any_fresh());
  EXPECT_EQ(fresh_of(&uses), 0u);
}

TEST(Uses, a_session_ends_with_its_counts_and_leaves_its_places) {
  Uses uses(16);
  for (int round = 0; round < 3; ++round) {
    for (uint16_t service = 0; service < 16; ++service) {
      EXPECT_EQ(uses.count(use_of(service % 2, service)), Uses::Count::kFirst);
    }
    EXPECT_EQ(uses.count(use_of(1, 1)), Uses::Count::kAgain);
    EXPECT_EQ(uses.count(use_of(1, 99)), Uses::Count::kFull);
    EXPECT_EQ(fresh_of(&uses), 16u);
    uint64_t messages = 0;
    size_t kinds = 0;
    for (const uint32_t session : {1u, 0u}) {
      uses.end(base::SessionId(session), [&](const Use& use, uint64_t count) {
        EXPECT_EQ(use.session, base::SessionId(session));
        ++kinds;
        messages += count;
      });
    }
    EXPECT_EQ(kinds, 16u);
    EXPECT_EQ(messages, 17u);
  }
}

// One thread counts as an lcore does while the other reads and ends sessions: nothing is lost.
TEST(Uses, counts_while_it_is_read) {
  Uses uses(1024);
  std::atomic<bool> stop{false};
  std::thread lcore([&] {
    for (uint32_t i = 0; i < 200'000; ++i) uses.count(use_of(i % 4, static_cast<uint16_t>(i % 50)));
    stop = true;
  });
  size_t told = 0;
  while (!stop) told += fresh_of(&uses);
  lcore.join();
  told += fresh_of(&uses);
  uint64_t messages = 0;
  for (uint32_t session = 0; session < 4; ++session) {
    uses.end(base::SessionId(session), [&](const Use&, uint64_t count) { messages += count; });
  }
  EXPECT_EQ(told, 100u);
  EXPECT_EQ(messages, 200'000u);
}

}  // namespace
}  // namespace sluice::engine
