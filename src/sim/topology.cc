// SPDX-License-Identifier: Apache-2.0
#include "sim/topology.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kMicro = 1'000'000;  // Picoseconds.

constexpr absl::string_view kNames[] = {
    "single16-10g",      "single16-100g",          "leafspine144-10g",
    "leafspine144-100g", "leafspine144-100g-soft", "oversub144-100g",
    "oversub4-144-100g", "leafspine144-400g",      "pair-50ms",
};

// HomaSimulation: hostNicSxThink 0.5 us on the way out; the rest of its 1.5 us on the way in.
LeafSpineParameters homa_delays() {
  LeafSpineParameters p;
  p.switch_latency = Picos(kMicro / 4);
  p.host_transmit = Picos(kMicro / 2);
  p.host_receive = Picos(kMicro);
  return p;
}

LeafSpineParameters sird_delays() {
  LeafSpineParameters p;
  p.host_gbps = 100;
  p.fabric_gbps = 400;
  p.host_link_delay = Picos(kMicro * 5 / 4);
  p.fabric_link_delay = Picos(kMicro / 2);
  p.host_receive = Picos(kMicro / 10);
  return p;
}

Topology one_switch_of(absl::string_view name, const LeafSpineParameters& p) {
  return single_switch(name, {.gbps = p.host_gbps,
                              .link_delay = p.host_link_delay,
                              .switch_latency = p.switch_latency,
                              .host_transmit = p.host_transmit,
                              .host_receive = p.host_receive});
}

absl::Status check_link(const Topology& t, size_t index, std::vector<uint32_t>* degree) {
  const LinkSpec& link = t.links[index];
  const NodeId nodes = t.hosts + t.switches;
  if (link.a >= nodes || link.b >= nodes || link.a == link.b) {
    return absl::InvalidArgumentError(absl::StrCat("links[", index, "]: joins nodes ", link.a,
                                                   " and ", link.b, ": two different nodes below ",
                                                   nodes, " are needed"));
  }
  if (t.is_host(link.a) && t.is_host(link.b)) {
    return absl::InvalidArgumentError(
        absl::StrCat("links[", index, "]: joins two hosts: put a switch between them"));
  }
  if (!is_exact_rate(link.gbps)) {
    return absl::InvalidArgumentError(
        absl::StrCat("links[", index, "].gbps: a byte at ", link.gbps,
                     " Gb/s is no whole number of picoseconds: take 10, 25, 40, 50, 100, 200, 400 "
                     "or 800"));
  }
  ++(*degree)[link.a];
  ++(*degree)[link.b];
  return absl::OkStatus();
}

struct Neighbour {
  NodeId node = 0;
  LinkId link = 0;
};

std::vector<std::vector<Neighbour>> neighbours_of(const Topology& topology) {
  std::vector<std::vector<Neighbour>> result(topology.hosts + topology.switches);
  for (LinkId l = 0; l < topology.links.size(); ++l) {
    result[topology.links[l].a].push_back({topology.links[l].b, l});
    result[topology.links[l].b].push_back({topology.links[l].a, l});
  }
  return result;
}

// Hops from every node to `root`, UINT32_MAX where there is no way; hosts pass nothing on.
std::vector<uint32_t> distances(const Topology& topology,
                                const std::vector<std::vector<Neighbour>>& neighbours,
                                NodeId root) {
  std::vector<uint32_t> distance(neighbours.size(), UINT32_MAX);
  std::vector<NodeId> reached = {root};
  distance[root] = 0;
  for (size_t i = 0; i < reached.size(); ++i) {
    const NodeId node = reached[i];
    if (node != root && topology.is_host(node)) continue;
    for (const Neighbour& next : neighbours[node]) {
      if (distance[next.node] != UINT32_MAX) continue;
      distance[next.node] = distance[node] + 1;
      reached.push_back(next.node);
    }
  }
  return distance;
}

}  // namespace

Topology single_switch(absl::string_view name, const SingleParameters& p) {
  Topology t;
  t.name = std::string(name);
  t.hosts = p.hosts;
  t.switches = 1;
  t.switch_latency = p.switch_latency;
  t.host_transmit = p.host_transmit;
  t.host_receive = p.host_receive;
  for (uint32_t h = 0; h < p.hosts; ++h) {
    t.links.push_back({h, t.switch_node(0), p.gbps, p.link_delay});
  }
  return t;
}

Topology leaf_spine(absl::string_view name, const LeafSpineParameters& p) {
  Topology t;
  t.name = std::string(name);
  t.hosts = p.racks * p.hosts_per_rack;
  t.switches = p.racks + p.spines;
  t.switch_latency = p.switch_latency;
  t.host_transmit = p.host_transmit;
  t.host_receive = p.host_receive;
  for (uint32_t h = 0; h < t.hosts; ++h) {
    t.links.push_back({h, t.switch_node(h / p.hosts_per_rack), p.host_gbps, p.host_link_delay});
  }
  for (uint32_t rack = 0; rack < p.racks; ++rack) {
    for (uint32_t spine = 0; spine < p.spines; ++spine) {
      t.links.push_back({t.switch_node(rack), t.switch_node(p.racks + spine), p.fabric_gbps,
                         p.fabric_link_delay});
    }
  }
  return t;
}

