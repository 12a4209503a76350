// SPDX-License-Identifier: Apache-2.0
#include "cli/figures.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/utc.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

Labels labels_of(const std::string& phase, Labels more = {}) {
  if (!phase.empty()) more.insert(more.begin(), {"phase", phase});
  return more;
}

void add_latency(const base::Histogram& latency, const std::string& phase, const std::string& size,
                 JsonReport* json) {
  if (latency.count() == 0) return;
  for (const Quantile& quantile : kQuantiles) {
    json->add("rpc.latency", latency.quantile_ppm(quantile.ppm), "ns",
              labels_of(phase, {{"quantile", quantile.label}, {"size", size}}));
  }
}

void latency_row(const std::string& name, const base::Histogram& latency, Table* table) {
  std::vector<std::string> cells = {name, count_text(latency.count())};
  for (const Quantile& quantile : kQuantiles) {
    cells.push_back(nanos_text(latency.quantile_ppm(quantile.ppm)));
  }
  cells.push_back(nanos_text(latency.max()));
  table->row(std::move(cells));
}

// What the counters say of the stretch, beyond the RPCs themselves.
std::string wire_text(const RpcFigures& figures) {
  const StatsSnapshot& counted = figures.counted;
  const double megabytes =
      static_cast<double>(figures.results.request_bytes + figures.results.response_bytes) / 1e6;
  const uint64_t control = counted.value("control.bytes");
  uint64_t dropped = 0;
  for (const Counter& counter : counted.counters) {
    if (absl::StartsWith(counter.name, "dropped.")) dropped += counter.value;
  }
  return absl::StrCat(
      "  ", count_text(counted.value("packets.sent")), " packets sent, ",
      count_text(counted.value("packets.retransmitted")), " of them again, ", count_text(dropped),
      " dropped on arrival, ", count_text(counted.value("fault.lost")),
      " lost on purpose; control ",
      megabytes > 0 ? bytes_text(static_cast<uint64_t>(static_cast<double>(control) / megabytes))
                    : bytes_text(control),
      megabytes > 0 ? " per MB\n" : "\n");
}

}  // namespace

double RpcFigures::seconds() const {
  if (results.begun_ns == 0 || results.ended_ns <= results.begun_ns) return 0;
  return static_cast<double>(results.ended_ns - results.begun_ns) / 1e9;
}

double RpcFigures::rate() const {
  return seconds() > 0 ? static_cast<double>(results.completed) / seconds() : 0;
}

double RpcFigures::goodput() const {
  const double bytes = static_cast<double>(results.request_bytes + results.response_bytes);
  return seconds() > 0 ? bytes * 8 / seconds() : 0;
}

double RpcFigures::beside_goodput() const {
  return seconds() > 0 ? static_cast<double>(results.beside_bytes) * 8 / seconds() : 0;
}

double FileFigures::goodput() const {
  return nanos > 0 ? static_cast<double>(bytes) * 8e9 / static_cast<double>(nanos) : 0;
}

// The serving side's finding also reaches the caller (kDataLoss), unless the answer was lost.
uint64_t RpcFigures::corrupt() const { return std::max(results.corrupt, served_corrupt); }

base::Histogram all_latencies(const CallerResults& results) {
  base::Histogram all;
  for (const base::Histogram& one : results.latency) all.merge(one);
  return all;
}

void add_sessions(const std::vector<SessionInfo>& sessions, JsonReport* json) {
  for (const SessionInfo& info : sessions) {
    Labels labels = {{"address", info.peer_address},
                     {"role", info.initiator ? "client" : "server"},
                     {"cipher", info.algorithm},
                     {"records", info.records},
                     {"padded", info.padded ? "yes" : "no"},
                     {"inline_lanes", absl::StrCat(info.inline_lanes)}};
    if (!info.peer_name.empty()) {
      labels.emplace_back("name", info.peer_name);
      labels.emplace_back("expires", base::utc_text(info.expires_unix_ns));
      labels.emplace_back("responsible", info.responsible);
    }
    json->add("session.peer", 1, "sessions", std::move(labels));
  }
}

void add_counters(const StatsSnapshot& counted, const std::string& phase, JsonReport* json) {
  for (const Counter& counter : counted.counters) {
    const absl::string_view name = counter.name;
    if (absl::StartsWith(counter.name, "rpc.")) continue;  // Reported as the callers saw them.
    if (absl::StartsWith(counter.name, "dropped.")) {
      json->add("packets.dropped", counter.value, "packets",
                labels_of(phase, {{"cause", std::string(name.substr(8))}}));
    } else {
      const bool bytes = absl::StrContains(counter.name, "bytes");
      const bool packets = absl::StartsWith(counter.name, "packets.");
      json->add(name, counter.value,
                bytes     ? "bytes"
                : packets ? "packets"
                          : "count",
                labels_of(phase));
    }
  }
}

