// SPDX-License-Identifier: Apache-2.0
//
// What shows that everything works: RPCs and a file between two endpoints of this process, first
// over a clean network, then over a faulty one.
#ifndef SLUICE_CLI_MAIN_JOB_H_
#define SLUICE_CLI_MAIN_JOB_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/file_jobs.h"
#include "cli/job.h"
#include "cli/real_file.h"
#include "cli/rig.h"
#include "cli/traffic_job.h"

namespace sluice::cli {

class MainJob final : public Job {
 public:
  // The smallest file that is sent when none is named.
  static constexpr uint64_t kLeastFile = 10'000'000;

  // `file` empty: one is made from this program. The rig runs both ends with all roles, has its
  // sessions and outlives the job.
  MainJob(Rig* rig, TrafficPlan plan, std::string file);

  absl::Status start() override;
  bool done() override;
  Progress progress() override;
  void stop() override;
  absl::Status finish(JsonReport* json, std::string* text) override;

 private:
  // One network condition and what was measured under it.
  struct Phase {
    std::string name;
    FaultOptions faults;
    std::unique_ptr<TrafficJob> rpcs;
    std::unique_ptr<SendFileJob> file;
  };

  absl::Status start_step();
  absl::Status set_faults(const FaultOptions& faults);
  std::string table_text() const;

  Rig* rig_;
  TrafficPlan plan_;
  std::string file_;
  std::optional<TemporaryFolder> folder_;    // Of the file that is sent.
  std::optional<TemporaryFolder> arrivals_;  // Of those that arrive.
  Phase phases_[2];
  size_t step_ = 0;  // Clean RPCs, clean file, faulty RPCs, faulty file, end.
  bool stopped_ = false;
  absl::Status failure_;
};

// Faults of the second phase when the options name none: 1 % each of loss, reordering and
// duplication.
FaultOptions default_faults();

}  // namespace sluice::cli

#endif  // SLUICE_CLI_MAIN_JOB_H_
