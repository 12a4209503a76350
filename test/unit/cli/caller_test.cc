// SPDX-License-Identifier: Apache-2.0
#include "cli/caller.h"

#include "cli/traffic_job.h"
#include "rig_support.h"

namespace sluice::cli {
namespace {

TEST(CallerResults, merge_adds_and_keeps_the_widest_time) {
  const auto one = std::make_unique<CallerResults>();
  const auto two = std::make_unique<CallerResults>();
  one->completed = 1;
  one->begun_ns = 100;
  one->ended_ns = 200;
  two->completed = 2;
  two->begun_ns = 50;
  two->ended_ns = 150;
  two->failed[4] = 1;
  two->latency[3].record(7);
  one->merge(*two);
  EXPECT_EQ(one->completed, 3u);
  EXPECT_EQ(one->begun_ns, 50u);
  EXPECT_EQ(one->ended_ns, 200u);
  EXPECT_EQ(one->failures(), 1u);
  EXPECT_EQ(one->latency[3].count(), 1u);
}

TEST(CallerResults, merging_into_nothing_takes_the_begin) {
  const auto none = std::make_unique<CallerResults>();
  const auto some = std::make_unique<CallerResults>();
  some->completed = 1;
  some->begun_ns = 100;
  none->merge(*some);
  EXPECT_EQ(none->begun_ns, 100u);
}

TEST(Caller, counts_what_it_began_and_measured) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.count = 500;
  plan.warmup = 100;
  plan.outstanding = 7;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  const CallerResults& results = job.figures().results;
  EXPECT_EQ(results.completed, 500u);
  EXPECT_EQ(results.latency[0].count(), 500u);
  EXPECT_EQ(results.request_bytes, 500u * 64);
  EXPECT_EQ(results.corrupt, 0u);
  EXPECT_EQ(rig->served(), 600u);
}

TEST(Caller, a_message_beside_the_others_is_always_on_its_way_and_not_timed) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.count = 2000;
  plan.beside = 20'000;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  const CallerResults& results = job.figures().results;
  EXPECT_EQ(results.completed, 2000u);
  EXPECT_EQ(all_latencies(results).count(), 2000u);
  EXPECT_GT(results.beside_completed, 0u);
  EXPECT_EQ(results.beside_bytes, results.beside_completed * 20'000);
  EXPECT_EQ(rig->served(), 2000u + results.beside_completed);  // There was no warm-up.
  EXPECT_NE(text.find("beside them"), std::string::npos);
}

TEST(Caller, a_load_begins_calls_no_sooner_than_it_says) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.count = 400;
  plan.load = 10'000;
  plan.outstanding = 64;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  const CallerResults& results = job.figures().results;
  EXPECT_EQ(results.completed, 400u);
  // The intervals of this seed sum up to about 40 ms; how much later calls ended is the machine's.
  EXPECT_GT(results.ended_ns - results.begun_ns, 20'000'000u);
  EXPECT_EQ(results.latency[0].count(), 400u);
}

TEST(Caller, rests_between_its_calls_where_lcores_may_sleep) {
  Options options = small_options();
  options.idle = {.mode = IdleMode::kSleep, .step_ns = 200'000, .spin_ns = 0};
  auto rig = running_rig(options);
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.count = 100;
  plan.load = 1'000;
  plan.outstanding = 8;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  EXPECT_EQ(job.figures().results.completed, 100u);
  EXPECT_GT(rig->engine().stats(kClientNode).value("lcore.sleeps"), 0u);
  EXPECT_GT(rig->engine().stats(kServerNode).value("lcore.sleeps"), 0u);
}

TEST(Caller, rounds_begin_when_the_last_has_ended) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.count = 100;
  plan.outstanding = 10;
  plan.in_rounds = true;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(run_to_end(&job, &json, &text), absl::OkStatus());
  EXPECT_EQ(job.figures().results.rounds.count(), 10u);
}

TEST(Caller, a_service_that_is_not_there_fails_each_call_once) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;
  plan.count = 20;
  plan.service = 99;
  TrafficJob job(rig.get(), plan);
  JsonReport json = empty_report();
  std::string text;
  EXPECT_FALSE(run_to_end(&job, &json, &text).ok());
  EXPECT_EQ(job.figures().results.failed[static_cast<size_t>(StatusCode::kNotFound)], 20u);
}

TEST(Caller, an_ended_session_stops_it) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  TrafficPlan plan;  // Without an end of its own.
  TrafficJob job(rig.get(), plan);
  ASSERT_TRUE(job.start().ok());
  ASSERT_TRUE(rig->engine().disconnect(rig->sessions()[0]).ok());
  for (int i = 0; i < 5'000 && !job.done(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ASSERT_TRUE(job.done());
  JsonReport json = empty_report();
  std::string text;
  EXPECT_FALSE(job.finish(&json, &text).ok());
}

}  // namespace
}  // namespace sluice::cli
