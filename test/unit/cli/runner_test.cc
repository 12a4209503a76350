// SPDX-License-Identifier: Apache-2.0
#include "cli/runner.h"

#include "cli/traffic_job.h"
#include "rig_support.h"

namespace sluice::cli {
namespace {

TEST(JobRun, runs_a_job_and_prints_its_results_once) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  JsonReport json = empty_report();
  FILE* out = std::tmpfile();
  ASSERT_NE(out, nullptr);
  {
    JobRun run(rig.get(), &json, out);
    EXPECT_FALSE(run.running());
    EXPECT_FALSE(run.tick());
    TrafficPlan plan;
    plan.count = 100;
    ASSERT_TRUE(run.start(std::make_unique<TrafficJob>(rig.get(), plan)).ok());
    while (!run.tick()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_FALSE(run.running());
    EXPECT_EQ(run.outcome(), absl::OkStatus());
  }
  EXPECT_GT(std::ftell(out), 0);
  EXPECT_GT(json.results(), 10u);
  std::fclose(out);
}

TEST(JobRun, a_job_given_up_ends_with_the_engine) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  JsonReport json = empty_report();
  JobRun run(rig.get(), &json, stdout);
  ASSERT_TRUE(run.start(std::make_unique<TrafficJob>(rig.get(), TrafficPlan())).ok());
  EXPECT_FALSE(run.tick());
}

TEST(Runner, a_period_is_one_line_of_rates) {
  StatsSnapshot before;
  StatsSnapshot now;
  before.counters = {{"rpc.completed", "", 1000}};
  now.counters = {{"rpc.completed", "", 3000}};
  now.time_ns = 2'000'000'000;
  const std::string line = period_text(before, now);
  EXPECT_NE(line.find("calls 1.00 K/s"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(Runner, a_result_file_that_cannot_be_written_is_a_usage_error_before_the_start) {
  Options options = small_options();
  options.json = "/none/such/file.json";
  EXPECT_EQ(run_mode(kRateMode, options, "sluice rate"), kExitUsage);
}

}  // namespace
}  // namespace sluice::cli
