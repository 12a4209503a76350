// SPDX-License-Identifier: Apache-2.0
//
// What DPDK's environment is to be started with, worked out from the configuration, the needs of
// the first engine and the machine. Pure functions, but for read_machine().
#ifndef SLUICE_ENGINE_EAL_ARGUMENTS_H_
#define SLUICE_ENGINE_EAL_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/config.h"
#include "engine/report.h"

namespace sluice::engine {

// Polling lcores of a process, at most: DPDK's own limit less the control thread's.
inline constexpr uint32_t kMaxPollingLcores = 127;

// What the first engine of the process needs.
struct EalNeeds {
  uint32_t memory_mb = 64;
  uint32_t lcores = 1;
  bool pinned = false;  // Give each lcore a CPU of its own even where the kernel has a choice.
  bool pci = false;     // A PCI device is asked for.
  bool shared_memory = false;
};

// What the machine has.
struct Machine {
  std::vector<uint32_t> cpus;  // That this process may run on.
  uint32_t available_mb = 0;   // Memory that can be had without swapping.
  uint32_t free_huge_mb = 0;   // In huge pages that this process can map.
  uint32_t process_id = 0;
};

struct EalPlan {
  std::vector<std::string> arguments;  // Without a program name.
  std::string file_prefix;             // The one in the arguments.
  bool own_prefix = false;             // It is ours, so its runtime directory is too.
  bool huge_pages = false;
  uint32_t memory_mb = 0;
  std::vector<ReportLine> report;
};

// `huge_needed_mb` is what to probe huge pages for.
Machine read_machine(uint32_t huge_needed_mb);

// InvalidArgument, ResourceExhausted or FailedPrecondition with one line saying what to change.
absl::StatusOr<EalPlan> plan_eal(const EalConfig& config, const EalNeeds& needs,
                                 const Machine& machine);

// "0-3,8" for {0, 1, 2, 3, 8}; "none" for nothing.
std::string format_cpu_list(const std::vector<uint32_t>& cpus);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_EAL_ARGUMENTS_H_
