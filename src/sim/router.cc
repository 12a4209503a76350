// SPDX-License-Identifier: Apache-2.0
#include "sim/router.h"

#include <algorithm>

namespace sluice::sim {

Router::Router(const Topology& topology, Routing routing, uint64_t seed)
    : hosts_(topology.hosts),
      switches_(topology.switches),
      routing_(routing),
      edges_(topology.hosts + topology.switches),
      ways_(static_cast<size_t>(topology.hosts) * topology.switches),
      distance_(topology.hosts + topology.switches) {
  for (LinkId l = 0; l < topology.links.size(); ++l) {
    edges_[topology.links[l].a].push_back({topology.links[l].b, 2 * l});
    edges_[topology.links[l].b].push_back({topology.links[l].a, 2 * l + 1});
  }
  for (uint32_t s = 0; s < switches_; ++s) {
    const uint64_t salt = Random(seed, Stream::kEcmp, s).next();
    choosers_.push_back({Random(seed, Stream::kSpray, s), 0, salt, 0});
  }
  recompute(std::vector<bool>(topology.links.size(), true));
}

void Router::recompute(const std::vector<bool>& link_is_up) {
  ports_.clear();
  for (uint32_t dst = 0; dst < hosts_; ++dst) find_ways(dst, link_is_up);
}

// Breadth first from the destination; only switches pass packets on.
void Router::find_ways(uint32_t dst, const std::vector<bool>& link_is_up) {
  std::fill(distance_.begin(), distance_.end(), UINT32_MAX);
  reached_.assign(1, dst);
  distance_[dst] = 0;
  for (size_t i = 0; i < reached_.size(); ++i) {
    const NodeId node = reached_[i];
    if (node < hosts_ && node != dst) continue;
    for (const Edge& edge : edges_[node]) {
      if (!link_is_up[edge.port / 2] || distance_[edge.peer] != UINT32_MAX) continue;
      distance_[edge.peer] = distance_[node] + 1;
      reached_.push_back(edge.peer);
    }
  }
  for (uint32_t s = 0; s < switches_; ++s) add_ways(s, dst, link_is_up);
}

void Router::add_ways(uint32_t switch_index, uint32_t dst, const std::vector<bool>& link_is_up) {
  Ways ways{static_cast<uint32_t>(ports_.size()), 0};
  const NodeId node = hosts_ + switch_index;
  if (distance_[node] != UINT32_MAX) {
    for (const Edge& edge : edges_[node]) {
      const bool passes_on = edge.peer == dst || edge.peer >= hosts_;
      if (passes_on && link_is_up[edge.port / 2] && distance_[edge.peer] + 1 == distance_[node]) {
        ports_.push_back(edge.port);
        ++ways.count;
      }
    }
  }
  Ways* mine = &ways_[static_cast<size_t>(switch_index) * hosts_ + dst];
  *mine = ways;
  // Neighbouring destinations share most ways; kept once, they stay in the cache.
  if (dst > 0 && mine[-1].count == ways.count &&
      std::equal(ports_.begin() + ways.first, ports_.end(), ports_.begin() + mine[-1].first)) {
    ports_.resize(ways.first);
    mine->first = mine[-1].first;
  }
}

}  // namespace sluice::sim
