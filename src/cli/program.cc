// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/args.h"
#include "cli/audit.h"
#include "cli/core_dumps.h"
#include "cli/identity.h"
#include "cli/runner.h"
#include "cli/text.h"
#include "sluice/version.h"

namespace sluice::cli {
namespace {

std::vector<std::string> mode_names() {
  std::vector<std::string> names;
  for (const Mode* mode : modes()) names.push_back(mode->name);
  return names;
}

std::string general_help(const OptionSet& set) {
  std::string out = absl::StrCat("sluice ", library_version(),
                                 ": encrypted messages over DPDK\n\n"
                                 "usage: sluice [EAL arguments --] MODE [options]\n"
                                 "       sluice MODE --help\n"
                                 "       sluice identity --help   (certificates)\n"
                                 "       sluice audit --help      (the audit log)\n\nmodes:\n");
  for (const Mode* mode : modes()) {
    const std::string name = mode->name;
    absl::StrAppend(&out, "  ", name, std::string(12 - name.size(), ' '), mode->summary, "\n");
  }
  absl::StrAppend(&out, set.help(),
                  "\nEAL arguments are those of every DPDK program, for instance -l 0,1 or "
                  "--in-memory; none are needed.\n"
                  "Exit status: 0 done, 1 failed, 2 not understood, 130 interrupted.\n");
  return out;
}

std::string mode_help(const Mode& mode, const OptionSet& set) {
  return absl::StrCat("sluice ", mode.name, ": ", mode.summary, "\n\n", mode.help, set.help());
}

absl::Status no_mode(const std::vector<std::string>& words) {
  const std::string list = absl::StrJoin(mode_names(), ", ");
  if (words.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no mode given: choose ", list));
  }
  const std::string meant = nearest(words[0], mode_names());
  return absl::InvalidArgumentError(absl::StrCat(
      "no mode '", words[0], "': ",
      meant.empty() ? absl::StrCat("choose ", list) : absl::StrCat("is ", meant, " meant?")));
}

// To be called before any key is read.
void keep_keys_from_disk() {
  if (keep_memory_out_of_core_dumps()) return;
  std::fprintf(stderr,
               "sluice: warning: a crash may leave keys on disk: "
               "/proc/self/coredump_filter cannot be written; see ulimit -c\n");
}

// Words and options of one mode, once it is known.
absl::Status complete(std::vector<std::string> words, Command* command) {
  Options& options = command->options;
  options.mode = command->mode->name;
  options.words.assign(words.begin() + 1, words.end());
  absl::Status status = check_options(options);
  if (status.ok()) status = command->mode->prepare(&options);
  if (!status.ok()) return status;
  if (!options.words.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", options.words[0], "' after ", options.mode, " is not understood"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Command> read_command(const std::vector<std::string>& arguments) {
  Command command;
  auto split = split_arguments(arguments);
  if (!split.ok()) return split.status();
  const OptionSet set = option_set(&command.options);
  auto words = set.parse(split->own);
  if (!words.ok()) return words.status();
  const auto help = std::remove(words->begin(), words->end(), "--help");
  const bool asked = split->help || help != words->end();
  words->erase(help, words->end());
  if (!words->empty()) command.mode = find_mode(words->front());
  if (asked) {
    command.help = command.mode != nullptr ? mode_help(*command.mode, set) : general_help(set);
    return command;
  }
  if (command.mode == nullptr) return no_mode(*words);
  command.options.eal = std::move(split->eal);
  const absl::Status status = complete(std::move(*words), &command);
  if (!status.ok()) return status;
  return command;
}

int run_program(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == "identity") {
    keep_keys_from_disk();
    return run_identity({arguments.begin() + 1, arguments.end()}, stdout);
  }
  if (!arguments.empty() && arguments.front() == "audit") {
    return run_audit({arguments.begin() + 1, arguments.end()}, stdout);
  }
  const auto command = read_command(arguments);
  if (!command.ok()) {
    std::fprintf(stderr, "sluice: %s\n", std::string(command.status().message()).c_str());
    return kExitUsage;
  }
  if (!command->help.empty()) {
    std::fputs(command->help.c_str(), stdout);
    return kExitOk;
  }
  if (!command->options.core_dumps) keep_keys_from_disk();
  return run_mode(*command->mode, command->options,
                  absl::StrCat("sluice ", absl::StrJoin(arguments, " ")));
}

}  // namespace sluice::cli