absl::StatusOr<Topology> topology_named(absl::string_view name) {
  if (name == "single16-10g") return one_switch_of(name, homa_delays());
  if (name == "single16-100g") return one_switch_of(name, sird_delays());
  if (name == "leafspine144-10g") return leaf_spine(name, homa_delays());
  LeafSpineParameters p = sird_delays();
  if (name == "leafspine144-100g") return leaf_spine(name, p);
  if (name == "leafspine144-100g-soft") {
    p.host_receive = Picos(5 * kMicro);
    return leaf_spine(name, p);
  }
  if (name == "oversub144-100g") {
    p.fabric_gbps = 200;
    return leaf_spine(name, p);
  }
  if (name == "oversub4-144-100g") {
    p.fabric_gbps = 200;
    p.spines = 2;
    return leaf_spine(name, p);
  }
  if (name == "leafspine144-400g") {
    p.fabric_gbps = 800;
    p.spines = 8;
    p.host_gbps = 400;
    p.host_link_delay = p.fabric_link_delay = Picos(kMicro);
    return leaf_spine(name, p);
  }
  if (name == "pair-50ms") {
    SingleParameters pair;
    pair.hosts = 2;
    pair.gbps = 100;
    pair.link_delay = Picos(12'500 * kMicro);
    return single_switch(name, pair);
  }
  std::string choices;
  for (const absl::string_view known : kNames) {
    absl::StrAppend(&choices, choices.empty() ? "" : ", ", known);
  }
  return absl::InvalidArgumentError(absl::StrCat("no topology '", name, "': choose ", choices));
}

std::span<const absl::string_view> topology_names() { return kNames; }

absl::Status validate(const Topology& t) {
  if (t.hosts == 0 || t.hosts > kMaxHosts) {
    return absl::InvalidArgumentError(
        absl::StrCat("hosts: ", t.hosts, " hosts: 1 to ", kMaxHosts, " are possible"));
  }
  if (t.switches == 0 || t.switches > kMaxSwitches) {
    return absl::InvalidArgumentError(
        absl::StrCat("switches: ", t.switches, " switches: 1 to ", kMaxSwitches, " are possible"));
  }
  std::vector<uint32_t> degree(t.hosts + t.switches);
  for (size_t l = 0; l < t.links.size(); ++l) {
    if (absl::Status status = check_link(t, l, &degree); !status.ok()) return status;
  }
  for (uint32_t h = 0; h < t.hosts; ++h) {
    if (degree[h] != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("links: host ", h, " has ", degree[h], " links: give it exactly one"));
    }
  }
  const auto distance = distances(t, neighbours_of(t), 0);
  for (uint32_t h = 0; h < t.hosts; ++h) {
    if (distance[h] == UINT32_MAX) {
      return absl::InvalidArgumentError(
          absl::StrCat("links: host 0 cannot reach host ", h, ": join their switches"));
    }
  }
  return absl::OkStatus();
}

std::optional<LinkId> link_between(const Topology& topology, NodeId a, NodeId b) {
  for (LinkId l = 0; l < topology.links.size(); ++l) {
    const LinkSpec& link = topology.links[l];
    if ((link.a == a && link.b == b) || (link.a == b && link.b == a)) return l;
  }
  return std::nullopt;
}

std::vector<PathHop> path_between(const Topology& topology, uint32_t src, uint32_t dst) {
  const auto neighbours = neighbours_of(topology);
  const auto distance = distances(topology, neighbours, dst);
  std::vector<PathHop> path;
  for (NodeId node = src; node != dst;) {
    const auto next =
        std::find_if(neighbours[node].begin(), neighbours[node].end(),
                     [&](const Neighbour& n) { return distance[n.node] == distance[node] - 1; });
    SLUICE_CHECK(next != neighbours[node].end());
    const LinkSpec& link = topology.links[next->link];
    PathHop hop{picos_per_byte(link.gbps), link.delay};
    if (node == src) hop.after += topology.host_transmit;
    hop.after += next->node == dst ? topology.host_receive : topology.switch_latency;
    path.push_back(hop);
    node = next->node;
  }
  return path;
}

Picos unloaded_packet(std::span<const PathHop> path, uint32_t wire_bytes) {
  Picos time;
  for (const PathHop& hop : path) {
    time += Picos(uint64_t{hop.picos_per_byte} * wire_bytes) + hop.after;
  }
  return time;
}

Picos unloaded_message(std::span<const PathHop> path, uint64_t full, uint32_t full_bytes,
                       uint32_t last_bytes) {
  // Per hop: when the last full packet has left the hop's port, and when the last packet is where
  // the hop ends. The slowest link so far spaces the full packets out.
  Picos lead;  // When the first full packet is where the hop ends.
  uint64_t slowest = 0;
  Picos last;
  for (const PathHop& hop : path) {
    const Picos serialisation(uint64_t{hop.picos_per_byte} * full_bytes);
    slowest = std::max(slowest, serialisation.value());
    const Picos left = full == 0 ? Picos() : lead + serialisation + Picos((full - 1) * slowest);
    lead += serialisation + hop.after;
    last = std::max(last, left) + Picos(uint64_t{hop.picos_per_byte} * last_bytes) + hop.after;
  }
  return last;
}

}  // namespace sluice::sim
