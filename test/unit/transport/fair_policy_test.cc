// SPDX-License-Identifier: Apache-2.0
#include "transport/fair_policy.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::transport {
namespace {

class FairPolicyTest : public testing::Test {
 protected:
  static EndpointConfig config() {
    EndpointConfig config;
    config.credit_bytes = 10'000;
    config.grant_increment = 2'000;
    return config;
  }
  static Grantable message(uint32_t length) {
    Grantable m;
    m.length = m.limit = length;
    return m;
  }
  size_t decide() { return policy_.decide(base::seconds(1), out_); }

  FairPolicy policy_{config()};
  std::array<GrantDecision, 16> out_;
};

TEST_F(FairPolicyTest, all_get_as_much_whatever_their_size) {
  Grantable a = message(100'000);
  Grantable b = message(9'000);
  policy_.add(&a);
  policy_.add(&b);
  EXPECT_EQ(decide(), 5u);
  EXPECT_EQ(a.granted, 6'000u);
  EXPECT_EQ(b.granted, 4'000u);
  EXPECT_EQ(policy_.outstanding(), 10'000u);
  a.received = 2'000;
  policy_.on_progress(&a, {.bytes = 2'000});
  EXPECT_EQ(decide(), 1u);
  EXPECT_EQ(out_[0].message, &b) << "it is the other's turn";
}

TEST_F(FairPolicyTest, nothing_is_granted_beyond_length_and_memory) {
  Grantable a = message(3'000);
  a.limit = 2'500;
  policy_.add(&a);
  EXPECT_EQ(decide(), 2u);
  EXPECT_EQ(a.granted, 2'500u);
  EXPECT_EQ(decide(), 0u);
  a.limit = 3'000;
  policy_.on_progress(&a, {});
  EXPECT_EQ(decide(), 1u);
  EXPECT_EQ(a.granted, 3'000u);
}

TEST_F(FairPolicyTest, what_is_gone_gives_its_credit_back) {
  Grantable a = message(100'000);
  policy_.add(&a);
  decide();
  EXPECT_EQ(policy_.outstanding(), 10'000u);
  policy_.remove(&a);
  EXPECT_EQ(policy_.outstanding(), 0u);
  EXPECT_EQ(decide(), 0u);
}

}  // namespace
}  // namespace sluice::transport
