// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_MODES_TRAFFIC_PLAN_H_
#define SLUICE_CLI_MODES_TRAFFIC_PLAN_H_

#include "absl/status/statusor.h"
#include "cli/options.h"
#include "cli/traffic_job.h"

namespace sluice::cli {

// What prepared options ask for.
inline absl::StatusOr<TrafficPlan> traffic_plan(const Options& options) {
  auto workload = workload_of(options);
  if (!workload.ok()) return workload.status();
  TrafficPlan plan;
  plan.workload = std::move(*workload);
  plan.service = static_cast<uint16_t>(options.service);
  plan.outstanding = static_cast<uint32_t>(options.outstanding);
  plan.load = options.load;
  plan.beside = static_cast<uint32_t>(options.beside);
  plan.count = options.count;
  plan.warmup = options.warmup;
  plan.duration_ns = options.duration;
  plan.deadline_ns = options.deadline == 0 ? kNoDeadline : options.deadline;
  plan.seed = options.seed;
  return plan;
}

// Sets a field that the command line has left at zero.
inline void set_default(uint64_t* value, uint64_t otherwise) {
  if (*value == 0) *value = otherwise;
}

}  // namespace sluice::cli

#endif  // SLUICE_CLI_MODES_TRAFFIC_PLAN_H_
