// SPDX-License-Identifier: Apache-2.0
#include "base/aligned_array.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace sluice::base {
namespace {

struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
  static int alive;
};
int Counted::alive = 0;

struct alignas(256) Wide {
  uint8_t bytes[256];
};

TEST(AlignedArray, starts_a_cache_line_and_is_zeroed) {
  const AlignedArray<uint8_t> array(100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array.data()) % kCacheLine, 0u);
  for (size_t i = 0; i < array.size(); ++i) EXPECT_EQ(array[i], 0);
}

TEST(AlignedArray, keeps_a_stricter_alignment) {
  AlignedArray<Wide> array(3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&array[1]) % 256, 0u);
}

TEST(AlignedArray, constructs_and_destroys_each_element) {
  {
    const AlignedArray<Counted> array(5);
    EXPECT_EQ(Counted::alive, 5);
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(AlignedArray, may_be_empty) {
  const AlignedArray<Counted> array(0);
  EXPECT_EQ(array.size(), 0u);
}

}  // namespace
}  // namespace sluice::base
