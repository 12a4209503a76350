// SPDX-License-Identifier: Apache-2.0
#include "api/stats_collector.h"

#include <algorithm>
#include <utility>

namespace sluice::internal {

bool StatsCollector::is_maximum(const std::string& name) {
  return name.find("longest") != std::string::npos;
}

Counter& StatsCollector::find(const char* name, const char* help) {
  const auto [place, fresh] = index_.try_emplace(name, snapshot_.counters.size());
  if (fresh) snapshot_.counters.push_back({name, help, 0});
  return snapshot_.counters[place->second];
}

void StatsCollector::add(const char* name, const char* help, uint64_t value) {
  find(name, help).value += value;
}

void StatsCollector::raise(const char* name, const char* help, uint64_t value) {
  Counter& counter = find(name, help);
  counter.value = std::max(counter.value, value);
}

StatsSnapshot StatsCollector::take(uint64_t time_ns) {
  snapshot_.time_ns = time_ns;
  index_.clear();
  return std::exchange(snapshot_, StatsSnapshot());
}

}  // namespace sluice::internal
