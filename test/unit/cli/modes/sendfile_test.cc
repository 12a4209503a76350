// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"

namespace sluice::cli {
namespace {

TEST(SendfileMode, takes_the_file_as_a_word_or_an_option) {
  Options options;
  EXPECT_FALSE(kSendfileMode.prepare(&options).ok());
  options.words = {"/proc/self/exe"};
  ASSERT_TRUE(kSendfileMode.prepare(&options).ok());
  EXPECT_EQ(options.file, "/proc/self/exe");
  EXPECT_TRUE(options.words.empty());
}

TEST(SendfileMode, says_at_once_when_the_file_cannot_be_read) {
  Options options;
  options.file = "/none/such";
  EXPECT_FALSE(kSendfileMode.prepare(&options).ok());
}

}  // namespace
}  // namespace sluice::cli
