// SPDX-License-Identifier: Apache-2.0
//
// RPCs from every lcore of the client's node, and what they measured.
#ifndef SLUICE_CLI_TRAFFIC_JOB_H_
#define SLUICE_CLI_TRAFFIC_JOB_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/workload.h"
#include "cli/caller.h"
#include "cli/figures.h"
#include "cli/job.h"
#include "cli/rig.h"

namespace sluice::cli {

struct TrafficPlan {
  std::string phase;  // Label of the figures; empty: none.
  base::Workload workload = base::Workload::fixed(64);
  uint16_t service = kEchoService;
  uint32_t outstanding = 1;  // Per lcore.
  uint64_t load = 0;         // Calls per second and lcore; 0: as many as may be outstanding.
  uint32_t beside = 0;       // Bytes of one message more per lcore, always on its way; 0: none.
  uint64_t count = 0;        // In all; 0: until stopped or the duration has passed.
  uint64_t warmup = 0;       // In all.
  uint64_t duration_ns = 0;
  uint64_t deadline_ns = kNoDeadline;
  bool in_rounds = false;
  bool precise_times = false;
  uint64_t seed = 1;
};

class TrafficJob final : public Job {
 public:
  // The rig has its sessions and outlives the job.
  TrafficJob(Rig* rig, TrafficPlan plan);
  ~TrafficJob() override;

  absl::Status start() override;
  bool done() override;
  Progress progress() override;
  void stop() override;
  absl::Status finish(JsonReport* json, std::string* text) override;

  // After finish().
  const RpcFigures& figures() const { return *figures_; }

 private:
  absl::Status collect();
  std::string why_session_ended() const;
  // Notes the engine's counters when the last caller is done: what other work counts afterwards is
  // not this job's.
  void note_end();

  Rig* rig_;
  TrafficPlan plan_;
  std::vector<std::unique_ptr<Caller>> callers_;  // One per lcore.
  std::unique_ptr<RpcFigures> figures_;           // Large: on the heap.
  StatsSnapshot before_;
  uint64_t corrupt_before_ = 0;
  bool ended_ = false;
  uint64_t begun_ns_ = 0;
  bool installed_ = false;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TRAFFIC_JOB_H_
