// SPDX-License-Identifier: Apache-2.0
#include "base/large_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <new>

#include "base/aligned_array.h"

namespace sluice::base {
namespace {

TEST(LargeMemory, advice_leaves_what_is_there) {
  constexpr std::align_val_t kAlignment{kHugePage};
  auto* const bytes = static_cast<uint8_t*>(::operator new(2 * kHugePage, kAlignment));
  bytes[0] = 1;
  bytes[2 * kHugePage - 1] = 2;
  advise_huge_pages(bytes, 2 * kHugePage);
  EXPECT_EQ(bytes[0], 1);
  EXPECT_EQ(bytes[2 * kHugePage - 1], 2);
  ::operator delete(bytes, kAlignment);
}

TEST(LargeMemory, only_large_arrays_begin_a_huge_page) {
  const AlignedArray<uint8_t> large(kHugePage);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large.data()) % kHugePage, 0u);
  EXPECT_EQ(large[kHugePage - 1], 0);
  for (int i = 0; i < 2; ++i) {
    const AlignedArray<uint8_t> small(kHugePage - 1);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(small.data()) % kCacheLine, 0u);
  }
}

}  // namespace
}  // namespace sluice::base
