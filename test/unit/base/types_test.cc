// SPDX-License-Identifier: Apache-2.0
#include "base/types.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace sluice::base {
namespace {

static_assert(!std::is_convertible_v<uint64_t, MessageId>);
static_assert(!std::is_convertible_v<MessageId, uint64_t>);
static_assert(!std::is_constructible_v<MessageId, Epoch>);
static_assert(!std::is_constructible_v<Nanos, Bytes>);
static_assert(sizeof(LaneIndex) == 1 && sizeof(SessionId) == 4 && sizeof(Nanos) == 8);

TEST(Types, identifiers_compare_step_and_hash) {
  MessageId id(7);
  EXPECT_EQ(id.next(), MessageId(8));
  EXPECT_LT(id, MessageId(8));
  EXPECT_EQ((++id).value(), 8u);
  EXPECT_EQ(LaneIndex(255).next(), LaneIndex(0));
  const std::unordered_set<MessageId> ids{MessageId(1), MessageId(2), MessageId(1)};
  EXPECT_EQ(ids.size(), 2u);
  const std::unordered_set<Nanos> times{Nanos(1), Nanos(1)};
  EXPECT_EQ(times.size(), 1u);
}

TEST(Types, quantities_add_and_scale) {
  Bytes total(100);
  total += Bytes(20);
  total -= Bytes(10);
  EXPECT_EQ(total, Bytes(110));
  EXPECT_EQ(total * 2, Bytes(220));
  EXPECT_EQ(2 * total, Bytes(220));
  EXPECT_EQ(total / 11, Bytes(10));
  EXPECT_EQ(total / Bytes(50), 2u);
  EXPECT_EQ(Bytes(3) + Bytes(4) - Bytes(5), Bytes(2));
  EXPECT_GT(Bytes::max(), Bytes::zero());
}

TEST(Types, units_of_time_agree) {
  EXPECT_EQ(micros(1), nanos(1'000));
  EXPECT_EQ(millis(1), micros(1'000));
  EXPECT_EQ(seconds(1), millis(1'000));
}

TEST(Types, after_saturates_and_elapsed_is_never_negative) {
  EXPECT_EQ(after(nanos(5), nanos(6)), nanos(11));
  EXPECT_EQ(after(nanos(5), Nanos::max()), Nanos::max());
  EXPECT_EQ(after(Nanos::max(), nanos(1)), Nanos::max());
  EXPECT_EQ(after(Nanos::max(), nanos(0)), Nanos::max());
  EXPECT_EQ(elapsed(nanos(5), nanos(11)), nanos(6));
  EXPECT_EQ(elapsed(nanos(11), nanos(5)), Nanos::zero());
}

}  // namespace
}  // namespace sluice::base
