// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_FAULTS_H_
#define SLUICE_SIM_FAULTS_H_

#include <cstdint>
#include <vector>

#include "sim/fabric.h"
#include "sim/topology.h"

namespace sluice::sim {

// One thing that goes wrong, or is mended.
struct Fault {
  enum class What : uint8_t {
    kFailLink,
    kRestoreLink,
    kChangeRate,
    kFailSwitch,
    kRestoreSwitch,
  };
  What what = What::kFailLink;
  uint32_t which = 0;  // Link, or switch index.
  uint32_t gbps = 0;   // For kChangeRate.
};

// What has failed so far. A link works if it has not failed itself and the switches at its ends
// work.
class FaultState {
 public:
  explicit FaultState(const Topology& topology);

  // Applies one to the fabric; true if a link went down or came up by it.
  bool apply(const Fault& fault, Fabric* fabric);

 private:
  bool refresh(LinkId link, Fabric* fabric);
  bool is_failed(NodeId node) const {
    return node >= topology_.hosts && failed_switches_[node - topology_.hosts];
  }

  const Topology& topology_;
  std::vector<bool> failed_links_;
  std::vector<bool> failed_switches_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULTS_H_
