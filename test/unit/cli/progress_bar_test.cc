// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(ProgressBar, shows_how_far_a_known_end_is) {
  EXPECT_EQ(progress_text({"RPCs", 50'000, 200'000}),
            "RPCs  [#######.......................] 25 %  50,000 of 200,000");
  EXPECT_EQ(progress_text({"RPCs", 3, 2}), "RPCs  [##############################] 100 %  2 of 2");
}

TEST(ProgressBar, shows_what_is_done_without_an_end) {
  EXPECT_EQ(progress_text({"served", 1234, 0}), "served: 1,234");
}

TEST(ProgressBar, writes_nothing_where_there_is_no_terminal) {
  FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  {
    ProgressBar bar(file, true);
    bar.show({"RPCs", 1, 2}, 1'000'000'000);
  }
  EXPECT_EQ(std::ftell(file), 0);
  std::fclose(file);
}

}  // namespace
}  // namespace sluice::cli
