// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_STATS_H_
#define SLUICE_STATS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/export.h"

namespace sluice {

// One counter. The names are stable ("rpc.completed", "packets.retransmitted", "dropped.tag", ...)
// and README.md lists them.
struct Counter {
  std::string name;
  std::string help;
  uint64_t value = 0;
};

// Counters at one moment, from Engine::stats(). They were read one by one while the lcores went on.
struct SLUICE_EXPORT StatsSnapshot {
  uint64_t time_ns = 0;  // The engine's monotonic clock.
  std::vector<Counter> counters;

  // The value of a counter, 0 when there is none of that name.
  uint64_t value(std::string_view name) const;

  // What was counted since `earlier`, counter by counter.
  StatsSnapshot since(const StatsSnapshot& earlier) const;
};

// The round-trip times of calls, from acceptance to completion, in nanoseconds; at most 1/64 too
// high. Calls that ended with kOk only.
struct LatencySnapshot {
  uint64_t count = 0;
  uint64_t min_ns = 0;
  uint64_t p50_ns = 0;
  uint64_t p90_ns = 0;
  uint64_t p99_ns = 0;
  uint64_t p999_ns = 0;
  uint64_t max_ns = 0;
};

// One port as DPDK sees it, since the start or Engine::clear_stats().
struct PortInfo {
  uint32_t port = 0;  // Index among the node's ports.
  std::string name;
  std::string driver;
  std::string mac;
  uint32_t node = 0;
  bool link_up = false;
  uint32_t mtu = 0;     // Bytes of an IP packet.
  uint16_t queues = 0;  // Queue pairs in use.
  uint64_t rx_packets = 0;
  uint64_t rx_bytes = 0;
  uint64_t rx_missed = 0;
  uint64_t rx_errors = 0;
  uint64_t rx_no_buffer = 0;
  uint64_t tx_packets = 0;
  uint64_t tx_bytes = 0;
  uint64_t tx_errors = 0;
  std::vector<Counter> extended;  // By the device's own names, without help.
};

}  // namespace sluice

#endif  // SLUICE_STATS_H_
