// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_ROUTER_H_
#define SLUICE_SIM_ROUTER_H_

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "sim/network_config.h"
#include "sim/packet_pool.h"
#include "sim/random.h"
#include "sim/topology.h"

namespace sluice::sim {

// Names one direction of a link: 2 * link is the port at its end `a`, 2 * link + 1 that at `b`.
using PortId = uint32_t;
inline constexpr PortId kNoPort = UINT32_MAX;

// Knows for every switch and destination which ports are on a shortest way, and picks one of them.
class Router {
 public:
  Router(const Topology& topology, Routing routing, uint64_t seed);

  // Works the ways out anew over the links that are up; the choice among them goes on as before.
  void recompute(const std::vector<bool>& link_is_up);

  // The port by which the switch sends this packet on; kNoPort when no way is known.
  PortId choose(uint32_t switch_index, const Packet& packet) {
    const Ways ways = ways_[static_cast<size_t>(switch_index) * hosts_ + packet.dst];
    if (ways.count == 1) return ports_[ways.first];
    if (ways.count == 0) return kNoPort;
    return ports_[ways.first + pick(switch_index, packet, ways.count)];
  }

 private:
  // ports_[first] to ports_[first + count - 1], ascending.
  struct Ways {
    uint32_t first = 0;
    uint32_t count = 0;
  };
  struct Chooser {
    Random spray;
    uint64_t spare = 0;  // The half of a random number that is left, with a 1 above it.
    uint64_t salt = 0;
    uint32_t turn = 0;
  };
  struct Edge {
    NodeId peer = 0;
    PortId port = 0;
  };

  uint32_t pick(uint32_t switch_index, const Packet& packet, uint32_t count) {
    Chooser& chooser = choosers_[switch_index];
    uint64_t word = 0;  // 32 bits, as likely as any.
    const bool by_flow = routing_ == Routing::kEcmp || packet.keeps_path;
    if (routing_ == Routing::kSpray && !by_flow) {
      if (chooser.spare == 0) {
        const uint64_t both = chooser.spray.next();
        chooser.spare = (both >> 32) | 1ull << 32;
        word = both & UINT32_MAX;
      } else {
        word = chooser.spare & UINT32_MAX;
        chooser.spare = 0;
      }
    } else if (by_flow) {
      const uint64_t flow =
          uint64_t{packet.src} << 32 | uint64_t{packet.dst} << 16 | packet.entropy;
      word = base::mix64(flow, chooser.salt) >> 32;
    } else {
      return chooser.turn++ % count;
    }
    return static_cast<uint32_t>(word * count >> 32);
  }
  void find_ways(uint32_t dst, const std::vector<bool>& link_is_up);
  void add_ways(uint32_t switch_index, uint32_t dst, const std::vector<bool>& link_is_up);

  uint32_t hosts_;
  uint32_t switches_;
  Routing routing_;
  std::vector<std::vector<Edge>> edges_;  // Of each node, by link.
  std::vector<Chooser> choosers_;         // Of each switch.
  std::vector<Ways> ways_;                // [switch * hosts + destination]
  std::vector<PortId> ports_;
  // Hops to the destination that find_ways() is at, by node; and the order of discovery.
  std::vector<uint32_t> distance_;
  std::vector<NodeId> reached_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_ROUTER_H_
