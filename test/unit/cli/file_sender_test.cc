// SPDX-License-Identifier: Apache-2.0
#include "cli/file_sender.h"

#include "rig_support.h"

namespace sluice::cli {
namespace {

TEST(FileSender, a_peer_that_takes_no_files_is_said_to_be_one) {
  auto rig = running_rig(small_options(), {.serve = true, .files = false});
  ASSERT_NE(rig, nullptr);
  FileSender sender(&rig->engine(), rig->sessions()[0], "/proc/self/exe", 5'000'000'000);
  const auto sent = sender.run();
  ASSERT_FALSE(sent.ok());
  EXPECT_NE(sent.status().message().find("recvfile"), absl::string_view::npos);
}

TEST(FileSender, folders_and_missing_files_are_refused) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  FileSender folder(&rig->engine(), rig->sessions()[0], "/proc", 5'000'000'000);
  EXPECT_TRUE(absl::IsInvalidArgument(folder.run().status()));
  FileSender missing(&rig->engine(), rig->sessions()[0], "/none", 5'000'000'000);
  EXPECT_TRUE(absl::IsNotFound(missing.run().status()));
}

TEST(FileSender, stops_when_it_is_told_to) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  rig->receive_files(testing::TempDir(), true);
  FileSender sender(&rig->engine(), rig->sessions()[0], "/proc/self/exe", 5'000'000'000);
  sender.stop();
  EXPECT_TRUE(absl::IsCancelled(sender.run().status()));
}

}  // namespace
}  // namespace sluice::cli
