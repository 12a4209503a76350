// SPDX-License-Identifier: Apache-2.0
//
// What one seed stands for: two configurations, and which faults come how often.
#ifndef SLUICE_SIM_FAULT_PLAN_H_
#define SLUICE_SIM_FAULT_PLAN_H_

#include <array>
#include <cstdint>

#include "base/types.h"
#include "sim/fault_kinds.h"
#include "transport/config.h"

namespace sluice::sim {

struct FaultPlan {
  uint64_t seed = 0;
  std::array<transport::EndpointConfig, 2> config;
  // Of each kind: per million packets for what happens to packets, per million opportunities for
  // what applications do, and how often in the whole run for the rest. 0: not in this run.
  std::array<uint32_t, kFaultKinds> rate{};
  uint32_t calls = 0;             // That each side makes at most.
  uint32_t longest_message = 0;   // Bytes.
  uint32_t outstanding = 0;       // Calls of a side under way at most.
  base::Nanos delay;              // Of the path, one way.
  uint32_t one_way_percent = 25;  // Of the calls.
  // Contexts of each side's port, which seals records as far as they go; 0: the CPU does.
  std::array<uint32_t, 2> contexts{};
  uint32_t burst = 1;  // Packets that a host takes at a time at most.
  base::Nanos chaos;   // Faults come for this long; then all is mended,
  base::Nanos calm;    // and calls go on for this long.

  // One side asks for it, so both pad.
  bool padded() const { return config[0].padding || config[1].padding; }
  // Both sides send and take ESP, sealed by the CPU.
  bool esp() const { return config[0].esp && config[1].esp; }
  uint32_t rate_of(FaultKind kind) const { return rate[static_cast<size_t>(kind)]; }
};

// The plan of a seed. Any seed is good.
FaultPlan fault_plan(uint64_t seed);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULT_PLAN_H_
