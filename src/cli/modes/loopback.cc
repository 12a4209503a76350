// SPDX-License-Identifier: Apache-2.0
#include "cli/main_job.h"
#include "cli/mode.h"
#include "cli/modes/traffic_plan.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

absl::Status prepare(Options* options) {
  if (!options->embedded()) {
    return absl::InvalidArgumentError("loopback runs both ends in this process: leave out --port");
  }
  if (options->size == 0 && options->workload.empty()) options->workload = "W3";
  set_default(&options->outstanding, 64);
  set_default(&options->count, 200'000);
  set_default(&options->service, kEchoService);
  set_default(&options->deadline, 10 * kSecond);
  return check_traffic(*options);
}

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  auto plan = traffic_plan(options);
  if (!plan.ok()) return plan.status();
  plan->duration_ns = 0;
  return std::make_unique<MainJob>(rig, std::move(*plan), options.file);
}

}  // namespace

const Mode kLoopbackMode = {
    .name = "loopback",
    .summary = "the whole of it in one process: RPCs and a file, clean and with faults",
    .help =
        "Two endpoints on two lcores, joined by an embedded device: --count RPCs (default 200k)\n"
        "with sizes of --workload (default W3), every byte checked; a file (--file, default:\n"
        "this program), checked by SHA-256; then both again with 1 % of the packets lost,\n"
        "1 % reordered and 1 % duplicated, or what --loss, --reorder, --duplicate, --corrupt,\n"
        "--delay and --jitter say.\n"
        "  sluice loopback --json=result.json\n",
    .connects = true,
    .roles = {.serve = true, .files = true},
    .prepare = &prepare,
    .longest = &longest_of_traffic,
    .make = &make,
};

}  // namespace sluice::cli
