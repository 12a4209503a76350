// SPDX-License-Identifier: Apache-2.0
#include "base/core_dumps.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/unit/base/mappings.h"

namespace sluice::base {
namespace {

TEST(CoreDumps, memory_is_left_out_with_the_pages_it_begins_and_ends_in) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto* const pages = static_cast<char*>(
      mmap(nullptr, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  if (!test::tells_dumped(pages)) GTEST_SKIP() << "/proc/self/smaps has no flags here";
  keep_out_of_core_dumps(pages + page + 100, 2 * page);
  const bool left_out[] = {false, true, true, true, false};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(test::left_out_of_dumps(pages + i * page), left_out[i]) << i;
  }
  keep_out_of_core_dumps(pages, 0);
  EXPECT_FALSE(test::left_out_of_dumps(pages));
  munmap(pages, 5 * page);
}

}  // namespace
}  // namespace sluice::base
