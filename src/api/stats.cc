// SPDX-License-Identifier: Apache-2.0
#include "sluice/stats.h"

#include "api/stats_collector.h"

namespace sluice {

uint64_t StatsSnapshot::value(std::string_view name) const {
  for (const Counter& counter : counters) {
    if (counter.name == name) return counter.value;
  }
  return 0;
}

// Two snapshots of one engine list the same counters in the same order as a rule; a counter that
// came later counts from zero. A maximum stays as it is: there is no difference to take.
StatsSnapshot StatsSnapshot::since(const StatsSnapshot& earlier) const {
  StatsSnapshot out = *this;
  for (size_t i = 0; i < out.counters.size(); ++i) {
    Counter& counter = out.counters[i];
    if (internal::StatsCollector::is_maximum(counter.name)) continue;
    const bool aligned = i < earlier.counters.size() && earlier.counters[i].name == counter.name;
    const uint64_t before = aligned ? earlier.counters[i].value : earlier.value(counter.name);
    counter.value -= before < counter.value ? before : counter.value;
  }
  return out;
}

}  // namespace sluice
