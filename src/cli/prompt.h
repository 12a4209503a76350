// SPDX-License-Identifier: Apache-2.0
//
// The prompt: commands that start and stop the traffic, show what happens and change what may be
// changed meanwhile.
#ifndef SLUICE_CLI_PROMPT_H_
#define SLUICE_CLI_PROMPT_H_

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/mode.h"
#include "cli/options.h"
#include "cli/rig.h"
#include "cli/runner.h"

namespace sluice::cli {

inline constexpr char kPromptText[] = "sluice> ";

// Carries out commands, one line each.
class Prompt {
 public:
  Prompt(const Mode* mode, Rig* rig, JobRun* run, FILE* out)
      : mode_(mode), rig_(rig), run_(run), options_(rig->options()), out_(out) {}

  // An error says what is wrong with the line; nothing has been done then.
  absl::Status execute(absl::string_view line);
  bool quitting() const { return quitting_; }
  // Whether `start` has been given.
  bool started() const { return started_; }

 private:
  using Words = std::vector<std::string>;

  absl::Status start(const Words& words);
  absl::Status stop(const Words& words);
  absl::Status show(const Words& words);
  absl::Status clear(const Words& words);
  absl::Status set(const Words& words);
  absl::Status set_fault(const Words& words);
  absl::Status set_traffic(const Words& words);
  absl::Status reload(const Words& words);
  absl::Status help(const Words& words);
  void print(const std::string& text);

  const Mode* mode_;
  Rig* rig_;
  JobRun* run_;
  Options options_;  // Those of the next start.
  FILE* out_;
  bool quitting_ = false;
  bool started_ = false;
};

// The help of one command, or of all of them when the topic is empty; empty when there is none.
std::string prompt_help(absl::string_view topic);

// Words separated by blanks, without what follows a '#'.
std::vector<std::string> split_words(absl::string_view line);

// Runs the command file, then the prompt if there is to be one, otherwise the job. Returns what
// the last job came to.
absl::Status run_prompt(const Mode& mode, Rig* rig, JobRun* run);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_PROMPT_H_
