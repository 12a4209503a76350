// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_STATS_COLLECTOR_H_
#define SLUICE_API_STATS_COLLECTOR_H_

#include <cstdint>
#include <string>
#include <unordered_map>

#include "sluice/stats.h"

namespace sluice::internal {

// Adds up counters by name, in the order in which the names first came.
class StatsCollector {
 public:
  void add(const char* name, const char* help, uint64_t value);
  // For figures that are a maximum and not a sum.
  void raise(const char* name, const char* help, uint64_t value);

  // Everything that `stats` (of any module, by its for_each_counter) counts.
  template <class Stats>
  void add_all(const Stats& stats) {
    for_each_counter(stats, [this](const char* name, const char* help, uint64_t value) {
      if (is_maximum(name)) {
        raise(name, help, value);
      } else {
        add(name, help, value);
      }
    });
  }

  static bool is_maximum(const std::string& name);
  StatsSnapshot take(uint64_t time_ns);

 private:
  Counter& find(const char* name, const char* help);

  StatsSnapshot snapshot_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace sluice::internal

#endif  // SLUICE_API_STATS_COLLECTOR_H_
