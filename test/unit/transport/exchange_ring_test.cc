// SPDX-License-Identifier: Apache-2.0
#include "transport/exchange_ring.h"

#include <gtest/gtest.h>

namespace sluice::transport {
namespace {

TEST(ExchangeRing, knows_one_of_those_whose_ids_share_a_place) {
  ExchangeRing ring;
  EXPECT_EQ(ring.at(1), ExchangeRing::kNone);
  EXPECT_TRUE(ring.take(1, 0));
  EXPECT_TRUE(ring.take(2, 7));
  EXPECT_EQ(ring.at(1), 0u);
  EXPECT_EQ(ring.at(2), 7u);
  EXPECT_FALSE(ring.take(1 + ExchangeRing::kIds, 9));
  EXPECT_EQ(ring.at(1 + ExchangeRing::kIds), ExchangeRing::kNone);
  EXPECT_EQ(ring.at(1), 0u);
  ring.leave(1);
  EXPECT_EQ(ring.at(1), ExchangeRing::kNone);
  EXPECT_TRUE(ring.take(1 + ExchangeRing::kIds, 9));
  EXPECT_EQ(ring.at(1), ExchangeRing::kNone);
  EXPECT_EQ(ring.at(1 + ExchangeRing::kIds), 9u);
}

TEST(ExchangeRing, has_a_place_for_each_of_its_ids_in_a_row) {
  ExchangeRing ring;
  for (uint64_t id = 1000; id < 1000 + ExchangeRing::kIds; ++id) {
    EXPECT_TRUE(ring.take(id, static_cast<uint32_t>(id)));
  }
  for (uint64_t id = 1000; id < 1000 + ExchangeRing::kIds; ++id) {
    EXPECT_EQ(ring.at(id), static_cast<uint32_t>(id));
  }
}

}  // namespace
}  // namespace sluice::transport
