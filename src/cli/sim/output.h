// SPDX-License-Identifier: Apache-2.0
//
// A simulator's report for people and for machines.
#ifndef SLUICE_CLI_SIM_OUTPUT_H_
#define SLUICE_CLI_SIM_OUTPUT_H_

#include <string>

#include "cli/json_report.h"
#include "sim/report.h"
#include "sim/scenario.h"

namespace sluice::cli {

// One line: what was simulated.
std::string scenario_text(const sim::Scenario& scenario, const sim::Plan& plan);
// The tables of a run.
std::string sim_report_text(const sim::Report& report);
// The same in the project's common form; metric names are listed in README.md.
void add_sim_report(const sim::Report& report, JsonReport* json);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SIM_OUTPUT_H_
