// SPDX-License-Identifier: Apache-2.0
//
// What a simulated network is made of: a plain description, and the descriptions with names.
#ifndef SLUICE_SIM_TOPOLOGY_H_
#define SLUICE_SIM_TOPOLOGY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/time.h"

namespace sluice::sim {

// Hosts come first: node h is host h, node hosts + s is switch s.
using NodeId = uint32_t;
using LinkId = uint32_t;

// A cable: the same rate and delay in both directions.
struct LinkSpec {
  NodeId a = 0;
  NodeId b = 0;
  uint32_t gbps = 100;  // One with is_exact_rate().
  Picos delay;          // Of propagation, one way.
};

struct Topology {
  std::string name;
  uint32_t hosts = 0;     // 1 to kMaxHosts; each has exactly one link.
  uint32_t switches = 0;  // Node hosts + s.
  std::vector<LinkSpec> links;
  Picos switch_latency;  // From the last bit in to the place in the output queue.
  Picos host_transmit;   // From the ring's end to the first bit on the wire, beside serialisation.
  Picos host_receive;    // The turn-around: from the last bit in to HostPort::on_packet().

  NodeId switch_node(uint32_t index) const { return hosts + index; }
  bool is_host(NodeId node) const { return node < hosts; }
};

inline constexpr uint32_t kMaxHosts = 65535;
inline constexpr uint32_t kMaxSwitches = 4096;

// One switch. Total delay of a packet between two hosts: host_transmit + 2 serialisations and
// delays + switch_latency + host_receive.
struct SingleParameters {
  uint32_t hosts = 16;
  uint32_t gbps = 10;
  Picos link_delay;
  Picos switch_latency;
  Picos host_transmit;
  Picos host_receive;
};
Topology single_switch(absl::string_view name, const SingleParameters& parameters);

// Racks of hosts under one leaf (ToR) switch each, and spines that join all leaves. Host h sits in
// rack h / hosts_per_rack; switches 0 to racks - 1 are the leaves, the spines follow; links 0 to
// hosts - 1 are the hosts' in order, then come each leaf's links to spine 0, 1, ... in order.
struct LeafSpineParameters {
  uint32_t racks = 9;
  uint32_t hosts_per_rack = 16;
  uint32_t spines = 4;
  uint32_t host_gbps = 10;
  uint32_t fabric_gbps = 40;
  Picos host_link_delay;
  Picos fabric_link_delay;
  Picos switch_latency;
  Picos host_transmit;
  Picos host_receive;
};
Topology leaf_spine(absl::string_view name, const LeafSpineParameters& parameters);

// The named topologies. RTT: a 1538-byte frame there, an 84-byte frame back, nothing else going on.
//   single16-10g           16 hosts, one switch, 10 Gb/s, the delays of leafspine144-10g
//   single16-100g          the same at 100 Gb/s, the delays of leafspine144-100g
//   leafspine144-10g       9 x 16 hosts, 4 spines, 10/40 Gb/s; the delays of PlatformLab's
//                          HomaSimulation: links 0, switches 0.25 us, hosts 1.5 us per one way.
//                          RTT 7.75 us between racks
//   leafspine144-100g      100/400 Gb/s; the delays of SIRD (NSDI'25) in its ns-2 configuration:
//                          host links 1.25 us, fabric 0.5 us; a turn-around of 0.1 us.
//                          RTT 5.5 us in a rack, 7.5 us between racks
//   leafspine144-100g-soft the same with a turn-around of 5 us: RTT 15.3 and 17.3 us
//   oversub144-100g        uplinks of 4 x 200 Gb/s for 16 x 100 Gb/s: oversubscribed 2:1
//   oversub4-144-100g      uplinks of 2 x 200 Gb/s: 4:1
//   leafspine144-400g      400 Gb/s, 8 spines, every link 1 us: the links of the Ultra Ethernet
//                          Consortium's htsim cases, with fewer hosts. RTT 8.3 us between racks
//   pair-50ms              2 hosts, 100 Gb/s, RTT 50 ms
// An unknown name gives one line that lists the choices.
absl::StatusOr<Topology> topology_named(absl::string_view name);
std::span<const absl::string_view> topology_names();

// OK, or one line that says which field cannot be and what would do: rates that are not exact, a
// host without its one link, a host that another cannot reach.
absl::Status validate(const Topology& topology);

// The link between two nodes, the first when there are several.
std::optional<LinkId> link_between(const Topology& topology, NodeId a, NodeId b);

// One hop of a path: what a packet of n bytes takes for it is n * picos_per_byte + after.
struct PathHop {
  uint32_t picos_per_byte = 0;
  Picos after;  // Propagation and what the node at its end takes.
};

// A shortest path between two hosts, the first in the order of links. `topology` is valid.
// host_transmit is counted with the first hop.
std::vector<PathHop> path_between(const Topology& topology, uint32_t src, uint32_t dst);

// The time from send() to on_packet() of one packet when nothing else is in the network.
Picos unloaded_packet(std::span<const PathHop> path, uint32_t wire_bytes);

// The same for a message of `full` packets of `full_bytes` each and then one of `last_bytes` (none
// when 0), sent back to back: until its last packet is delivered. Exact for store and forward: the
// full packets form a pipeline, and the last one follows f(h) = max(f(h-1), g(h)) + its
// serialisation, where g(h) is when the packet before it has left hop h.
Picos unloaded_message(std::span<const PathHop> path, uint64_t full, uint32_t full_bytes,
                       uint32_t last_bytes);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TOPOLOGY_H_
