// SPDX-License-Identifier: Apache-2.0
#include "cli/main_job.h"

#include "rig_support.h"

namespace sluice::cli {
namespace {

size_t occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
  return count;
}

TrafficPlan small_plan() {
  TrafficPlan plan;
  plan.workload = *base::Workload::named("W3", 1'000'000);
  plan.count = 2000;
  plan.outstanding = 16;
  return plan;
}

TEST(MainJob, does_both_phases_and_reports_each) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  MainJob job(rig.get(), small_plan(), "");
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  const std::string out = json.text();
  EXPECT_EQ(occurrences(out, "\"rpc.completed\", \"value\": 2000,"), 2u);
  EXPECT_EQ(occurrences(out, "\"file.sha256_match\", \"value\": 1,"), 2u);
  EXPECT_EQ(occurrences(out, "\"rpc.corrupt\", \"value\": 0,"), 2u);
  EXPECT_EQ(occurrences(text, "matches"), 2u);
  EXPECT_NE(text.find("faulty"), std::string::npos);
}

TEST(MainJob, stops_early_when_it_is_told_to) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan = small_plan();
  plan.count = 1'000'000'000;
  MainJob job(rig.get(), plan, "/proc/self/exe");
  ASSERT_TRUE(job.start().ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  job.stop();
  for (int i = 0; i < 5'000 && !job.done(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ASSERT_TRUE(job.done());
  JsonReport json = empty_report();
  std::string text;
  EXPECT_TRUE(absl::IsCancelled(job.finish(&json, &text)));
}

TEST(MainJob, the_default_faults_are_one_percent_of_each_kind) {
  const FaultOptions faults = default_faults();
  EXPECT_EQ(faults.loss_ppm, 10'000u);
  EXPECT_EQ(faults.reorder_ppm, 10'000u);
  EXPECT_EQ(faults.duplicate_ppm, 10'000u);
  EXPECT_EQ(faults.corrupt_ppm, 0u);
}

}  // namespace
}  // namespace sluice::cli
