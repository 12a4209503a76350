// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include <gtest/gtest.h>

#include "sim/packet_pool.h"

namespace sluice::sim {
namespace {

constexpr Picos kMicro(1'000'000);

TEST(Scenario, the_default_can_be_planned) {
  const auto made = plan(Scenario{});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->topology.hosts, 144u);
  EXPECT_EQ(made->record_bytes, 1472u - 48 - 16);
  // 7.5 us at 100 Gb/s.
  EXPECT_NEAR(static_cast<double>(made->rtt.value()), 7.5e6, 0.1e6);
  EXPECT_NEAR(static_cast<double>(made->bdp_bytes), 93'750, 1'300);
  EXPECT_EQ(made->endpoint.unscheduled_bytes, made->bdp_bytes / 2);
  EXPECT_EQ(made->endpoint.credit_bytes, made->bdp_bytes);
}

TEST(Scenario, in_one_class_the_hybrid_grants_what_keeps_a_link_busy_and_no_more) {
  Scenario scenario;
  scenario.topology = "leafspine144-10g";  // A bandwidth-delay product is less than seven packets.
  const auto ranked = plan(scenario);
  scenario.priorities = 1;
  const auto made = plan(scenario);
  ASSERT_TRUE(made.ok() && ranked.ok());
  EXPECT_LT(made->endpoint.credit_bytes, made->bdp_bytes * 5 / 4);
  EXPECT_GT(ranked->endpoint.credit_bytes, ranked->bdp_bytes * 9);
  EXPECT_LE(made->endpoint.unscheduled_bytes, made->bdp_bytes / 4);
  EXPECT_EQ(made->endpoint.blind_bytes, made->endpoint.unscheduled_bytes);
  EXPECT_LT(made->endpoint.grant_increment, 2 * made->record_bytes);
  scenario.unscheduled_bytes = 5000;
  EXPECT_EQ(plan(scenario)->endpoint.unscheduled_bytes, 5000u);
  scenario.policy = transport::GrantPolicyKind::kSird;
  EXPECT_GT(plan(scenario)->endpoint.credit_bytes, made->bdp_bytes * 9);
}

TEST(Scenario, timers_follow_the_round_trip) {
  Scenario scenario;
  scenario.topology = "pair-50ms";
  const auto made = plan(scenario);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_GE(made->endpoint.rto_min, base::millis(150));
  EXPECT_GE(made->endpoint.peer_timeout, base::seconds(3));
}

void expect_refused(const Scenario& scenario, const std::string& field) {
  const auto made = plan(scenario);
  ASSERT_FALSE(made.ok()) << field;
  EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(made.status().message());
  EXPECT_EQ(message.rfind(field, 0), 0u) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(Scenario, what_cannot_be_is_refused_by_the_name_of_its_field) {
  Scenario scenario;
  scenario.load = 0;
  expect_refused(scenario, "load");
  scenario.load = 2;
  expect_refused(scenario, "load");
  scenario = {};
  scenario.loss = 0.9;
  expect_refused(scenario, "loss");
  scenario = {};
  scenario.mtu = 100;
  expect_refused(scenario, "mtu");
  scenario = {};
  scenario.duration = picos(0);
  expect_refused(scenario, "duration");
  scenario = {};
  scenario.topology = "torus";
  expect_refused(scenario, "topology");
  scenario = {};
  scenario.priorities = 9;
  expect_refused(scenario, "switches.priorities");
  scenario = {};
  scenario.outstanding = 0;
  expect_refused(scenario, "outstanding");
  scenario = {};
  scenario.pattern = Pattern::kIncast;
  scenario.senders = 144;
  expect_refused(scenario, "senders");
  scenario.senders = 3;
  scenario.incast_bytes = 0;
  expect_refused(scenario, "incast-bytes");
  scenario = {};
  scenario.stall_share = 2;
  expect_refused(scenario, "stalls");
  scenario = {};
  scenario.overcommit = 200;
  expect_refused(scenario, "overcommit");
  scenario = {};
  scenario.incast_share = 1;
  expect_refused(scenario, "incast-share");
  scenario.incast_share = 0.1;
  scenario.senders = 0;
  expect_refused(scenario, "senders");
}

TEST(Scenario, a_host_has_some_lcores_which_share_its_memory) {
  Scenario scenario;
  const uint32_t alone = plan(scenario)->endpoint.max_exchanges;
  for (const uint32_t wrong : {0u, 17u}) {
    scenario.lcores = wrong;
    expect_refused(scenario, "lcores");
  }
  scenario.lcores = 4;
  EXPECT_EQ(plan(scenario)->endpoint.max_exchanges, alone / 4);
  EXPECT_EQ(plan(scenario)->endpoint.credit_bytes, plan(Scenario())->endpoint.credit_bytes);
}

TEST(Scenario, pulls_stand_beside_calls_or_alone) {
  Scenario scenario;
  scenario.pulls = 8;
  expect_refused(scenario, "pulls");
  scenario.pattern = Pattern::kRpc;
  EXPECT_TRUE(plan(scenario).ok());
  scenario.pattern = Pattern::kNone;
  EXPECT_TRUE(plan(scenario).ok());
  scenario.pull_bytes = 0;
  expect_refused(scenario, "pull-bytes");
  scenario.pull_bytes = kMaxMessage + 1;
  expect_refused(scenario, "pull-bytes");
  scenario.pull_bytes = kMaxMessage;
  scenario.pulls = 1025;
  expect_refused(scenario, "pulls");
}

TEST(Scenario, a_fault_needs_a_spine_and_a_time_in_the_run) {
  Scenario scenario;
  scenario.topology = "single16-100g";
  scenario.dead_spine = picos(1);
  expect_refused(scenario, "dead-spine");
  scenario.topology = "leafspine144-100g";
  EXPECT_TRUE(plan(scenario).ok());
  scenario.dead_spine = scenario.duration;
  expect_refused(scenario, "dead-spine");
  scenario.dead_spine = {};
  scenario.slow_spine = scenario.duration;
  expect_refused(scenario, "slow-spine");
}

TEST(Scenario, tcp_flows_need_a_kind_and_what_it_lives_on) {
  Scenario scenario;
  scenario.tcp_flows = 3;
  expect_refused(scenario, "tcp:");
  scenario.tcp = *tcp_named("dctcp");
  ASSERT_TRUE(plan(scenario).ok());
  EXPECT_EQ(plan(scenario)->network.switches.ecn_host_bytes, 65u * 1538);
  scenario.ecn_host_bytes = 5000;
  EXPECT_EQ(plan(scenario)->network.switches.ecn_host_bytes, 5000u);
  scenario.tcp = *tcp_named("reno");
  expect_refused(scenario, "buffer");
  scenario.buffer_bytes = 4'000'000;
  ASSERT_TRUE(plan(scenario).ok());
  EXPECT_EQ(plan(scenario)->network.switches.alpha_sixteenths, 16u);
  scenario.ring_packets = 4;
  expect_refused(scenario, "ring");
  scenario.ring_packets = 0;
  scenario.tcp_priority = 8;
  expect_refused(scenario, "tcp-priority");
  scenario.tcp_priority = 7;
  scenario.tcp_flows = 70'000;
  expect_refused(scenario, "tcp-flows");
  scenario.tcp_flows = 0;
  scenario.buffer_bytes = 0;
  scenario.tcp = TcpKind::kDctcp;
  scenario.ideal = true;
  expect_refused(scenario, "policy");
  EXPECT_FALSE(tcp_named("cubic").ok());
  scenario = {};
  scenario.pattern = Pattern::kNone;
  expect_refused(scenario, "tcp:");
}

TEST(Scenario, what_the_network_is_told) {
  Scenario scenario;
  EXPECT_FALSE(plan(scenario)->network.detection_delay.has_value()) << "zero: never";
  scenario.routing = *routing_named("ecmp");
  scenario.detection = kMicro;
  scenario.stall_share = 0.5;
  scenario.stall = kMicro;
  const auto made = plan(scenario);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->network.routing, Routing::kEcmp);
  EXPECT_EQ(made->network.detection_delay, kMicro);
  EXPECT_EQ(made->network.hosts.stall_chance, chance(0.5));
  EXPECT_EQ(made->network.hosts.stall, kMicro);
  EXPECT_FALSE(routing_named("maze").ok());
}

TEST(Scenario, names_are_known_both_ways) {
  for (const char* name : {"homa", "sird", "hybrid", "fair"}) {
    const auto policy = policy_named(name);
    ASSERT_TRUE(policy.ok()) << name;
    EXPECT_EQ(policy_name(*policy), name);
    Scenario scenario;
    EXPECT_TRUE(set_policy(name, &scenario).ok());
    EXPECT_EQ(policy_name(scenario), name);
  }
  EXPECT_FALSE(policy_named("tcp").ok());
  for (const char* name : {"uniform", "rpc", "incast", "fanin", "saturate"}) {
    EXPECT_TRUE(pattern_named(name).ok()) << name;
  }
  EXPECT_FALSE(pattern_named("outcast").ok());
}

TEST(Packetisation, cuts_messages_into_full_packets_and_a_rest) {
  const Packetisation homa = homa_packetisation();
  EXPECT_EQ(homa.full_wire_bytes(), 1538u);
  EXPECT_EQ(homa.full_packets(1442), 1u);
  EXPECT_EQ(homa.last_wire_bytes(1442), 0u);
  EXPECT_EQ(homa.wire_bytes(1443), 1538u + 97);
  const auto made = plan(Scenario{});
  ASSERT_TRUE(made.ok());
  const Packetisation own = own_packetisation(*made);
  EXPECT_EQ(own.full_wire_bytes(), framed_bytes(1472));
  EXPECT_EQ(own.wire_bytes(1), 1u + 48 + 16 + kFramingBytes);
}

}  // namespace
}  // namespace sluice::sim
