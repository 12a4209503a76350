// SPDX-License-Identifier: Apache-2.0
#include "base/byte_order.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

TEST(ByteOrder, loads_big_endian_at_any_alignment) {
  const uint8_t bytes[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
  EXPECT_EQ(load_be16(bytes + 1), 0x1122u);
  EXPECT_EQ(load_be32(bytes + 1), 0x11223344u);
  EXPECT_EQ(load_be64(bytes + 1), 0x1122334455667788u);
}

TEST(ByteOrder, stores_big_endian_and_nothing_else) {
  uint8_t bytes[10] = {};
  store_be16(bytes + 1, 0xA1B2);
  EXPECT_EQ(bytes[1], 0xA1);
  EXPECT_EQ(bytes[2], 0xB2);
  store_be32(bytes + 1, 0x01020304);
  EXPECT_EQ(bytes[1], 1);
  EXPECT_EQ(bytes[4], 4);
  store_be64(bytes + 1, 0x0102030405060708);
  for (uint8_t i = 0; i < 9; ++i) EXPECT_EQ(bytes[i], i);
  EXPECT_EQ(bytes[9], 0);
}

}  // namespace
}  // namespace sluice::base
