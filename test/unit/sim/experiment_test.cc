// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/report.h"

namespace sluice::sim {
namespace {

std::unique_ptr<Experiment> run(const Scenario& scenario) {
  auto experiment = Experiment::create(scenario);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  (*experiment)->run();
  return *std::move(experiment);
}

Scenario small() {
  Scenario scenario;
  scenario.topology = "single16-100g";
  scenario.workload = "W3";
  scenario.load = 0.5;
  scenario.duration = to_picos(base::micros(200));
  return scenario;
}

TEST(Experiment, every_message_of_w3_on_one_switch_is_delivered_once) {
  const auto experiment = run(small());
  EXPECT_GT(experiment->log().records().size(), 500u);
  EXPECT_EQ(experiment->log().outstanding(), 0u);
  EXPECT_TRUE(experiment->network().conserved());
  for (uint32_t i = 0; i < 16; ++i) {
    EXPECT_EQ(experiment->host(i).counters().failed, 0u);
    EXPECT_EQ(experiment->host(i).counters().lanes_down, 0u);
    EXPECT_EQ(experiment->host(i).stats().tx_retransmitted.value(), 0u) << "nothing was lost";
  }
}

TEST(Experiment, a_message_alone_takes_what_the_closed_form_says) {
  for (const char* size : {"1", "500", "1408", "1409", "20000", "60000"}) {
    Scenario scenario = small();
    scenario.workload = size;
    scenario.policy = transport::GrantPolicyKind::kHoma;  // All of it goes unasked.
    scenario.pattern = Pattern::kIncast;
    scenario.senders = 1;
    scenario.incast_bytes = static_cast<uint32_t>(std::stoul(size));
    const auto experiment = run(scenario);
    const MessageRecord& record = experiment->log().records().front();
    ASSERT_TRUE(record.delivered()) << size;
    const double slowdown = experiment->slowdown(record, own_packetisation(experiment->plan()));
    EXPECT_NEAR(slowdown, 1.0, 1e-6) << size;
  }
}

// Nobody can deliver short messages sooner than a network with endless priorities and buffers does,
// but for the packets that are under way already.
TEST(Experiment, the_ideal_network_bounds_every_policy) {
  Scenario scenario = small();
  ASSERT_TRUE(set_policy("ideal", &scenario).ok());
  const Report ideal = report_of(*run(scenario));
  EXPECT_EQ(ideal.grants, 0u);
  EXPECT_EQ(ideal.delivered, ideal.submitted);
  for (const char* policy : {"homa", "sird", "hybrid", "fair"}) {
    ASSERT_TRUE(set_policy(policy, &scenario).ok());
    const Report report = report_of(*run(scenario));
    EXPECT_EQ(report.submitted, ideal.submitted) << "the same messages";
    EXPECT_GE(report.groups[0].p50, ideal.groups[0].p50 * 0.98) << policy;
  }
}

TEST(Experiment, same_seed_same_run_and_another_seed_another) {
  Scenario scenario = small();
  const uint64_t hash = run(scenario)->hash();
  EXPECT_EQ(run(scenario)->hash(), hash);
  scenario.seed = 2;
  EXPECT_NE(run(scenario)->hash(), hash);
}

TEST(Experiment, the_offered_load_is_what_was_asked_for) {
  Scenario scenario = small();
  scenario.workload = "W2";
  scenario.duration = to_picos(base::millis(1));
  const auto experiment = run(scenario);
  uint64_t bytes = 0;
  const Packetisation packets = own_packetisation(experiment->plan());
  for (const MessageRecord& record : experiment->log().records()) {
    bytes += packets.wire_bytes(record.size);
  }
  // 16 hosts at 100 Gb/s for 1 ms carry 200 MB; the sizes' spread leaves a few per cent.
  EXPECT_NEAR(static_cast<double>(bytes) / 200e6, 0.5, 0.04);
}

TEST(Experiment, losses_are_made_good) {
  Scenario scenario = small();
  scenario.loss = 0.01;
  const auto experiment = run(scenario);
  EXPECT_EQ(experiment->log().outstanding(), 0u);
  EXPECT_GT(experiment->network().totals().dropped(Drop::kLoss), 0u);
  EXPECT_GT(report_of(*experiment).retransmitted, 0u);
}

TEST(Experiment, an_incast_keeps_the_receivers_link_busy) {
  Scenario scenario = small();
  scenario.pattern = Pattern::kIncast;
  scenario.senders = 15;
  scenario.incast_bytes = 500'000;
  const auto experiment = run(scenario);
  const Report report = report_of(*experiment);
  EXPECT_EQ(report.delivered, 15u);
  const Packetisation packets = own_packetisation(experiment->plan());
  const double ideal = 15.0 * static_cast<double>(packets.wire_bytes(500'000)) * 80;
  const Picos took = report.last_done;
  EXPECT_LT(static_cast<double>(took.value()) / ideal, 1.05);
}

TEST(Experiment, calls_get_their_responses) {
  Scenario scenario = small();
  scenario.pattern = Pattern::kRpc;
  for (const char* policy : {"homa", "sird", "hybrid", "fair"}) {
    ASSERT_TRUE(set_policy(policy, &scenario).ok());
    const auto experiment = run(scenario);
    EXPECT_GT(experiment->log().records().size(), 500u);
    EXPECT_EQ(experiment->log().outstanding(), 0u) << policy;
    for (uint32_t i = 0; i < 16; ++i) EXPECT_EQ(experiment->host(i).counters().failed, 0u);
  }
}

// Each request carries the credit for its response: one that answers to many calls at once is not
// buried by them.
TEST(Experiment, responses_to_many_calls_come_as_there_is_credit_for_them) {
  const auto longest_queue = [](const char* policy) {
    Scenario scenario = small();
    EXPECT_TRUE(set_policy(policy, &scenario).ok());
    scenario.pattern = Pattern::kFanin;
    scenario.senders = 15;
    scenario.incast_bytes = 50'000;
    const Report report = report_of(*run(scenario));
    EXPECT_EQ(report.delivered, 15u);
    return report.max_port_bytes;
  };
  const uint64_t unsolicited = longest_queue("homa");
  const uint64_t solicited = longest_queue("hybrid");
  EXPECT_GT(unsolicited, 400'000u) << "what 15 senders send unasked, nearly all at once";
  EXPECT_LT(solicited * 4, unsolicited);
}

TEST(Experiment, saturated_hosts_fill_their_links) {
  Scenario scenario = small();
  scenario.pattern = Pattern::kSaturate;
  scenario.workload = "100000";
  scenario.warmup = to_picos(base::micros(200));
  scenario.duration = to_picos(base::millis(1));
  const auto experiment = run(scenario);
  EXPECT_GT(report_of(*experiment).goodput_fraction, 0.8);
  EXPECT_LE(report_of(*experiment).goodput_fraction, 1.0);
}

}  // namespace
}  // namespace sluice::sim
