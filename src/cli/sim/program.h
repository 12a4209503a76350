// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_SIM_PROGRAM_H_
#define SLUICE_CLI_SIM_PROGRAM_H_

#include <string>
#include <vector>

namespace sluice::cli {

// The `sluice-sim` program: runs what the arguments ask for, prints it, and returns the exit
// status: 0 done, 1 failed, 2 not understood (nothing is written then).
int run_sim_program(const std::vector<std::string>& arguments);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SIM_PROGRAM_H_
