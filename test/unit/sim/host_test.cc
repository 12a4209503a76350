// SPDX-License-Identifier: Apache-2.0
#include "sim/host.h"

#include <gtest/gtest.h>

#include "sim/scenario.h"
#include "sim/virtual_crypto.h"

namespace sluice::sim {
namespace {

// Two hosts of a planned scenario, without traffic of their own.
class HostPair : public testing::Test {
 protected:
  HostPair() : plan_(*plan(scenario())), network_(plan_.topology, plan_.network) {
    for (uint32_t i = 0; i < 2; ++i) {
      hosts_.push_back(
          std::make_unique<Host>(i, 1, plan_.endpoint, &backend_, &network_, &log_, &traffic_));
    }
    hosts_[0]->connect(1);
    hosts_[1]->connect(0);
  }

  static Scenario scenario() {
    Scenario scenario;
    scenario.topology = "single16-100g";
    return scenario;
  }

  struct Watch final : Traffic {
    void start(std::vector<std::unique_ptr<Host>>*) override {}
    void on_time(uint32_t host, Picos now) override { times.emplace_back(host, now); }
    void on_delivered(uint32_t host, Picos) override { delivered += host == 0 ? 1 : 0; }
    std::vector<std::pair<uint32_t, Picos>> times;
    int delivered = 0;
  };

  Plan plan_;
  VirtualBackend backend_;
  MessageLog log_;
  Network network_;
  Watch traffic_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

TEST_F(HostPair, messages_of_all_sizes_arrive_and_traffic_hears_of_it) {
  const uint32_t sizes[] = {1, 64, 512, 513, 1408, 1409, 100'000, 10'000'000};
  for (const uint32_t size : sizes) hosts_[0]->submit(1, size);
  network_.run_until(to_picos(base::millis(20)));
  EXPECT_EQ(log_.outstanding(), 0u);
  EXPECT_EQ(traffic_.delivered, 8);
  EXPECT_TRUE(hosts_[0]->idle());
  EXPECT_EQ(hosts_[0]->counters().failed, 0u);
}

TEST_F(HostPair, what_the_endpoint_has_no_room_for_waits_in_order) {
  const uint32_t many = plan_.endpoint.max_exchanges + 100;
  for (uint32_t i = 0; i < many; ++i) hosts_[0]->submit(1, 64);
  EXPECT_GE(hosts_[0]->counters().backlogged, 100u);
  EXPECT_FALSE(hosts_[0]->idle());
  network_.run_until(to_picos(base::millis(50)));
  EXPECT_EQ(log_.outstanding(), 0u);
  EXPECT_TRUE(hosts_[0]->idle());
}

TEST_F(HostPair, lcores_share_the_link_and_take_messages_each) {
  Network network(plan_.topology, plan_.network);
  MessageLog log;
  std::vector<std::unique_ptr<Host>> hosts;
  for (uint32_t i = 0; i < 2; ++i) {
    hosts.push_back(
        std::make_unique<Host>(i, 4, plan_.endpoint, &backend_, &network, &log, nullptr));
  }
  hosts[0]->connect(1);
  hosts[1]->connect(0);
  for (int i = 0; i < 40; ++i) hosts[0]->submit(1, 200'000);
  network.run_until(to_picos(base::millis(20)));
  EXPECT_EQ(log.outstanding(), 0u);
  EXPECT_TRUE(hosts[0]->idle() && hosts[1]->idle());
  ASSERT_EQ(hosts[0]->lcores(), 4u);
  for (uint32_t lcore = 0; lcore < 4; ++lcore) {
    EXPECT_GT(hosts[0]->stats(lcore).tx_data_packets.value(), 100u) << lcore;
    EXPECT_GT(hosts[1]->stats(lcore).grants_sent.value(), 0u) << lcore;
  }
}

TEST_F(HostPair, the_earliest_wake_asked_for_counts) {
  hosts_[0]->wake_traffic(picos(5000));
  hosts_[0]->wake_traffic(picos(3000));
  hosts_[0]->wake_traffic(picos(9000));
  network_.run_until(picos(20'000));
  ASSERT_EQ(traffic_.times.size(), 1u);
  EXPECT_EQ(traffic_.times[0], std::make_pair(0u, picos(3000)));
}

TEST_F(HostPair, trimmed_packets_are_counted_and_made_good) {
  Scenario tight = scenario();
  tight.trim = true;
  tight.policy = transport::GrantPolicyKind::kHoma;
  tight.buffer_bytes = 20'000;
  tight.pattern = Pattern::kUniform;
  const auto made = plan(tight);
  ASSERT_TRUE(made.ok()) << made.status();
  Network network(made->topology, made->network);
  MessageLog log;
  std::vector<std::unique_ptr<Host>> hosts;
  for (uint32_t i = 0; i < 8; ++i) {
    hosts.push_back(
        std::make_unique<Host>(i, 1, made->endpoint, &backend_, &network, &log, nullptr));
  }
  for (uint32_t i = 1; i < 8; ++i) {
    hosts[i]->connect(0);
    hosts[0]->connect(i);
  }
  for (uint32_t i = 1; i < 8; ++i) hosts[i]->submit(0, 80'000);
  network.run_until(to_picos(base::millis(100)));
  EXPECT_GT(hosts[0]->counters().trimmed, 0u);
  EXPECT_EQ(log.outstanding(), 0u);
}

}  // namespace
}  // namespace sluice::sim
