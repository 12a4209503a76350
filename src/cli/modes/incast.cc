// SPDX-License-Identifier: Apache-2.0
#include "cli/mode.h"
#include "cli/modes/traffic_plan.h"

namespace sluice::cli {
namespace {

absl::Status prepare(Options* options) {
  if (options->workload.empty()) set_default(&options->size, 100'000);
  set_default(&options->outstanding, 32);
  set_default(&options->service, kSinkService);
  if (options->duration == 0) set_default(&options->count, 32'000);
  return check_traffic(*options);
}

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  auto plan = traffic_plan(options);
  if (!plan.ok()) return plan.status();
  plan->in_rounds = true;
  return std::make_unique<TrafficJob>(rig, std::move(*plan));
}

}  // namespace

const Mode kIncastMode = {
    .name = "incast",
    .summary = "rounds of many senders at once to one receiver",
    .help =
        "Begins --outstanding (default 32) requests of --size bytes (default 100k) at the same\n"
        "moment, spread over --sessions, and the next round when all have been answered; reports "
        "the\n"
        "time of the rounds. Ends after --count messages (default 32k) or --duration.\n"
        "  sluice incast --sessions=16 --outstanding=64 --size=100k\n",
    .connects = true,
    .roles = {.serve = true, .files = false},
    .prepare = &prepare,
    .longest = &longest_of_traffic,
    .make = &make,
};

}  // namespace sluice::cli
