// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/program.h"

int main(int argc, char** argv) {
  return sluice::cli::run_sim_program(std::vector<std::string>(argv + 1, argv + argc));
}
