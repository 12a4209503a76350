// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "handshake_support.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using base::limits::kMaxKeyShares;

// Verifies MUST-H6
TEST(KeyShares, each_is_given_out_once_whether_made_ahead_or_not) {
  test::SeededRandom random(1);
  KeyShares shares(&test::primitives(), random.source());
  while (shares.prepare()) {
  }
  EXPECT_EQ(shares.ready(), kMaxKeyShares);
  std::set<std::array<uint8_t, kX25519Size>> seen;
  for (size_t i = 0; i < kMaxKeyShares + 8; ++i) {
    const KeyShare share = shares.take();
    std::array<uint8_t, kX25519Size> expected;
    test::primitives().x25519_public(share.private_key().data(), expected.data());
    EXPECT_EQ(share.public_key(), expected);
    seen.insert(share.private_key());
  }
  EXPECT_EQ(seen.size(), kMaxKeyShares + 8);
  EXPECT_EQ(shares.ready(), 0u);
  EXPECT_TRUE(shares.prepare());
}

TEST(KeyShares, what_was_moved_or_forgotten_leaves_no_key) {
  test::SeededRandom random(1);
  KeyShare one(test::primitives(), random.source());
  const auto key = one.private_key();
  KeyShare other = std::move(one);
  EXPECT_EQ(other.private_key(), key);
  EXPECT_EQ(one.private_key(), (std::array<uint8_t, kX25519Size>{}));
  other.forget();
  EXPECT_EQ(other.private_key(), (std::array<uint8_t, kX25519Size>{}));
}

}  // namespace
}  // namespace sluice::crypto
