// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"
#include "cli/traffic_job.h"
#include "rig_support.h"

namespace sluice::cli {
namespace {

TEST(ServeMode, needs_a_device) {
  Options options;
  EXPECT_FALSE(kServeMode.prepare(&options).ok());
  options.ports.emplace_back();
  EXPECT_TRUE(kServeMode.prepare(&options).ok());
}

TEST(ServeMode, checks_messages_of_every_length) {
  EXPECT_EQ(kServeMode.longest(Options()), (1u << 30) - 1);
  EXPECT_TRUE(kServeMode.roles.serve);
  EXPECT_FALSE(kServeMode.connects);
}

// A peer may be served before the job that reports it has begun.
TEST(ServeMode, reports_what_came_before_its_job_too) {
  const auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  const auto run = [&rig](const Mode& mode, std::string* json) {
    JsonReport report = empty_report();
    auto job = mode.make(rig.get(), rig->options());
    if (!job.ok()) return job.status();
    if (&mode == &kServeMode) (*job)->stop();
    std::string text;
    const absl::Status status = run_to_end(job->get(), &report, &text);
    *json = report.text();
    return status;
  };
  std::string json;
  ASSERT_EQ(run(kRateMode, &json), absl::OkStatus());
  ASSERT_EQ(run(kServeMode, &json), absl::OkStatus());
  const auto value = [&json](const std::string& metric) {
    const std::string head = "{\"metric\": \"" + metric + "\", \"value\": ";
    const size_t at = json.find(head);
    return at == std::string::npos ? 0ull : std::stoull(json.substr(at + head.size()));
  };
  EXPECT_GE(value("served.messages"), 1000u) << json;
  EXPECT_GE(value("requests.delivered"), 1000u) << json;
  EXPECT_GE(value("packets.received"), 2u) << json;
}

}  // namespace
}  // namespace sluice::cli
