// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_host.h"

#include <gtest/gtest.h>

#include "sim/experiment.h"
#include "sim/report.h"

namespace sluice::sim {
namespace {

Scenario small(TcpKind kind) {
  Scenario scenario;
  scenario.topology = "single16-100g";
  scenario.workload = "W3";
  scenario.load = 0.4;
  scenario.tcp = kind;
  scenario.tcp_flows = 16;
  scenario.warmup = to_picos(base::millis(1));
  scenario.duration = to_picos(base::millis(1));
  if (kind == TcpKind::kReno) scenario.buffer_bytes = 2'000'000;
  return scenario;
}

struct Ran {
  std::unique_ptr<Experiment> experiment;
  Report report;
};

Ran run(const Scenario& scenario) {
  auto experiment = Experiment::create(scenario);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  (*experiment)->run();
  Report report = report_of(**experiment);
  EXPECT_TRUE((*experiment)->network().conserved());
  return {*std::move(experiment), std::move(report)};
}

TEST(TcpHost, one_flow_alone_fills_its_link) {
  for (const TcpKind kind : {TcpKind::kReno, TcpKind::kDctcp}) {
    Scenario scenario = small(kind);
    scenario.pattern = Pattern::kNone;
    scenario.tcp_flows = 1;
    const Ran alone = run(scenario);
    // Of sixteen links; the packet that arrives as the window begins counts whole, one of 8,127.
    EXPECT_GT(alone.report.tcp_goodput_fraction * 16, 0.95);
    EXPECT_LE(alone.report.tcp_goodput_fraction * 16, 1.0 + 1.0 / 8'000);
    EXPECT_EQ(alone.report.submitted, 0u);
  }
}

TEST(TcpHost, dctcp_keeps_the_queue_near_its_mark_and_reno_fills_the_buffer) {
  Scenario scenario = small(TcpKind::kDctcp);
  scenario.pattern = Pattern::kNone;
  scenario.tcp_flows = 64;
  const Ran dctcp = run(scenario);
  EXPECT_GT(dctcp.report.marked_packets, 100u);
  EXPECT_EQ(dctcp.report.dropped_packets, 0u);
  EXPECT_LT(dctcp.report.max_port_bytes, 500'000u);
  scenario = small(TcpKind::kReno);
  scenario.pattern = Pattern::kNone;
  scenario.tcp_flows = 64;
  const Ran reno = run(scenario);
  EXPECT_EQ(reno.report.marked_packets, 0u);
  EXPECT_GT(reno.report.dropped_packets, 100u);
  EXPECT_GT(reno.report.tcp_repeated, 100u);
}

TEST(TcpHost, both_kinds_of_traffic_share_a_link_in_turn) {
  // One Sluice sender and one flow, both without end, from each host: half and half at the sender.
  Scenario scenario = small(TcpKind::kDctcp);
  scenario.pattern = Pattern::kSaturate;
  scenario.workload = "1000000";
  scenario.tcp_flows = 64;
  scenario.priorities = 1;
  scenario.drain = Picos(1);
  const Ran both = run(scenario);
  EXPECT_GT(both.report.goodput_fraction, 0.2);
  EXPECT_GT(both.report.tcp_goodput_fraction, 0.2);
  EXPECT_LE(both.report.goodput_fraction + both.report.tcp_goodput_fraction, 1.01);
}

TEST(TcpHost, messages_are_all_delivered_beside_either_kind) {
  for (const TcpKind kind : {TcpKind::kReno, TcpKind::kDctcp}) {
    const Ran both = run(small(kind));
    EXPECT_GT(both.report.submitted, 1000u);
    EXPECT_EQ(both.report.delivered, both.report.submitted);
    EXPECT_GT(both.report.tcp_goodput_fraction, 0.1);
    EXPECT_EQ(run(small(kind)).report.hash, both.report.hash) << "the same again";
  }
}

TEST(TcpHost, a_flow_keeps_to_one_way_where_others_are_sprayed) {
  Scenario scenario = small(TcpKind::kDctcp);
  scenario.topology = "leafspine144-100g";
  scenario.pattern = Pattern::kNone;
  scenario.tcp_flows = 1;
  scenario.warmup = {};
  scenario.duration = to_picos(base::micros(300));
  const Ran alone = run(scenario);
  EXPECT_GT(alone.report.tcp_goodput_fraction, 0);
  EXPECT_EQ(alone.report.tcp_repeated, 0u) << "nothing is overtaken";
  // One way for the data and one for what acknowledges them, where spraying would take all four.
  uint32_t ways = 0;
  for (const PortReport& port : alone.experiment->window_ports()) {
    const bool uplink = port.node >= 144 && port.node < 153 && port.peer >= 153;
    ways += uplink && port.sent_bytes > 50'000 ? 1 : 0;
  }
  EXPECT_LE(ways, 2u);
}

}  // namespace
}  // namespace sluice::sim
