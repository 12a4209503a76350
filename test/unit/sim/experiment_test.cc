// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment.h"

#include <gtest/gtest.h>

#include <algorithm>
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
    EXPECT_EQ(experiment->host(i).stats(0).tx_retransmitted.value(), 0u) << "nothing was lost";
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
  EXPECT_GE(report.last_done, report.least);
  EXPECT_LT(static_cast<double>(report.last_done.value()),
            static_cast<double>(report.least.value()) * 1.05);
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

// A spine dies among steady traffic: what was sent into it comes another way.
TEST(Experiment, a_dead_spine_is_felt_until_switches_route_around_it) {
  Scenario scenario;
  scenario.topology = "leafspine144-10g";
  scenario.workload = "1400";  // Many small ones: as much arrives in any 50 us.
  scenario.load = 0.6;
  scenario.warmup = to_picos(base::micros(100));
  scenario.duration = to_picos(base::micros(1000));
  scenario.drain = to_picos(base::millis(5));
  scenario.dead_spine = to_picos(base::micros(400));
  const Report never = report_of(*run(scenario));
  scenario.detection = to_picos(base::micros(100));
  const Report detected = report_of(*run(scenario));
  EXPECT_TRUE(never.fault && detected.fault);
  EXPECT_EQ(detected.delivered, detected.submitted);
  EXPECT_GT(detected.retransmitted, 0u);
  EXPECT_EQ(never.submitted, detected.submitted);
  EXPECT_GT(never.dropped_packets, detected.dropped_packets * 3);
  EXPECT_GT(detected.dropped_packets, 0u);
  EXPECT_FALSE(never.recovered.has_value()) << "a quarter of all packets is lost for good";
  ASSERT_TRUE(detected.recovered.has_value());
  EXPECT_LT(*detected.recovered, to_picos(base::micros(300)));
}

TEST(Experiment, a_slow_spine_delays_and_loses_nothing) {
  Scenario scenario;
  scenario.topology = "leafspine144-10g";
  scenario.workload = "20000";
  scenario.load = 0.5;
  scenario.duration = to_picos(base::millis(1));
  const Report whole = report_of(*run(scenario));
  scenario.slow_spine = to_picos(base::micros(200));
  const Report slow = report_of(*run(scenario));
  EXPECT_EQ(slow.dropped_packets, 0u);
  EXPECT_EQ(slow.delivered, slow.submitted);
  EXPECT_GT(slow.max_port_bytes, whole.max_port_bytes);
  EXPECT_GT(slow.groups.front().p99, whole.groups.front().p99);
}

TEST(Experiment, a_permutation_gives_everyone_one_message) {
  Scenario scenario = small();
  scenario.pattern = Pattern::kPermutation;
  scenario.incast_bytes = 100'000;
  const auto experiment = run(scenario);
  EXPECT_EQ(report_of(*experiment).delivered, 16u);
}

// Nothing overtakes there, so that a short message waits for all that its receiver was sent before.
TEST(Experiment, in_one_class_the_hybrid_keeps_little_under_way) {
  Scenario scenario;
  scenario.topology = "single16-10g";
  scenario.workload = "W3";
  scenario.warmup = to_picos(base::millis(2));
  scenario.duration = to_picos(base::millis(2));
  scenario.priorities = 1;
  const auto p99 = [&scenario](transport::GrantPolicyKind policy) {
    scenario.policy = policy;
    const auto groups = report_of(*run(scenario)).groups;
    return std::find_if(groups.begin(), groups.end(),
                        [](const SlowdownGroup& group) { return group.name == "short"; })
        ->p99;
  };
  const double hybrid = p99(transport::GrantPolicyKind::kHybrid);
  EXPECT_LT(hybrid, 4);
  EXPECT_LT(hybrid * 4, p99(transport::GrantPolicyKind::kHoma));
}

TEST(Experiment, hosts_that_stop_are_counted_and_take_longer) {
  Scenario scenario = small();
  const Report steady = report_of(*run(scenario));
  scenario.stall_share = 0.001;
  const Report stopping = report_of(*run(scenario));
  EXPECT_EQ(steady.stalls, 0u);
  EXPECT_GT(stopping.stalls, 5u);
  EXPECT_EQ(stopping.delivered, stopping.submitted);
  EXPECT_GT(stopping.groups.front().p999, steady.groups.front().p999);
}

