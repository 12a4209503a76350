// SPDX-License-Identifier: Apache-2.0
#include "cli/show.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/utc.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

// Who seals the records of a session, where ports do for some of its lanes at least.
std::string sealer_text(const SessionInfo& info) {
  if (info.inline_lanes == 0) return "";
  if (info.inline_lanes == info.lanes) return ", sealed by the port";
  return absl::StrCat(", sealed by the port on ", info.inline_lanes, " of ", info.lanes, " lanes");
}

std::string ppm_text(uint32_t ppm) {
  if (ppm % 100 != 0) return absl::StrCat(ppm, "ppm");
  return absl::StrCat(ppm / 10'000, ".", ppm / 1'000 % 10, ppm / 100 % 10, "%");
}

}  // namespace

std::string ports_text(const std::vector<PortInfo>& ports) {
  Table table({"port", "name", "driver", "mac", "link", "mtu", "queues"});
  for (const PortInfo& port : ports) {
    table.row({absl::StrCat(port.node, ".", port.port), port.name, port.driver, port.mac,
               port.link_up ? "up" : "down", absl::StrCat(port.mtu), absl::StrCat(port.queues)});
  }
  return table.text();
}

std::string port_stats_text(const std::vector<PortInfo>& ports) {
  std::string out;
  for (const PortInfo& port : ports) {
    absl::StrAppend(&out, "  NIC statistics for port ", port.node, ".", port.port, " (", port.name,
                    ")\n", "    RX-packets: ", port.rx_packets, "  RX-missed: ", port.rx_missed,
                    "  RX-bytes: ", port.rx_bytes, "\n    RX-errors: ", port.rx_errors,
                    "  RX-nombuf: ", port.rx_no_buffer, "\n    TX-packets: ", port.tx_packets,
                    "  TX-errors: ", port.tx_errors, "  TX-bytes: ", port.tx_bytes, "\n");
  }
  return out;
}

std::string port_xstats_text(const std::vector<PortInfo>& ports) {
  std::string out;
  for (const PortInfo& port : ports) {
    absl::StrAppend(&out, "  NIC extended statistics for port ", port.node, ".", port.port, " (",
                    port.name, ")\n");
    for (const Counter& counter : port.extended) {
      absl::StrAppend(&out, "    ", counter.name, ": ", counter.value, "\n");
    }
  }
  return out;
}

std::string peers_text(const std::vector<SessionInfo>& sessions, bool forms) {
  std::string out;
  for (const SessionInfo& info : sessions) {
    if (!forms || !info.initiator) continue;
    absl::StrAppend(&out, "records: ", info.records, sealer_text(info), " (", info.peer_address,
                    ":", info.peer_port, ")\n");
  }
  for (const SessionInfo& info : sessions) {
    if (!info.padded || !info.initiator) continue;
    absl::StrAppend(&out, "lengths: padded to buckets (", info.peer_address, ":", info.peer_port,
                    ")\n");
  }
  for (const SessionInfo& info : sessions) {
    if (info.peer_name.empty() || !info.initiator) continue;
    absl::StrAppend(&out, "peer: ", info.peer_name, " at ", info.peer_address, ":", info.peer_port,
                    " (", info.algorithm, ", until ", base::utc_text(info.expires_unix_ns), ")\n");
  }
  return out;
}

std::string sessions_text(const std::vector<SessionInfo>& sessions) {
  if (sessions.empty()) return "  no session\n";
  Table table({"session", "peer", "name", "role", "cipher", "lanes", "inline", "rtt", "packet",
               "epochs", "in flight", "heard"});
  for (const SessionInfo& info : sessions) {
    table.row({absl::StrCat(info.session.node, ".", info.session.id),
               absl::StrCat(info.peer_address, ":", info.peer_port),
               info.peer_name.empty() ? "-" : info.peer_name, info.initiator ? "client" : "server",
               info.algorithm, absl::StrCat(info.lanes), absl::StrCat(info.inline_lanes),
               nanos_text(info.rtt_ns), bytes_text(info.packet_bytes),
               absl::StrCat(info.send_epoch, "/", info.receive_epoch), absl::StrCat(info.exchanges),
               nanos_text(info.last_heard_ns)});
  }
  return table.text();
}

std::string messages_text(const StatsSnapshot& stats, const std::vector<SessionInfo>& sessions) {
  uint64_t in_flight = 0;
  for (const SessionInfo& info : sessions) in_flight += info.exchanges;
  const auto counted = [&](const char* name) { return count_text(stats.value(name)); };
  return absl::StrCat("  in flight: ", count_text(in_flight), "\n  calls: ", counted("rpc.started"),
                      " begun, ", counted("rpc.completed"), " completed, ", counted("rpc.failed"),
                      " failed\n  requests delivered: ", counted("requests.delivered"),
                      "\n  one-way messages: ", counted("oneway.completed"), " sent, ",
                      counted("oneway.delivered"),
                      " delivered\n  message bytes: ", counted("goodput.sent_bytes"), " sent, ",
                      counted("goodput.delivered_bytes"), " delivered\n");
}

std::string counters_text(const StatsSnapshot& stats, const std::string& prefix) {
  std::string out;
  for (const Counter& counter : stats.counters) {
    if (counter.value == 0 || !absl::StartsWith(counter.name, prefix)) continue;
    absl::StrAppend(&out, "  ", counter.name, ": ", count_text(counter.value), "  (", counter.help,
                    ")\n");
  }
  return out.empty() ? "  all zero\n" : out;
}

std::string faults_text(const FaultOptions& faults, const StatsSnapshot& stats) {
  return absl::StrCat("  loss ", ppm_text(faults.loss_ppm), ", reorder ",
                      ppm_text(faults.reorder_ppm), ", duplicate ", ppm_text(faults.duplicate_ppm),
                      ", corrupt ", ppm_text(faults.corrupt_ppm), ", delay ",
                      nanos_text(faults.delay_ns), ", jitter ", nanos_text(faults.jitter_ns), "\n",
                      counters_text(stats, "fault."));
}

std::string policy_text(const std::string& file, const std::vector<std::string>& rules) {
  if (file.empty()) return "  no policy: without --policy-file everything is allowed\n";
  std::string out;
  for (const std::string& rule : rules) absl::StrAppend(&out, "  ", rule, "\n");
  return absl::StrCat(out, "  what no rule allows is denied\n");
}

std::string config_text(const Options& options) {
  return absl::StrCat("  mode ", options.mode, "\n  ",
                      options.workload.empty() ? absl::StrCat("size ", options.size)
                                               : absl::StrCat("workload ", options.workload),
                      "\n  outstanding ", options.outstanding, "\n  count ", options.count,
                      "\n  duration ", nanos_text(options.duration), "\n");
}

}  // namespace sluice::cli
