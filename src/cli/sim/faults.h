// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_SIM_FAULTS_H_
#define SLUICE_CLI_SIM_FAULTS_H_

#include <string>
#include <vector>

namespace sluice::cli {

// `sluice-sim faults`: runs the fault machine for a range of seeds and prints how often each kind
// of fault came. Ends at the first seed that breaks a promise, and says which. Exit status: 0 all
// kept, 1 one broken, 2 the arguments are not understood.
int run_faults(const std::vector<std::string>& arguments, const std::string& words);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SIM_FAULTS_H_