void add_figures(const RpcFigures& figures, JsonReport* json) {
  const CallerResults& results = figures.results;
  const std::string& phase = figures.phase;
  json->add("rpc.completed", results.completed, "RPCs", labels_of(phase));
  json->add("rpc.failed", results.failures(), "RPCs", labels_of(phase));
  json->add("rpc.corrupt", figures.corrupt(), "RPCs", labels_of(phase));
  for (size_t i = 0; i < results.failed.size(); ++i) {
    if (results.failed[i] == 0) continue;
    json->add("rpc.failed_by_status", results.failed[i], "RPCs",
              labels_of(phase, {{"status", status_code_name(static_cast<StatusCode>(i))}}));
  }
  json->add_real("rpc.rate", figures.rate(), "RPCs/s", labels_of(phase));
  json->add("rpc.outstanding", figures.outstanding, "RPCs", labels_of(phase));
  json->add_real("rpc.duration", figures.seconds(), "s", labels_of(phase));
  json->add_real("goodput", figures.goodput(), "bit/s", labels_of(phase, {{"what", "rpc"}}));
  if (results.beside_completed > 0) {
    json->add("beside.completed", results.beside_completed, "RPCs", labels_of(phase));
    json->add_real("beside.goodput", figures.beside_goodput(), "bit/s", labels_of(phase));
  }
  const auto all = std::make_unique<base::Histogram>(all_latencies(results));
  add_latency(*all, phase, "all", json);
  for (size_t i = 0; i < figures.workload.classes().size(); ++i) {
    add_latency(results.latency[i], phase, figures.workload.classes()[i].name(), json);
  }
  for (const Quantile& quantile : kQuantiles) {
    if (results.rounds.count() == 0) break;
    json->add("round.latency", results.rounds.quantile_ppm(quantile.ppm), "ns",
              labels_of(phase, {{"quantile", quantile.label}}));
  }
  add_counters(figures.counted, phase, json);
}

void add_figures(const FileFigures& figures, JsonReport* json) {
  json->add("file.sha256_match", figures.match ? 1 : 0, "bool", labels_of(figures.phase));
  json->add("file.bytes", figures.bytes, "bytes", labels_of(figures.phase));
  json->add_real("file.duration", static_cast<double>(figures.nanos) / 1e9, "s",
                 labels_of(figures.phase));
  json->add_real("goodput", figures.goodput(), "bit/s",
                 labels_of(figures.phase, {{"what", "file"}}));
  json->add("file.packets_retransmitted", figures.counted.value("packets.retransmitted"), "packets",
            labels_of(figures.phase));
}

std::string arrivals_text(const StatsSnapshot& counted) {
  std::vector<std::string> causes;
  for (const Counter& counter : counted.counters) {
    absl::string_view cause = counter.name;
    if (counter.value == 0 || !absl::ConsumePrefix(&cause, "dropped.")) continue;
    causes.push_back(absl::StrCat(count_text(counter.value), " ", cause));
  }
  return absl::StrCat(count_text(counted.value("frames.received")), " packets received; dropped: ",
                      causes.empty() ? "none" : absl::StrJoin(causes, ", "));
}

std::string failures_text(const CallerResults& results) {
  std::string out;
  for (size_t i = 0; i < results.failed.size(); ++i) {
    if (results.failed[i] == 0) continue;
    absl::StrAppend(&out, out.empty() ? "" : ", ", count_text(results.failed[i]), " ",
                    status_code_name(static_cast<StatusCode>(i)));
  }
  return out;
}

std::string rpc_text(const RpcFigures& figures) {
  const CallerResults& results = figures.results;
  std::string out;
  if (!figures.phase.empty()) absl::StrAppend(&out, figures.phase, ": ");
  absl::StrAppend(&out, count_text(results.completed), " RPCs completed, ",
                  count_text(results.failures()), " failed, ", count_text(figures.corrupt()),
                  " corrupt in ", absl::StrFormat("%.2f s", figures.seconds()), "\n");
  if (results.failures() > 0) absl::StrAppend(&out, "  failed: ", failures_text(results), "\n");
  absl::StrAppend(&out, "  ", rate_text(figures.rate()), ", goodput ", bits_text(figures.goodput()),
                  ", ", figures.outstanding, " outstanding\n");
  if (results.beside_completed > 0) {
    absl::StrAppend(&out, "  beside them ", count_text(results.beside_completed), " messages, ",
                    bits_text(figures.beside_goodput()), "\n");
  }
  absl::StrAppend(&out, wire_text(figures));
  if (results.completed == 0) return out;
  Table table({"bytes", "RPCs", "p50", "p99", "p99.9", "max"});
  const auto& classes = figures.workload.classes();
  for (size_t i = 0; i < classes.size(); ++i) {
    if (results.latency[i].count() > 0) latency_row(classes[i].name(), results.latency[i], &table);
  }
  if (classes.size() > 1) {
    latency_row("all", *std::make_unique<base::Histogram>(all_latencies(results)), &table);
  }
  if (results.rounds.count() > 0) latency_row("rounds", results.rounds, &table);
  return out + table.text();
}

std::string file_text(const FileFigures& figures) {
  return absl::StrCat(figures.phase, figures.phase.empty() ? "" : ": ", "file of ",
                      bytes_text(figures.bytes), " in ", nanos_text(figures.nanos), ", ",
                      bits_text(figures.goodput()), ", SHA-256 ",
                      figures.match ? "matches" : "DIFFERS", "\n");
}

}  // namespace sluice::cli
