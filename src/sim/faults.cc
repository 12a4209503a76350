// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.h"

namespace sluice::sim {

FaultState::FaultState(const Topology& topology)
    : topology_(topology),
      failed_links_(topology.links.size()),
      failed_switches_(topology.switches) {}

bool FaultState::apply(const Fault& fault, Fabric* fabric) {
  switch (fault.what) {
    case Fault::What::kChangeRate:
      fabric->set_rate(fault.which, fault.gbps);
      return false;
    case Fault::What::kFailLink:
    case Fault::What::kRestoreLink:
      failed_links_[fault.which] = fault.what == Fault::What::kFailLink;
      return refresh(fault.which, fabric);
    case Fault::What::kFailSwitch:
    case Fault::What::kRestoreSwitch:
      failed_switches_[fault.which] = fault.what == Fault::What::kFailSwitch;
      break;
  }
  bool changed = false;
  const NodeId node = topology_.switch_node(fault.which);
  for (LinkId link = 0; link < topology_.links.size(); ++link) {
    const LinkSpec& spec = topology_.links[link];
    if (spec.a == node || spec.b == node) changed |= refresh(link, fabric);
  }
  return changed;
}

bool FaultState::refresh(LinkId link, Fabric* fabric) {
  const LinkSpec& spec = topology_.links[link];
  return fabric->set_link(link, !failed_links_[link] && !is_failed(spec.a) && !is_failed(spec.b));
}

}  // namespace sluice::sim
