// SPDX-License-Identifier: Apache-2.0
#include "base/lazy_array.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>

namespace sluice::base {
namespace {

struct Thing {
  uint64_t value = 7;
};

TEST(LazyArray, an_object_is_as_new_whenever_it_is_made) {
  LazyArray<Thing> things(10);
  EXPECT_EQ(things.size(), 10u);
  Thing* const third = things.make(3);
  EXPECT_EQ(third->value, 7u);
  third->value = 8;
  EXPECT_EQ(things.make(4)->value, 7u);
  EXPECT_EQ(third->value, 8u);
  EXPECT_EQ(things.make(3), third);
  EXPECT_EQ(third->value, 7u);
}

TEST(LazyArray, the_first_begins_a_cache_line_and_each_what_it_asks_for) {
  EXPECT_EQ(reinterpret_cast<uintptr_t>(LazyArray<Thing>(3).make(0)) % 64, 0u);
  struct alignas(128) Wide {
    char bytes[128];
  };
  LazyArray<Wide> wide(3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(wide.make(0)) % 128, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(wide.make(2)) % 128, 0u);
}

TEST(LazyArray, what_is_not_made_takes_no_memory) {
  struct alignas(4096) Page {
    char bytes[4096];
  };
  constexpr size_t kPages = size_t{64} << 10;
  LazyArray<Page> pages(kPages);
  Page* const first = pages.make(0);
  const auto resident = [first](size_t page) {
    unsigned char in_memory = 0;
    EXPECT_EQ(mincore(first + page, sizeof(Page), &in_memory), 0);
    return (in_memory & 1) != 0;
  };
  first->bytes[0] = 1;
  EXPECT_TRUE(resident(0));
  EXPECT_FALSE(resident(kPages / 2));
  pages.make(kPages / 2)->bytes[0] = 1;
  EXPECT_TRUE(resident(kPages / 2));
}

}  // namespace
}  // namespace sluice::base
