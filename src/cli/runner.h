// SPDX-License-Identifier: Apache-2.0
//
// Runs one mode from its options to its exit status.
#ifndef SLUICE_CLI_RUNNER_H_
#define SLUICE_CLI_RUNNER_H_

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cli/job.h"
#include "cli/mode.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/rig.h"

namespace sluice::cli {

// What the program ends with.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;         // The work or the start has failed.
inline constexpr int kExitUsage = 2;          // The command line cannot be meant.
inline constexpr int kExitInterrupted = 130;  // By a signal, before the work's own end.

// What is printed after a reload.
inline constexpr char kReloadedText[] = "reloaded: policy and certificates";

// A job under way: ticks it, shows its progress and the periodic counters.
class JobRun {
 public:
  // `rig` and `json` outlive it; results are printed to `out`.
  JobRun(Rig* rig, JsonReport* json, FILE* out);
  ~JobRun();
  JobRun(const JobRun&) = delete;
  JobRun& operator=(const JobRun&) = delete;

  // Takes the job and starts it.
  absl::Status start(std::unique_ptr<Job> job);
  bool running() const { return job_ != nullptr; }
  // To be called every few milliseconds: when the job has ended its results are printed, and true
  // is returned once.
  bool tick();
  // To be called as often: reads the policy and the certificates again where a signal has asked for
  // it, and says what came of it. True when it did.
  bool reload_when_asked();
  void stop();
  // What the last job that ended came to.
  const absl::Status& outcome() const { return outcome_; }

 private:
  void print_period(uint64_t now);

  Rig* rig_;
  JsonReport* json_;
  FILE* out_;
  ProgressBar bar_;
  std::unique_ptr<Job> job_;
  uint64_t next_period_ = 0;
  StatsSnapshot period_;
  absl::Status outcome_;
};

// One line of counters: what `now` has more than `before`.
std::string period_text(const StatsSnapshot& before, const StatsSnapshot& now);

// Opens the rig, runs the job or the prompt, writes the JSON, closes. `command` is the command
// line as the user wrote it. Prints to standard output and errors to standard error.
int run_mode(const Mode& mode, const Options& options, const std::string& command);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_RUNNER_H_
