// SPDX-License-Identifier: Apache-2.0
#include "sim/least_time.h"

#include <algorithm>
#include <vector>

namespace sluice::sim {
namespace {

constexpr uint64_t kPicosPerByteAtOneGbps = 8000;

// Links that lie between some hosts and all others, in one direction.
struct Cut {
  uint64_t gbps = 0;
  uint64_t bytes = 0;              // Wire time of what has to cross it.
  Picos least_way = Picos::max();  // Of one packet that does, beside serialisation.

  void carry(uint64_t more, Picos way) {
    bytes += more;
    least_way = std::min(least_way, way);
  }
  Picos time() const {
    return bytes == 0 ? Picos() : picos(bytes * kPicosPerByteAtOneGbps / gbps) + least_way;
  }
};

struct Cuts {
  Cut out;
  Cut in;
};

}  // namespace

Picos least_time(const Topology& topology, const Packetisation& packets,
                 std::span<const MessageRecord> messages) {
  std::vector<Cuts> cuts(topology.hosts + topology.switches);  // Of a host, or of a leaf's hosts.
  std::vector<NodeId> leaf(topology.hosts);
  for (const LinkSpec& link : topology.links) {
    const bool host_link = topology.is_host(link.a) || topology.is_host(link.b);
    for (const auto& [node, other] : {std::pair(link.a, link.b), std::pair(link.b, link.a)}) {
      if (topology.is_host(node)) leaf[node] = other;
      if (host_link && !topology.is_host(node)) continue;
      cuts[node].out.gbps += link.gbps;
      cuts[node].in.gbps += link.gbps;
    }
  }
  for (const MessageRecord& message : messages) {
    const uint64_t bytes = packets.wire_bytes(message.size);
    Picos way;
    for (const PathHop& hop : path_between(topology, message.src, message.dst)) way += hop.after;
    cuts[message.src].out.carry(bytes, way);
    cuts[message.dst].in.carry(bytes, way);
    if (leaf[message.src] == leaf[message.dst]) continue;
    cuts[leaf[message.src]].out.carry(bytes, way);
    cuts[leaf[message.dst]].in.carry(bytes, way);
  }
  Picos least;
  for (const Cuts& each : cuts) least = std::max({least, each.out.time(), each.in.time()});
  return least;
}

}  // namespace sluice::sim
