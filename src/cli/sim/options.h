// SPDX-License-Identifier: Apache-2.0
//
// The command line of `sluice-sim`, and scenario files, which hold the same options one to a line.
#ifndef SLUICE_CLI_SIM_OPTIONS_H_
#define SLUICE_CLI_SIM_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/scenario.h"

namespace sluice::cli {

struct SimCommand {
  std::string help;  // Not empty: print it and end.
  sim::Scenario scenario;
  std::string json;                    // --json FILE; empty: none.
  std::string plots;                   // --plots FOLDER; empty: none.
  uint64_t max_messages = 20'000'000;  // Refused above: --max-messages.
};

// An error is one line that names the option and the mend.
absl::StatusOr<SimCommand> read_sim_command(const std::vector<std::string>& arguments);

// The options that a scenario file's text stands for: `name = value` lines, `#` begins a comment.
// Errors name the line.
absl::StatusOr<std::vector<std::string>> scenario_arguments(absl::string_view text);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SIM_OPTIONS_H_
