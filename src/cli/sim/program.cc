// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/program.h"

#include <cstdio>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/json_report.h"
#include "cli/machine.h"
#include "cli/sim/faults.h"
#include "cli/sim/options.h"
#include "cli/sim/output.h"
#include "cli/sim/plot.h"
#include "sim/experiment.h"
#include "sim/report.h"
#include "sluice/version.h"

namespace sluice::cli {
namespace {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int fail(int status, const absl::Status& why) {
  std::fprintf(stderr, "sluice-sim: %s\n", std::string(why.message()).c_str());
  return status;
}

std::string version() {
  return absl::StrCat(SLUICE_VERSION_MAJOR, ".", SLUICE_VERSION_MINOR, ".", SLUICE_VERSION_PATCH);
}

// Of this process: what a run has cost, wherever else the machine was busy.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// A run that would take hours is refused before it begins.
absl::Status check_length(const SimCommand& command, const sim::Experiment& experiment) {
  const sim::Scenario& scenario = command.scenario;
  const bool timed =
      scenario.pattern == sim::Pattern::kUniform || scenario.pattern == sim::Pattern::kRpc;
  if (!timed) return absl::OkStatus();
  const uint64_t span = (scenario.warmup + scenario.duration).value();
  const uint64_t each = span / std::max<uint64_t>(1, experiment.mean_gap().value());
  const uint64_t messages = each * experiment.plan().topology.hosts;
  if (messages <= command.max_messages) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("duration: about ", messages,
                                                 " messages would be sent; shorten it, or allow ",
                                                 "them by --max-messages"));
}

absl::Status write_outputs(const SimCommand& command, const sim::Experiment& experiment,
                           const sim::Report& report, JsonReport* json) {
  if (!command.plots.empty()) {
    auto status = write_plots(command.plots, experiment, report);
    if (!status.ok()) return status;
  }
  if (command.json.empty()) return absl::OkStatus();
  add_sim_report(report, json);
  json->add_real("run.cpu_seconds", cpu_seconds(), "s");
  return write_whole(command.json, json->text());
}

int run_command(const SimCommand& command, const std::string& words) {
  if (!command.json.empty()) {
    const auto status = check_writable(command.json);
    if (!status.ok()) return fail(kUsage, status);
  }
  auto experiment = sim::Experiment::create(command.scenario);
  if (!experiment.ok()) return fail(kUsage, experiment.status());
  if (auto status = check_length(command, **experiment); !status.ok()) return fail(kUsage, status);
  std::fputs(scenario_text(command.scenario, (*experiment)->plan()).c_str(), stdout);
  std::fflush(stdout);
  (*experiment)->run();
  const sim::Report report = sim::report_of(**experiment);
  std::fputs(sim_report_text(report).c_str(), stdout);
  std::printf("%.2f s of CPU, %.1f M events\n", cpu_seconds(),
              static_cast<double>((*experiment)->network().totals().events) / 1e6);
  JsonReport json(words, version(), read_machine());
  if (auto status = write_outputs(command, **experiment, report, &json); !status.ok()) {
    return fail(kFailed, status);
  }
  // What always has messages under way has some left at any end.
  const bool endless = command.scenario.pattern == sim::Pattern::kSaturate;
  return endless || report.delivered == report.submitted ? kOk : kFailed;
}

}  // namespace

int run_sim_program(const std::vector<std::string>& arguments) {
  const std::string words = absl::StrCat("sluice-sim ", absl::StrJoin(arguments, " "));
  if (!arguments.empty() && arguments.front() == "faults") {
    return run_faults({arguments.begin() + 1, arguments.end()}, words);
  }
  const auto command = read_sim_command(arguments);
  if (!command.ok()) return fail(kUsage, command.status());
  if (!command->help.empty()) {
    std::fputs(command->help.c_str(), stdout);
    return kOk;
  }
  return run_command(*command, words);
}

}  // namespace sluice::cli
