// SPDX-License-Identifier: Apache-2.0
//
// How a port comes to say that software steers; devices that steer are a matter of hardware.
#include <gtest/gtest.h>

#include "engine/node.h"
#include "engine/port.h"
#include "engine_test_util.h"

namespace sluice::engine {
namespace {

std::string steering_of(const PortConfig& config, uint8_t lcores,
                        wire::Encapsulation encapsulation) {
  CableBox cables;
  PoolBox pools;
  auto port = Port::open(config, "n", lcores, &cables);
  if (!port.ok()) return std::string(port.status().message());
  std::vector<rte_mempool*> of_lcores;
  for (uint8_t i = 0; i < lcores; ++i) {
    of_lcores.push_back(pools.make("steer", 1023, (*port)->buffer_bytes(), -1));
  }
  const auto status = (*port)->configure(of_lcores, 7000, encapsulation);
  if (!status.ok()) return std::string(status.message());
  for (const ReportLine& line : (*port)->report().features) {
    if (line.what == "steering") return line.choice + ": " + line.why;
  }
  return "";
}

PortConfig null_port() {
  PortConfig port;
  port.device = "net_null9";
  port.addresses = {*parse_ip_prefix("10.0.0.1/24")};
  port.descriptors = 256;
  return port;
}

TEST(Steering, one_lcore_needs_none) {
  ASSERT_NE(test_eal(), nullptr);
  EXPECT_NE(steering_of(null_port(), 1, wire::Encapsulation::kUdp).find("none needed"),
            std::string::npos);
}

TEST(Steering, a_device_without_rules_leaves_it_to_software_and_says_so) {
  ASSERT_NE(test_eal(), nullptr);
  const std::string text = steering_of(null_port(), 2, wire::Encapsulation::kUdp);
  EXPECT_NE(text.find("software: the device takes no rte_flow rules"), std::string::npos) << text;
}

TEST(Steering, native_frames_and_disabled_offloads_are_steered_in_software) {
  ASSERT_NE(test_eal(), nullptr);
  EXPECT_NE(steering_of(null_port(), 2, wire::Encapsulation::kNative).find("native"),
            std::string::npos);
  PortConfig off = null_port();
  off.offloads = false;
  EXPECT_NE(steering_of(off, 2, wire::Encapsulation::kUdp).find("turned off"), std::string::npos);
}

}  // namespace
}  // namespace sluice::engine
