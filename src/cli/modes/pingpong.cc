// SPDX-License-Identifier: Apache-2.0
#include "cli/mode.h"
#include "cli/modes/traffic_plan.h"

namespace sluice::cli {
namespace {

absl::Status prepare(Options* options) {
  if (options->workload.empty()) set_default(&options->size, 64);
  set_default(&options->outstanding, 1);
  set_default(&options->service, kEchoService);
  if (options->duration == 0) set_default(&options->count, 100'000);
  set_default(&options->warmup, 1'000);
  return check_traffic(*options);
}

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  auto plan = traffic_plan(options);
  if (!plan.ok()) return plan.status();
  plan->precise_times = true;
  return std::make_unique<TrafficJob>(rig, std::move(*plan));
}

}  // namespace

const Mode kPingpongMode = {
    .name = "pingpong",
    .summary = "one RPC after another: the unloaded round trip",
    .help =
        "Sends one RPC at a time, of 64 bytes unless --size or --workload says otherwise, and "
        "times\n"
        "each. Ends after --count (default 100k) or --duration.\n"
        "  sluice pingpong --size=64 --count=1M\n",
    .connects = true,
    .roles = {.serve = true, .files = false},
    .prepare = &prepare,
    .longest = &longest_of_traffic,
    .make = &make,
};

}  // namespace sluice::cli
