// SPDX-License-Identifier: Apache-2.0
#include "crypto/wipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace sluice::crypto {
namespace {

// Verifies MUST-C11
TEST(Wipe, zeroes_exactly_the_range) {
  std::array<uint8_t, 9> bytes;
  bytes.fill(0xAB);
  wipe(bytes.data() + 2, 5);
  EXPECT_EQ(bytes, (std::array<uint8_t, 9>{0xAB, 0xAB, 0, 0, 0, 0, 0, 0xAB, 0xAB}));
  wipe(nullptr, 0);
}

TEST(Wipe, the_scope_guard_wipes_on_the_way_out) {
  std::array<uint8_t, 32> secret;
  secret.fill(1);
  {
    WipeOnExit guard(&secret);
    EXPECT_EQ(secret[31], 1);
  }
  EXPECT_TRUE(std::all_of(secret.begin(), secret.end(), [](uint8_t b) { return b == 0; }));
}

TEST(Wipe, comparison_sees_every_byte) {
  std::array<uint8_t, 21> a;  // Two words and some bytes.
  a.fill(3);
  for (size_t i = 0; i < a.size(); ++i) {
    std::array<uint8_t, 21> b = a;
    EXPECT_TRUE(equal_constant_time(a.data(), b.data(), a.size()));
    b[i] ^= 0x80;
    EXPECT_FALSE(equal_constant_time(a.data(), b.data(), a.size())) << i;
  }
  EXPECT_TRUE(equal_constant_time(a.data(), a.data(), 0));
}

}  // namespace
}  // namespace sluice::crypto
