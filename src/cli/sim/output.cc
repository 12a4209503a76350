// SPDX-License-Identifier: Apache-2.0
#include "cli/sim/output.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/text.h"

namespace sluice::cli {
namespace {

std::string times(double slowdown) { return absl::StrFormat("%.3f", slowdown); }

void add_slowdowns(const sim::SlowdownGroup& group, JsonReport* json) {
  const std::pair<const char*, double> own[] = {
      {"p50", group.p50}, {"p99", group.p99}, {"p999", group.p999}};
  const std::pair<const char*, double> homa[] = {
      {"p50", group.homa_p50}, {"p99", group.homa_p99}, {"p999", group.homa_p999}};
  for (const auto& [name, value] : own) {
    json->add_real("slowdown", value, "times", {{"quantile", name}, {"size", group.name}});
  }
  for (const auto& [name, value] : homa) {
    json->add_real("slowdown.homa_packets", value, "times",
                   {{"quantile", name}, {"size", group.name}});
  }
  json->add("messages", group.count, "messages", {{"size", group.name}});
  json->add("size.to", group.to, "bytes", {{"size", group.name}});
  json->add("latency.unloaded", sim::to_nanos(group.unloaded).value(), "ns",
            {{"size", group.name}});
}

}  // namespace

std::string scenario_text(const sim::Scenario& scenario, const sim::Plan& plan) {
  return absl::StrCat(plan.topology.name, ": ", plan.topology.hosts, " hosts, ",
                      plan.topology.switches, " switches, RTT ",
                      nanos_text(sim::to_nanos(plan.rtt).value()), ", BDP ",
                      bytes_text(plan.bdp_bytes), "; ", scenario.workload, " at ",
                      absl::StrFormat("%.0f %%", scenario.load * 100), ", policy ",
                      std::string(sim::policy_name(scenario)), ", seed ", scenario.seed, "\n");
}

std::string sim_report_text(const sim::Report& report) {
  Table sizes(
      {"messages", "bytes", "count", "p50", "p99", "p99.9", "Homa's packets: p50", "p99", "p99.9"});
  for (const sim::SlowdownGroup& group : report.groups) {
    sizes.row({group.name, absl::StrCat(group.from, "-", group.to), count_text(group.count),
               times(group.p50), times(group.p99), times(group.p999), times(group.homa_p50),
               times(group.homa_p99), times(group.homa_p999)});
  }
  Table rest({"", ""});
  rest.row({"messages submitted / delivered",
            absl::StrCat(count_text(report.submitted), " / ", count_text(report.delivered))});
  rest.row({"goodput, of what full packets could carry",
            absl::StrFormat("%.2f %%", report.goodput_fraction * 100)});
  rest.row({"payload share of the wire / with Homa's packets",
            absl::StrFormat("%.3f / %.3f", report.mean_payload_share, report.homa_payload_share)});
  rest.row({"largest sum of a ToR's queues to its hosts", bytes_text(report.max_tor_bytes)});
  rest.row({"largest queue to a host / anywhere",
            absl::StrCat(bytes_text(report.max_host_port_bytes), " / ",
                         bytes_text(report.max_port_bytes))});
  rest.row(
      {"mean queue to a host", bytes_text(static_cast<uint64_t>(report.mean_host_port_bytes))});
  rest.row({"backlog at the end of the window / its growth in the second half",
            absl::StrCat(bytes_text(report.backlog_bytes), " / ",
                         absl::StrFormat("%.2f %%", report.backlog_growth * 100))});
  if (report.fault) {
    rest.row({"the fault was felt for", report.recovered
                                            ? nanos_text(sim::to_nanos(*report.recovered).value())
                                            : std::string("the rest of the window")});
  }
  if (report.pulls) {
    rest.row({"pulls, of the wire time that other data left",
              absl::StrFormat("%.2f %%", report.pulled_fraction * 100)});
  }
  if (report.tcp) {
    rest.row({"TCP: goodput, of what full packets could carry",
              absl::StrFormat("%.2f %%", report.tcp_goodput_fraction * 100)});
    rest.row(
        {"TCP: segments sent again / timeouts",
         absl::StrCat(count_text(report.tcp_repeated), " / ", count_text(report.tcp_timeouts))});
  }
  rest.row({"packets dropped / stalls of hosts",
            absl::StrCat(count_text(report.dropped_packets), " / ", count_text(report.stalls))});
  const std::string last = nanos_text(sim::to_nanos(report.last_done).value());
  if (report.least == sim::Picos()) {
    rest.row({"last delivery", last});
  } else {
    rest.row({"last delivery / the earliest that links allow",
              absl::StrCat(last, " / ", nanos_text(sim::to_nanos(report.least).value()))});
  }
  rest.row({"packets / with control only", absl::StrCat(count_text(report.packets_sent), " / ",
                                                        count_text(report.control_packets))});
  rest.row({"packets sent again / timeouts",
            absl::StrCat(count_text(report.retransmitted), " / ", count_text(report.timeouts))});
  rest.row({"hash", absl::StrFormat("%016x", report.hash)});
  return absl::StrCat("slowdown\n", sizes.text(), rest.text());
}

void add_sim_report(const sim::Report& report, JsonReport* json) {
  for (const sim::SlowdownGroup& group : report.groups) add_slowdowns(group, json);
  json->add("messages.submitted", report.submitted, "messages");
  json->add("messages.delivered", report.delivered, "messages");
  json->add_real("goodput.fraction", report.goodput_fraction, "share");
  json->add_real("offered.fraction", report.offered_fraction, "share");
  json->add_real("payload.share", report.mean_payload_share, "share", {{"packets", "own"}});
  json->add_real("payload.share", report.homa_payload_share, "share", {{"packets", "homa"}});
  json->add_real("wire.share", report.wire_share, "share");
  json->add_real("wire.data_share", report.data_share, "share");
  json->add("queue.max_bytes", report.max_tor_bytes, "bytes", {{"where", "tor_downlinks"}});
  json->add("queue.max_bytes", report.max_host_port_bytes, "bytes", {{"where", "host_port"}});
  json->add("queue.max_bytes", report.max_port_bytes, "bytes", {{"where", "any_port"}});
  json->add_real("queue.mean_bytes", report.mean_host_port_bytes, "bytes",
                 {{"where", "host_port"}});
  json->add("backlog.bytes", report.backlog_bytes, "bytes");
  json->add_real("backlog.growth", report.backlog_growth, "share");
  if (report.recovered) {
    json->add("fault.recovery", sim::to_nanos(*report.recovered).value(), "ns");
  }
  if (report.pulls) json->add_real("pulls.fraction", report.pulled_fraction, "share");
  if (report.tcp) {
    json->add_real("tcp.goodput.fraction", report.tcp_goodput_fraction, "share");
    json->add("tcp.retransmitted", report.tcp_repeated, "segments");
    json->add("tcp.timeouts", report.tcp_timeouts, "timeouts");
  }
  json->add("packets.marked", report.marked_packets, "packets");
  json->add("packets.dropped", report.dropped_packets, "packets");
  json->add("stalls", report.stalls, "stalls");
  json->add("last_delivery", sim::to_nanos(report.last_done).value(), "ns");
  if (report.least != sim::Picos()) {
    json->add("last_delivery.least", sim::to_nanos(report.least).value(), "ns");
  }
  json->add("packets.sent", report.packets_sent, "packets");
  json->add("packets.control", report.control_packets, "packets");
  json->add("control.bytes", report.control_bytes, "bytes");
  json->add("packets.retransmitted", report.retransmitted, "packets");
  json->add("timeouts", report.timeouts, "timeouts");
  json->add("grants.sent", report.grants, "grants");
  json->add("messages.failed", report.failed, "messages");
  json->add("messages.backlogged", report.backlogged, "messages");
  // As many bits as every reader of JSON keeps.
  json->add("run.hash", report.hash >> 11, "hash");
}

}  // namespace sluice::cli
