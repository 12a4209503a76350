// SPDX-License-Identifier: Apache-2.0
#include "sim/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/least_time.h"

namespace sluice::sim {
namespace {

// All of its messages begin at once.
bool is_volley(Pattern pattern) {
  return pattern == Pattern::kIncast || pattern == Pattern::kPermutation;
}

// The records that count: submitted in the window, in order of size.
std::vector<const MessageRecord*> measured(const Experiment& experiment) {
  std::vector<const MessageRecord*> out;
  const Pattern pattern = experiment.scenario().pattern;
  const bool at_once = is_volley(pattern) || pattern == Pattern::kFanin;
  for (const MessageRecord& record : experiment.log().records()) {
    const bool inside =
        record.start >= experiment.window_begin() && record.start < experiment.window_end();
    if (!record.pull && (inside || at_once)) out.push_back(&record);
  }
  std::stable_sort(out.begin(), out.end(), [](const MessageRecord* a, const MessageRecord* b) {
    return a->size < b->size;
  });
  return out;
}

using Records = std::vector<const MessageRecord*>;

// Messages that were not delivered count with the time they have waited.
double slowdown_of(const Experiment& experiment, MessageRecord record,
                   const Packetisation& packets) {
  if (!record.delivered()) record.done = experiment.network().now();
  return experiment.slowdown(record, packets);
}

void fill(const Experiment& experiment, Records::const_iterator begin, Records::const_iterator end,
          std::string name, std::vector<SlowdownGroup>* groups) {
  if (begin == end) return;
  SlowdownGroup group;
  group.name = std::move(name);
  group.from = (*begin)->size;
  group.to = (*(end - 1))->size;
  group.count = static_cast<uint64_t>(end - begin);
  std::vector<double> own;
  std::vector<double> homa;
  const Packetisation own_packets = own_packetisation(experiment.plan());
  const uint32_t last_host = experiment.plan().topology.hosts - 1;
  group.unloaded = experiment.unloaded(0, last_host, group.to, own_packets);
  for (auto it = begin; it != end; ++it) {
    own.push_back(slowdown_of(experiment, **it, own_packets));
    homa.push_back(slowdown_of(experiment, **it, homa_packetisation()));
  }
  group.p50 = quantile(&own, 500'000);
  group.p99 = quantile(&own, 990'000);
  group.p999 = quantile(&own, 999'000);
  group.homa_p50 = quantile(&homa, 500'000);
  group.homa_p99 = quantile(&homa, 990'000);
  group.homa_p999 = quantile(&homa, 999'000);
  groups->push_back(std::move(group));
}

std::vector<SlowdownGroup> slowdowns(const Experiment& experiment, const Records& records) {
  std::vector<SlowdownGroup> groups;
  const auto first_above = [&records](uint64_t size) {
    return std::upper_bound(
        records.begin(), records.end(), size,
        [](uint64_t value, const MessageRecord* record) { return value < record->size; });
  };
  const uint64_t bdp = experiment.plan().bdp_bytes;
  const size_t count = records.size();
  fill(experiment, records.begin(), records.end(), "all", &groups);
  fill(experiment, records.begin(), records.begin() + static_cast<ptrdiff_t>(count / 2), "short",
       &groups);
  fill(experiment, records.begin(), first_above(bdp), "upto_bdp", &groups);
  fill(experiment, first_above(bdp), first_above(8 * bdp), "upto_8bdp", &groups);
  fill(experiment, first_above(8 * bdp), records.end(), "above_8bdp", &groups);
  for (size_t i = 0; i < 10; ++i) {
    fill(experiment, records.begin() + static_cast<ptrdiff_t>(i * count / 10),
         records.begin() + static_cast<ptrdiff_t>((i + 1) * count / 10),
         absl::StrCat("tenth_", i + 1), &groups);
  }
  return groups;
}

void add_queues(const Experiment& experiment, Report* report) {
  const Network& network = experiment.network();
  const Topology& topology = network.topology();
  for (const uint32_t leaf : network.leaves()) {
    report->max_tor_bytes = std::max(report->max_tor_bytes, network.max_downlink_bytes(leaf));
  }
  for (const PortReport& port : network.ports()) {
    if (topology.is_host(port.node)) continue;
    report->max_port_bytes = std::max(report->max_port_bytes, port.max_queue_bytes);
    if (!topology.is_host(port.peer)) continue;
    report->max_host_port_bytes = std::max(report->max_host_port_bytes, port.max_queue_bytes);
  }
  uint64_t host_bytes = 0;
  for (const PortReport& port : experiment.window_ports()) {
    if (topology.is_host(port.node)) {
      host_bytes += port.sent_bytes;
    } else if (topology.is_host(port.peer)) {
      report->mean_host_port_bytes += port.mean_queue_bytes / topology.hosts;
    }
  }
  report->data_share =
      static_cast<double>(experiment.window_data_wire_bytes()) / experiment.window_wire_bytes();
  report->wire_share = static_cast<double>(host_bytes) / experiment.window_wire_bytes();
}

void add_counters(const Experiment& experiment, Report* report) {
  for (uint32_t i = 0; i < experiment.plan().topology.hosts; ++i) {
    const Host& host = experiment.host(i);
    for (uint32_t lcore = 0; lcore < host.lcores(); ++lcore) {
      const transport::Stats& stats = host.stats(lcore);
      report->packets_sent += stats.tx_packets.value();
      report->control_packets += stats.tx_control_packets.value();
      report->control_bytes += stats.tx_control_bytes.value();
      report->retransmitted += stats.tx_retransmitted.value();
      report->timeouts += stats.timeouts.value();
      report->grants += stats.grants_sent.value();
    }
    const HostCounters& counters = host.counters();
    report->failed += counters.failed;
    report->backlogged += counters.backlogged;
    report->lanes_down += counters.lanes_down;
  }
}

void add_progress(const Experiment& experiment, Report* report) {
  const std::vector<ProgressPoint>& points = experiment.progress();
  const Scenario& scenario = experiment.scenario();
  const auto window = static_cast<double>(scenario.duration.value());
  report->backlog_bytes = points.empty() ? 0 : points.back().backlog();
  report->backlog_growth = backlog_growth(points) * window / experiment.window_capacity();
  const Picos fault = std::max(scenario.dead_spine, scenario.slow_spine);
  report->fault = fault != Picos::zero();
  if (report->fault) report->recovered = recovery_time(points, experiment.window_begin() + fault);
  const NetworkTotals& totals = experiment.network().totals();
  for (const uint64_t dropped : totals.dropped_packets) report->dropped_packets += dropped;
  report->stalls = totals.stalls;
  report->marked_packets = totals.marked_packets;
}

void add_pulls(const Experiment& experiment, Report* report) {
  const Scenario& scenario = experiment.scenario();
  report->pulls = scenario.pulls != 0;
  if (!report->pulls) return;
  uint64_t pulls = 0;
  for (const MessageRecord& record : experiment.log().records()) {
    const bool inside =
        record.done >= experiment.window_begin() && record.done < experiment.window_end();
    pulls += record.pull && inside ? 1 : 0;
  }
  const Packetisation packets = own_packetisation(experiment.plan());
  const auto pulled = static_cast<double>(pulls * packets.wire_bytes(scenario.pull_bytes));
  const auto data = static_cast<double>(experiment.window_data_wire_bytes());
  report->pulled_fraction = pulled / (experiment.window_wire_bytes() - (data - pulled));
}

void add_tcp(const Experiment& experiment, Report* report) {
  const TcpFlows* tcp = experiment.tcp();
  report->tcp = tcp != nullptr;
  if (!report->tcp) return;
  const double share = static_cast<double>(tcp->segment_bytes()) / tcp->wire_bytes();
  report->tcp_goodput_fraction =
      static_cast<double>(experiment.window_tcp_bytes()) / (experiment.window_wire_bytes() * share);
  report->tcp_repeated = tcp->repeated();
  report->tcp_timeouts = tcp->timeouts();
}

}  // namespace

double quantile(std::vector<double>* values, uint32_t ppm) {
  if (values->empty()) return 0;
  const uint64_t rank = (uint64_t{ppm} * values->size() + 999'999) / 1'000'000;
  const auto at = values->begin() + static_cast<ptrdiff_t>(std::max<uint64_t>(rank, 1) - 1);
  std::nth_element(values->begin(), at, values->end());
  return *at;
}

Report report_of(const Experiment& experiment) {
  Report report;
  const Records records = measured(experiment);
  report.groups = slowdowns(experiment, records);
  report.submitted = records.size();
  uint64_t payload = 0;
  uint64_t own_wire = 0;
  uint64_t homa_wire = 0;
  const Packetisation own = own_packetisation(experiment.plan());
  for (const MessageRecord* record : records) {
    report.delivered += record->delivered() ? 1 : 0;
    if (record->delivered()) report.last_done = std::max(report.last_done, record->done);
    payload += record->size;
    own_wire += own.wire_bytes(record->size);
    homa_wire += homa_packetisation().wire_bytes(record->size);
  }
  if (own_wire != 0) {
    report.mean_payload_share = static_cast<double>(payload) / static_cast<double>(own_wire);
    report.homa_payload_share = static_cast<double>(payload) / static_cast<double>(homa_wire);
  }
  report.payload_bytes = experiment.window_bytes();
  report.goodput_fraction =
      static_cast<double>(report.payload_bytes) / experiment.window_capacity();
  report.offered_fraction = static_cast<double>(payload) / experiment.window_capacity();
  const Picos began = experiment.plan().settle;
  report.last_done = report.last_done > began ? report.last_done - began : Picos();
  if (is_volley(experiment.scenario().pattern)) {
    report.least = least_time(experiment.plan().topology, own, experiment.log().records());
  }
  add_queues(experiment, &report);
  add_counters(experiment, &report);
  add_progress(experiment, &report);
  add_pulls(experiment, &report);
  add_tcp(experiment, &report);
  report.hash = experiment.hash();
  return report;
}

}  // namespace sluice::sim
