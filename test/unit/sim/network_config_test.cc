// SPDX-License-Identifier: Apache-2.0
#include "sim/network_config.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

class NetworkConfigTest : public testing::Test {
 protected:
  void expect_refused(absl::string_view field) {
    const absl::Status status = validate(config_);
    ASSERT_FALSE(status.ok());
    EXPECT_TRUE(status.message().substr(0, field.size()) == field) << status.message();
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
  }

  NetworkConfig config_;
};

TEST_F(NetworkConfigTest, the_defaults_are_valid) { EXPECT_TRUE(validate(config_).ok()); }

TEST_F(NetworkConfigTest, priorities_are_one_to_eight) {
  config_.switches.priorities = 0;
  expect_refused("switches.priorities:");
  config_.switches.priorities = 9;
  expect_refused("switches.priorities:");
  config_.switches.priorities = 1;
  EXPECT_TRUE(validate(config_).ok());
}

TEST_F(NetworkConfigTest, ranked_queues_have_no_limit) {
  config_.switches.discipline = Discipline::kRanked;
  EXPECT_TRUE(validate(config_).ok());
  config_.switches.port_bytes = 1;
  expect_refused("switches.discipline:");
}

TEST_F(NetworkConfigTest, a_dynamic_threshold_needs_a_buffer) {
  config_.switches.alpha_sixteenths = 16;
  expect_refused("switches.alpha_sixteenths:");
  config_.switches.buffer_bytes = 1'000'000;
  EXPECT_TRUE(validate(config_).ok());
}

TEST_F(NetworkConfigTest, a_ring_asks_for_packets_at_some_mark) {
  config_.hosts.refill_bytes = 0;
  expect_refused("hosts.refill_bytes:");
}

TEST_F(NetworkConfigTest, packets_are_needed_and_named_in_32_bits) {
  config_.packets = 0;
  expect_refused("packets:");
  config_.packets = UINT32_MAX;
  expect_refused("packets:");
}

TEST_F(NetworkConfigTest, samples_need_a_period) {
  config_.max_samples = 1;
  expect_refused("sample_period:");
  config_.sample_period = Picos(1);
  EXPECT_TRUE(validate(config_).ok());
}

TEST(Chance, scales_to_32_bits) {
  EXPECT_EQ(chance(0), 0u);
  EXPECT_EQ(chance(0.5), 1u << 31);
  EXPECT_EQ(chance(1), UINT32_MAX);
  EXPECT_EQ(chance(2), UINT32_MAX);
}

TEST(LossModel, is_none_when_nothing_can_happen) {
  EXPECT_TRUE(LossModel{}.none());
  EXPECT_FALSE(LossModel{.loss = 1}.none());
  EXPECT_FALSE(LossModel{.corrupt = 1}.none());
  EXPECT_TRUE((LossModel{.loss_bad = 1, .leave_bad = 1}).none());
  EXPECT_TRUE((LossModel{.enter_bad = 1, .leave_bad = 1}).none());
  EXPECT_FALSE((LossModel{.loss_bad = 1, .enter_bad = 1}).none());
}

}  // namespace
}  // namespace sluice::sim
