// SPDX-License-Identifier: Apache-2.0
#include "transport/session_ids.h"

#include <gtest/gtest.h>

#include <set>

#include "../crypto/handshake_support.h"

namespace sluice::transport {
namespace {

PeerAddress peer_of(uint32_t host) { return {wire::IpAddress::from_v4(host), 4000}; }

std::array<uint8_t, crypto::kInstanceSize> instance_of(uint8_t fill) {
  std::array<uint8_t, crypto::kInstanceSize> out;
  out.fill(fill);
  return out;
}

class SessionIdsTest : public testing::Test {
 protected:
  crypto::test::SeededRandom random_{1};
  SessionIds ids_{4, random_.source()};
};

TEST_F(SessionIdsTest, slots_are_distinct_and_end) {
  std::set<uint32_t> slots;
  for (int i = 0; i < 4; ++i) {
    const auto id = ids_.allocate();
    ASSERT_TRUE(id);
    EXPECT_NE(id->value(), 0u);
    slots.insert(id->value() & 0xffff);
  }
  EXPECT_EQ(slots, (std::set<uint32_t>{0, 1, 2, 3}));
  EXPECT_FALSE(ids_.allocate());
  EXPECT_EQ(ids_.used(), 4u);
}

TEST_F(SessionIdsTest, a_released_slot_returns_last_and_under_another_id) {
  const auto first = ids_.allocate();
  ASSERT_TRUE(ids_.release(*first));
  EXPECT_FALSE(ids_.release(*first));
  EXPECT_FALSE(ids_.in_use(*first));
  for (uint32_t slot = 1; slot <= 3; ++slot) EXPECT_EQ(ids_.allocate()->value() & 0xffff, slot);
  const auto again = ids_.allocate();
  EXPECT_EQ(again->value() & 0xffff, first->value() & 0xffff);
  EXPECT_NE(*again, *first);
  EXPECT_FALSE(ids_.release(*first));
}

TEST_F(SessionIdsTest, the_same_slot_never_gives_the_same_id_twice_in_a_row) {
  SessionIds one(1, random_.source());
  base::SessionId last;
  for (int i = 0; i < 100'000; ++i) {
    const auto id = one.allocate();
    ASSERT_NE(*id, last);
    ASSERT_NE(id->value(), 0u);
    last = *id;
    one.release(*id);
  }
}

TEST_F(SessionIdsTest, a_new_life_of_a_peer_replaces_its_old_sessions) {
  const auto old_a = ids_.allocate();
  const auto old_b = ids_.allocate();
  const auto other = ids_.allocate();
  const auto fresh = ids_.allocate();
  EXPECT_TRUE(ids_.establish(*old_a, peer_of(1), instance_of(1)).empty());
  EXPECT_TRUE(ids_.establish(*old_b, peer_of(1), instance_of(1)).empty());
  EXPECT_TRUE(ids_.establish(*other, peer_of(2), instance_of(2)).empty());
  EXPECT_EQ(ids_.establish(*fresh, peer_of(1), instance_of(3)),
            (std::vector<base::SessionId>{*old_a, *old_b}));
}

TEST_F(SessionIdsTest, released_sessions_are_not_replaced) {
  const auto old = ids_.allocate();
  ids_.establish(*old, peer_of(1), instance_of(1));
  ids_.release(*old);
  const auto fresh = ids_.allocate();
  EXPECT_TRUE(ids_.establish(*fresh, peer_of(1), instance_of(2)).empty());
}

TEST_F(SessionIdsTest, ids_never_given_out_are_not_in_use) {
  EXPECT_FALSE(ids_.in_use(base::SessionId(0)));
  EXPECT_FALSE(ids_.in_use(base::SessionId(0xffffffff)));
  EXPECT_FALSE(ids_.release(base::SessionId(17)));
}

}  // namespace
}  // namespace sluice::transport
