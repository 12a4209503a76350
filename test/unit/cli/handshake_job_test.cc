// SPDX-License-Identifier: Apache-2.0
#include "cli/handshake_job.h"

#include "rig_support.h"

namespace sluice::cli {
namespace {

TEST(HandshakeJob, each_session_has_its_answer) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  HandshakeJob job(rig.get(), {HandshakeKind::kFull}, 20, 64);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  EXPECT_NE(text.find("full"), std::string::npos);
  EXPECT_NE(json.text().find("handshake.first_answer.p50"), std::string::npos);
  EXPECT_EQ(rig->served(), 20u);
  EXPECT_EQ(rig->served_corrupt(), 0u);
}

TEST(HandshakeJob, it_can_be_stopped) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  HandshakeJob job(rig.get(), {HandshakeKind::kFull}, 1'000'000, 64);
  ASSERT_TRUE(job.start().ok());
  job.stop();
  while (!job.done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(job.finish(&json, &text), absl::OkStatus());
  EXPECT_LT(job.progress().done, 1'000'000u);
}

}  // namespace
}  // namespace sluice::cli
