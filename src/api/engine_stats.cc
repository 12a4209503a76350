// SPDX-License-Identifier: Apache-2.0
//
// What EngineCore counts: the counters of all floors, added up by name.
#include <utility>

#include "api/engine_core.h"
#include "api/stats_collector.h"

namespace sluice::internal {

StatsSnapshot EngineCore::raw_stats(uint32_t node) {
  StatsCollector all;
  for (const engine::LcoreSnapshot& lcore : engine_->lcores()) {
    if (lcore.node != node) continue;
    all.add_all(*lcore.endpoint_stats);
    all.add_all(*lcore.lcore_stats);
  }
  for (const auto& lcore : nodes_[node].lcores) all.add_all(lcore->stats());
  const std::vector<engine::NodeSnapshot> nodes = engine_->nodes();
  if (node < nodes.size()) {
    all.add_all(*nodes[node].control_stats);
    all.add_all(*nodes[node].connector_stats);
  }
  if (const auto faults = engine_->faults(); faults.ok()) {
    for (const engine::FaultSnapshot& fault : *faults) {
      if (fault.node != node) continue;
      for (const auto& [name, value] : fault.counters) all.add(name.c_str(), "", value);
    }
  }
  return all.take(now_ns());
}

StatsSnapshot EngineCore::node_stats(uint32_t node) {
  if (node >= nodes() || !admit().ok()) return {};
  const StatsSnapshot raw = raw_stats(node);
  const std::lock_guard lock(baseline_mutex_);
  return raw.since(baselines_[node]);
}

StatsSnapshot EngineCore::stats() {
  StatsCollector all;
  for (uint32_t node = 0; node < nodes(); ++node) {
    for (const Counter& counter : node_stats(node).counters) {
      if (StatsCollector::is_maximum(counter.name)) {
        all.raise(counter.name.c_str(), counter.help.c_str(), counter.value);
      } else {
        all.add(counter.name.c_str(), counter.help.c_str(), counter.value);
      }
    }
  }
  return all.take(now_ns());
}

LatencySnapshot EngineCore::latency(uint32_t node) {
  LatencySnapshot out;
  auto total = std::make_unique<base::Histogram>();
  for (uint32_t lcore = 0; lcore < lcores(node); ++lcore) {
    on_lcore(*endpoint(node, lcore), [&total](EndpointCore& core) {
      if (core.latency() != nullptr) total->merge(*core.latency());
    }).IgnoreError();
  }
  out.count = total->count();
  out.min_ns = total->min();
  out.p50_ns = total->quantile_ppm(500'000);
  out.p90_ns = total->quantile_ppm(900'000);
  out.p99_ns = total->quantile_ppm(990'000);
  out.p999_ns = total->quantile_ppm(999'000);
  out.max_ns = total->max();
  return out;
}

void EngineCore::clear_stats() {
  if (!admit().ok()) return;
  for (uint32_t node = 0; node < nodes(); ++node) {
    StatsSnapshot now = raw_stats(node);
    {
      const std::lock_guard lock(baseline_mutex_);
      baselines_[node] = std::move(now);
    }
    for (uint32_t lcore = 0; lcore < lcores(node); ++lcore) {
      on_lcore(*endpoint(node, lcore), [](EndpointCore& core) {
        core.clear_latency();
      }).IgnoreError();
    }
  }
  engine_->clear_port_stats().IgnoreError();
}

}  // namespace sluice::internal
