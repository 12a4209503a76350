// SPDX-License-Identifier: Apache-2.0
#include "cli/mode.h"
#include "cli/modes/traffic_plan.h"

namespace sluice::cli {
namespace {

absl::Status prepare(Options* options) {
  if (options->workload.empty()) set_default(&options->size, 64);
  set_default(&options->outstanding, 60);
  set_default(&options->service, kEchoService);
  if (options->duration == 0) set_default(&options->count, 5'000'000);
  set_default(&options->warmup, 10'000);
  return check_traffic(*options);
}

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  auto plan = traffic_plan(options);
  if (!plan.ok()) return plan.status();
  return std::make_unique<TrafficJob>(rig, std::move(*plan));
}

}  // namespace

const Mode kRateMode = {
    .name = "rate",
    .summary = "many small RPCs at a time: how many per second",
    .help =
        "Keeps --outstanding RPCs (default 60) of --size bytes (default 64) in flight on each "
        "lcore.\n"
        "Ends after --count (default 5M) or --duration.\n"
        "  sluice rate --size=64 --outstanding=60 --duration=5s\n",
    .connects = true,
    .roles = {.serve = true, .files = false},
    .prepare = &prepare,
    .longest = &longest_of_traffic,
    .make = &make,
};

}  // namespace sluice::cli