TEST(Experiment, a_backlog_grows_where_more_is_offered_than_links_carry) {
  Scenario scenario = small();
  scenario.workload = "10000";
  scenario.duration = to_picos(base::millis(1));
  scenario.drain = Picos(1);
  EXPECT_LT(std::abs(report_of(*run(scenario)).backlog_growth), 0.02);
  scenario.load = 1.2;
  const Report over = report_of(*run(scenario));
  EXPECT_GT(over.backlog_growth, 0.1);
  EXPECT_GT(over.backlog_bytes, 0u);
}

// Eight pulls of 20 KB from 15 others fill most of the links alone; beside calls they take what
// these leave, and the calls are what is measured.
TEST(Experiment, pulls_take_what_calls_leave) {
  Scenario scenario = small();
  scenario.pattern = Pattern::kNone;
  scenario.pulls = 8;
  scenario.pull_bytes = 20'000;
  const auto alone = run(scenario);
  const Report filled = report_of(*alone);
  EXPECT_TRUE(filled.groups.empty());
  EXPECT_EQ(filled.submitted, 0u);
  EXPECT_TRUE(filled.pulls);
  EXPECT_GT(filled.pulled_fraction, 0.6);
  EXPECT_LT(filled.pulled_fraction, 1.0);
  EXPECT_EQ(alone->log().outstanding(), 0u) << "none is begun after the window";
  scenario.pattern = Pattern::kRpc;
  const Report beside = report_of(*run(scenario));
  scenario.pulls = 0;
  const Report without = report_of(*run(scenario));
  EXPECT_FALSE(without.pulls);
  EXPECT_EQ(beside.submitted, without.submitted) << "the same calls";
  EXPECT_EQ(beside.delivered, beside.submitted);
  EXPECT_GT(beside.goodput_fraction, without.goodput_fraction * 1.2);
  EXPECT_GT(beside.pulled_fraction, 0.6);
  EXPECT_LT(beside.pulled_fraction, 1.0);
}

// Without the board they would promise the link four times over, and the queue would be longer than
// that of one lcore by as much.
TEST(Experiment, four_lcores_queue_little_more_than_one) {
  Scenario scenario = small();
  scenario.pattern = Pattern::kIncast;
  scenario.senders = 15;
  scenario.incast_bytes = 500'000;
  const auto one = run(scenario);
  scenario.lcores = 4;
  const auto four = run(scenario);
  EXPECT_EQ(four->log().outstanding(), 0u);
  const uint64_t credit = four->plan().endpoint.credit_bytes;
  EXPECT_LT(report_of(*four).max_host_port_bytes,
            report_of(*one).max_host_port_bytes + credit * 3 / 2);
  EXPECT_NEAR(static_cast<double>(report_of(*four).last_done.value()) /
                  static_cast<double>(report_of(*one).last_done.value()),
              1.0, 0.01);
}

// Each host has its number of pulls under way from the beginning to the end.
TEST(Experiment, as_many_pulls_are_under_way_as_asked_for) {
  Scenario scenario = small();
  scenario.pattern = Pattern::kNone;
  scenario.pulls = 3;
  const auto experiment = run(scenario);
  const Picos middle = experiment->window_begin() + to_picos(base::micros(100));
  std::vector<uint32_t> under_way(16);
  for (const MessageRecord& record : experiment->log().records()) {
    ASSERT_TRUE(record.pull && record.delivered());
    EXPECT_EQ(record.size, scenario.pull_bytes);
    if (record.start <= middle && record.done > middle) ++under_way[record.dst];
  }
  EXPECT_EQ(under_way, std::vector<uint32_t>(16, 3));
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
  // Messages of 100 KB are full packets, but for the last.
  const Report report = report_of(*experiment);
  EXPECT_NEAR(report.data_share, report.goodput_fraction, 0.01);
  EXPECT_LT(report.data_share, report.wire_share) << "grants take some";
}

}  // namespace
}  // namespace sluice::sim
