// SPDX-License-Identifier: Apache-2.0
//
// Lane ports to queues in the device, by rte_flow: the UDP destination port names the lcore.
#include <rte_ethdev.h>
#include <rte_flow.h>

#include "absl/strings/str_cat.h"
#include "engine/eal.h"
#include "engine/port.h"

namespace sluice::engine {
namespace {

// One rule: UDP packets of a family for `udp_port` go to `queue`.
rte_flow* make_rule(uint16_t port, bool v4, uint16_t udp_port, uint16_t queue,
                    rte_flow_error* error) {
  rte_flow_attr attributes{};
  attributes.ingress = 1;
  rte_flow_item_udp udp{};
  rte_flow_item_udp mask{};
  udp.hdr.dst_port = rte_cpu_to_be_16(udp_port);
  mask.hdr.dst_port = UINT16_MAX;
  rte_flow_item pattern[4] = {};
  pattern[0].type = RTE_FLOW_ITEM_TYPE_ETH;
  pattern[1].type = v4 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6;
  pattern[2].type = RTE_FLOW_ITEM_TYPE_UDP;
  pattern[2].spec = &udp;
  pattern[2].mask = &mask;
  pattern[3].type = RTE_FLOW_ITEM_TYPE_END;
  rte_flow_action_queue target{};
  target.index = queue;
  rte_flow_action actions[2] = {};
  actions[0].type = RTE_FLOW_ACTION_TYPE_QUEUE;
  actions[0].conf = &target;
  actions[1].type = RTE_FLOW_ACTION_TYPE_END;
  if (rte_flow_validate(port, &attributes, pattern, actions, error) != 0) return nullptr;
  return rte_flow_create(port, &attributes, pattern, actions, error);
}

}  // namespace

void Port::steer(uint16_t base_port, wire::Encapsulation encapsulation) {
  if (lcores_ == 1) return feature("steering", "none needed", "one lcore");
  if (!config_.offloads) return feature("steering", "software", "offloads are turned off");
  if (encapsulation == wire::Encapsulation::kNative) {
    return feature("steering", "software", "devices do not know the native protocol's ports");
  }
  if (rx_queues_ < lcores_) {
    return feature("steering", "software",
                   absl::StrCat("the device has ", rx_queues_, " receive queues"));
  }
  rte_flow_error error{};
  bool complete = true;
  capture_log([&] {
    for (uint8_t lcore = 0; lcore < lcores_ && complete; ++lcore) {
      for (const IpPrefix& prefix : config_.addresses) {
        rte_flow* flow = make_rule(id_, prefix.address.v4, static_cast<uint16_t>(base_port + lcore),
                                   lcore, &error);
        if (flow != nullptr) flows_.push_back(flow);
        complete = complete && flow != nullptr;
      }
    }
    if (complete) return;
    rte_flow_error ignored{};
    for (rte_flow* flow : flows_) rte_flow_destroy(id_, flow, &ignored);
    flows_.clear();
  });
  if (complete) return feature("steering", "device", "rte_flow rules on the UDP port");
  feature("steering", "software",
          absl::StrCat("the device takes no rte_flow rules",
                       error.message != nullptr ? absl::StrCat(" (", error.message, ")") : ""));
}

}  // namespace sluice::engine
