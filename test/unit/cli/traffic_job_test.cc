// SPDX-License-Identifier: Apache-2.0
#include "cli/traffic_job.h"

#include "rig_support.h"

namespace sluice::cli {
namespace {

TEST(TrafficJob, a_workload_is_checked_and_measured_by_size) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.phase = "clean";
  plan.workload = *base::Workload::named("W3", 1'000'000);
  plan.count = 3000;
  plan.outstanding = 16;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  EXPECT_EQ(job.figures().results.completed, 3000u);
  for (const base::SizeClass& size : plan.workload.classes()) {
    EXPECT_NE(json.text().find("\"size\": \"" + size.name() + "\""), std::string::npos);
  }
  EXPECT_NE(text.find("clean: 3,000 RPCs completed, 0 failed, 0 corrupt"), std::string::npos);
}

TEST(TrafficJob, faults_cost_retransmissions_and_nothing_else) {
  Options options = small_options();
  options.faults.loss_ppm = options.faults.duplicate_ppm = options.faults.reorder_ppm = 20'000;
  auto rig = running_rig(options);
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.workload = base::Workload::fixed(20'000);
  plan.count = 2000;
  plan.outstanding = 8;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  EXPECT_EQ(job.figures().results.completed, 2000u);
  EXPECT_GT(job.figures().counted.value("packets.retransmitted"), 0u);
}

TEST(TrafficJob, a_duration_ends_it) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.duration_ns = 50'000'000;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  EXPECT_GT(job.figures().results.completed, 0u);
}

TEST(TrafficJob, several_lcores_and_sessions_share_the_count) {
  Options options = small_options();
  options.lcores = 2;
  options.sessions = 2;
  auto rig = running_rig(options);
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.count = 1001;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  EXPECT_EQ(job.figures().results.completed, 1001u);
}

}  // namespace
}  // namespace sluice::cli
