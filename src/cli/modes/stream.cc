// SPDX-License-Identifier: Apache-2.0
#include "cli/mode.h"
#include "cli/modes/traffic_plan.h"

namespace sluice::cli {
namespace {

absl::Status prepare(Options* options) {
  if (options->workload.empty()) set_default(&options->size, 1'000'000);
  set_default(&options->outstanding, 4);
  set_default(&options->service, kSinkService);
  if (options->duration == 0) set_default(&options->count, 10'000);
  return check_traffic(*options);
}

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  auto plan = traffic_plan(options);
  if (!plan.ok()) return plan.status();
  return std::make_unique<TrafficJob>(rig, std::move(*plan));
}

}  // namespace

const Mode kStreamMode = {
    .name = "stream",
    .summary = "large messages one way: how many bits per second",
    .help =
        "Sends requests of --size bytes (default 1M, up to 1 GiB - 1) which are answered with "
        "eight,\n"
        "--outstanding (default 4) at a time. Ends after --count (default 10k) or --duration.\n"
        "  sluice stream --size=1M --duration=5s\n",
    .connects = true,
    .roles = {.serve = true, .files = false},
    .prepare = &prepare,
    .longest = &longest_of_traffic,
    .make = &make,
};

}  // namespace sluice::cli
