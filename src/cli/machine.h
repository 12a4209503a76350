// SPDX-License-Identifier: Apache-2.0
//
// What the kernel says about this machine and this process.
#ifndef SLUICE_CLI_MACHINE_H_
#define SLUICE_CLI_MACHINE_H_

#include <cstdint>
#include <string>

namespace sluice::cli {

struct Machine {
  std::string cpu;     // The model's name.
  uint32_t cores = 0;  // That this process may run on.
  uint64_t memory_mb = 0;
  uint64_t huge_pages = 0;  // Free ones, of the default size.
  std::string kernel;
};

Machine read_machine();
// "2 cores of AMD EPYC 9B45, 16,000 MB, 0 huge pages free, Linux 6.1.0".
std::string machine_text(const Machine& machine);

// Bytes of memory that this process holds: resident pages and huge pages.
uint64_t resident_bytes();

}  // namespace sluice::cli

#endif  // SLUICE_CLI_MACHINE_H_
