// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_PROGRAM_H_
#define SLUICE_CLI_PROGRAM_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/mode.h"
#include "cli/options.h"

namespace sluice::cli {

// A command line that is understood: a help text to print, or a mode to run.
struct Command {
  std::string help;  // Not empty: print it and end well.
  const Mode* mode = nullptr;
  Options options;
};

// `arguments` without the program's name. Errors are one line that says what to change.
absl::StatusOr<Command> read_command(const std::vector<std::string>& arguments);

// The program: returns its exit status. Usage errors end with 2.
int run_program(const std::vector<std::string>& arguments);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_PROGRAM_H_
