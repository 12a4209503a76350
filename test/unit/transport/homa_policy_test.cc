// SPDX-License-Identifier: Apache-2.0
#include "transport/homa_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "base/prng.h"

namespace sluice::transport {
namespace {

constexpr uint32_t kUnscheduled = 10000;

class HomaPolicyTest : public testing::Test {
 protected:
  static EndpointConfig config(uint8_t overcommit) {
    EndpointConfig out;
    out.max_incoming_bytes = 120000;
    out.grant_increment = 5000;
    out.overcommit = overcommit;
    return out;
  }
  void make(uint8_t overcommit) { policy_ = std::make_unique<HomaPolicy>(config(overcommit)); }

  // A message whose first packet has just arrived; its unscheduled bytes are granted.
  Grantable& add(uint32_t length, uint32_t limit = UINT32_MAX) {
    Grantable& m = messages_.emplace_back();
    m.length = length;
    m.limit = std::min(limit, length);
    m.granted = std::min(kUnscheduled, m.limit);
    m.birth = base::nanos(messages_.size());
    policy_->add(&m);
    return m;
  }
  void receive(Grantable& m, uint32_t bytes) {
    m.received += bytes;
    policy_->on_progress(&m, Arrival{.bytes = bytes});
  }
  std::vector<GrantDecision> decide() {
    std::vector<GrantDecision> all;
    std::array<GrantDecision, 2> some;
    size_t count;
    do {
      count = policy_->decide(base::seconds(1), some);
      all.insert(all.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(count));
    } while (count == some.size());
    return all;
  }

  std::unique_ptr<HomaPolicy> policy_;
  std::deque<Grantable> messages_;
};

TEST_F(HomaPolicyTest, a_message_within_its_unscheduled_bytes_needs_no_grant) {
  make(8);
  Grantable& m = add(5000);
  EXPECT_TRUE(decide().empty());
  EXPECT_EQ(policy_->outstanding(), 5000u);
  receive(m, 5000);
  EXPECT_EQ(policy_->outstanding(), 0u);
  policy_->remove(&m);
}

// Verifies MUST-T4 on the granting side: offsets only rise, and a decision adds something.
TEST_F(HomaPolicyTest, grants_run_a_window_ahead_of_what_arrived) {
  make(8);
  Grantable& m = add(1000000);
  std::vector<GrantDecision> grants = decide();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].offset, 60000u) << "max_incoming / (active + 1)";
  EXPECT_TRUE(decide().empty()) << "nothing new, no grant";
  receive(m, 4000);
  EXPECT_TRUE(decide().empty()) << "below the increment: coalesced";
  receive(m, 1000);
  grants = decide();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].offset, 65000u);
  policy_->remove(&m);
  EXPECT_EQ(policy_->outstanding(), 0u);
}

TEST_F(HomaPolicyTest, the_fewest_bytes_left_go_first_and_highest) {
  make(2);
  Grantable& large = add(900000);
  Grantable& small = add(100000);
  Grantable& middle = add(400000);
  const auto grants = decide();
  ASSERT_EQ(grants.size(), 2u) << "overcommit";
  EXPECT_EQ(grants[0].message, &small);
  EXPECT_EQ(grants[1].message, &middle);
  EXPECT_GT(grants[0].priority, grants[1].priority);
  policy_->remove(&small);
  const auto next = decide();
  EXPECT_TRUE(std::any_of(next.begin(), next.end(),
                          [&](const GrantDecision& g) { return g.message == &large; }));
}

TEST_F(HomaPolicyTest, a_shorter_newcomer_takes_the_longest_ones_place) {
  make(1);
  Grantable& large = add(900000);
  ASSERT_EQ(decide().size(), 1u);
  Grantable& small = add(50000);
  const auto grants = decide();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].message, &small);
  policy_->remove(&small);
  receive(large, 20000);
  EXPECT_EQ(decide().size(), 1u) << "and gives it back";
}

TEST_F(HomaPolicyTest, all_grants_together_stay_below_the_limit) {
  make(8);
  for (int i = 0; i < 20; ++i) add(1000000);
  decide();
  EXPECT_LE(policy_->outstanding(), 20u * kUnscheduled + 120000u);
  Grantable& one = messages_.front();
  const uint64_t before = policy_->outstanding();
  receive(one, kUnscheduled);
  decide();
  EXPECT_LE(policy_->outstanding(), before) << "over the limit already: no new grants";
}

// Verifies MUST-T5: never beyond what landing memory backs.
TEST_F(HomaPolicyTest, landing_memory_bounds_the_offset) {
  make(8);
  Grantable& stream = add(1000000, 16000);
  auto grants = decide();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].offset, 16000u);
  receive(stream, 16000);
  EXPECT_TRUE(decide().empty());
  stream.limit = 24000;
  policy_->on_progress(&stream, Arrival{});
  grants = decide();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].offset, 24000u);
  policy_->remove(&stream);
  EXPECT_EQ(policy_->outstanding(), 0u);
}

// Verifies MUST-T6: one that cannot be granted for want of a consumer takes nobody's place.
TEST_F(HomaPolicyTest, a_stream_that_is_not_consumed_blocks_no_other_message) {
  make(1);
  Grantable& stream = add(300000, 16000);
  decide();
  receive(stream, 16000);
  Grantable& other = add(900000);
  const auto grants = decide();
  ASSERT_EQ(grants.size(), 1u);
  EXPECT_EQ(grants[0].message, &other);
  stream.limit = 40000;
  policy_->on_progress(&stream, Arrival{});
  const auto again = decide();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].message, &stream) << "consumed again, and shorter";
  policy_->remove(&stream);
  policy_->remove(&other);
  EXPECT_EQ(policy_->outstanding(), 0u);
}

TEST_F(HomaPolicyTest, every_message_is_granted_whole_in_the_end) {
  base::Prng prng(5);
  for (int round = 0; round < 20; ++round) {
    make(static_cast<uint8_t>(1 + prng.uniform(8)));
    messages_.clear();
    std::vector<Grantable*> open;
    for (int i = 0; i < 30; ++i) {
      open.push_back(&add(1 + static_cast<uint32_t>(prng.uniform(500000))));
    }
    int steps = 0;
    while (!open.empty()) {
      ASSERT_LT(++steps, 100000) << "grants stopped, round " << round;
      Grantable* m = open[prng.uniform(open.size())];
      const uint32_t bytes = std::min(m->granted - m->received, 9000u);
      if (bytes > 0) receive(*m, bytes);
      for (const GrantDecision& g : decide()) EXPECT_LE(g.offset, g.message->length);
      if (m->received == m->length || prng.uniform(300) == 0) {
        policy_->remove(m);
        open.erase(std::find(open.begin(), open.end(), m));
      }
    }
    EXPECT_EQ(policy_->outstanding(), 0u);
  }
}

}  // namespace
}  // namespace sluice::transport
