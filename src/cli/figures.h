// SPDX-License-Identifier: Apache-2.0
//
// From what was counted to the figures that are printed and written, under their stable names.
#ifndef SLUICE_CLI_FIGURES_H_
#define SLUICE_CLI_FIGURES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/workload.h"
#include "cli/caller.h"
#include "cli/json_report.h"
#include "sluice/session.h"
#include "sluice/stats.h"

namespace sluice::cli {

// One stretch of RPCs, over all lcores.
struct RpcFigures {
  std::string phase;  // Label of every result; empty: none.
  base::Workload workload = base::Workload::fixed(64);
  uint64_t outstanding = 0;  // Over all lcores.
  CallerResults results;
  uint64_t served_corrupt = 0;  // Wrong requests that the serving side of this process saw.
  StatsSnapshot counted;        // Of the engine, in that time.

  double seconds() const;
  double rate() const;            // Completed RPCs per second.
  double goodput() const;         // Bits per second of messages, both directions.
  double beside_goodput() const;  // Bits per second of the messages beside the others.
  uint64_t corrupt() const;
};

struct FileFigures {
  std::string phase;
  uint64_t bytes = 0;
  uint64_t nanos = 0;
  bool match = false;  // SHA-256 of what was sent and of what arrived.
  StatsSnapshot counted;

  double goodput() const;  // Bits per second.
};

// Adds rpc.*, goodput and the counters.
void add_figures(const RpcFigures& figures, JsonReport* json);
// Adds file.*.
void add_figures(const FileFigures& figures, JsonReport* json);
// Adds session.peer for each session, with who it is with.
void add_sessions(const std::vector<SessionInfo>& sessions, JsonReport* json);
// Adds packets.*, control.*, faults.* and the like from counters.
void add_counters(const StatsSnapshot& counted, const std::string& phase, JsonReport* json);

// "12,345 RPCs completed, 0 failed, 0 corrupt ..." and a table of latencies by size.
std::string rpc_text(const RpcFigures& figures);
std::string file_text(const FileFigures& figures);
// "3 unavailable, 1 closed": what failed, by status.
std::string failures_text(const CallerResults& results);

// "12 packets received; dropped: 3 replay, 9 unknown_session": by cause, those that there were.
std::string arrivals_text(const StatsSnapshot& counted);

// Quantiles that are reported, in millionths, with their labels.
struct Quantile {
  uint32_t ppm;
  const char* label;
};
inline constexpr Quantile kQuantiles[] = {{500'000, "p50"}, {990'000, "p99"}, {999'000, "p999"}};

// All size classes together; about 30 KB.
base::Histogram all_latencies(const CallerResults& results);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_FIGURES_H_
