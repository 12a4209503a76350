// SPDX-License-Identifier: Apache-2.0
#include "engine/port.h"

#include <gtest/gtest.h>

#include "engine/node.h"
#include "engine_test_util.h"

namespace sluice::engine {
namespace {

PortConfig port_of(const std::string& device, const std::string& address = "10.0.0.1/24") {
  PortConfig port;
  port.device = device;
  port.addresses = {*parse_ip_prefix(address)};
  port.descriptors = 256;
  return port;
}

class PortTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(test_eal(), nullptr); }
  absl::Status configure(Port* port, uint8_t lcores) {
    std::vector<rte_mempool*> of_lcores;
    for (uint8_t i = 0; i < lcores; ++i) {
      of_lcores.push_back(pools.make("test", 1023, port->buffer_bytes(), -1));
    }
    return port->configure(of_lcores, 7000, wire::Encapsulation::kUdp);
  }
  PoolBox pools;
  CableBox cables;
};

TEST_F(PortTest, a_null_device_opens_starts_and_closes) {
  auto port = Port::open(port_of("net_null0"), "n", 1, &cables);
  ASSERT_TRUE(port.ok()) << port.status();
  EXPECT_EQ((*port)->report().driver, "net_null");
  EXPECT_EQ((*port)->mtu(), 1500u);
  EXPECT_FALSE((*port)->mac().is_zero());
  ASSERT_TRUE(configure(port->get(), 1).ok());
  ASSERT_TRUE((*port)->start().ok());
  EXPECT_TRUE((*port)->link_up());
  port->reset();
  // Its name is free again.
  auto again = Port::open(port_of("net_null0"), "n", 1, &cables);
  EXPECT_TRUE(again.ok()) << again.status();
}

TEST_F(PortTest, a_cable_gives_each_side_the_queues_it_needs) {
  ASSERT_TRUE(cables.add_end("c", 1, 256).ok());
  ASSERT_TRUE(cables.add_end("c", 2, 256).ok());
  ASSERT_TRUE(cables.check().ok());
  auto a = Port::open(port_of("pair:c"), "a", 1, &cables);
  auto b = Port::open(port_of("pair:c", "10.0.0.2/24"), "b", 2, &cables);
  ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
  EXPECT_EQ((*a)->rx_queues_of(0), (std::vector<uint16_t>{0, 1}));
  EXPECT_EQ((*a)->tx_queue_of(0), 0);
  EXPECT_EQ((*b)->rx_queues_of(0), (std::vector<uint16_t>{0}));
  EXPECT_TRUE((*b)->rx_queues_of(1).empty());
  EXPECT_EQ((*b)->tx_queue_of(1), 1);
  EXPECT_TRUE(configure(a->get(), 1).ok());
  EXPECT_TRUE(configure(b->get(), 2).ok());
  EXPECT_NE((*a)->mac(), (*b)->mac());
}

TEST_F(PortTest, cables_have_two_ends) {
  ASSERT_TRUE(cables.add_end("one", 1, 256).ok());
  EXPECT_NE(std::string(cables.check().message()).find("one end only"), std::string::npos);
  ASSERT_TRUE(cables.add_end("one", 1, 256).ok());
  EXPECT_NE(std::string(cables.add_end("one", 1, 256).message()).find("third port"),
            std::string::npos);
}

TEST_F(PortTest, mistakes_are_said_in_one_line) {
  const struct {
    const char* device;
    const char* says;
  } cases[] = {
      {"net_nothing0", "no such device"},
      {"net_af_packet0,iface=no-such-if", "cannot open net_af_packet0"},
      {"port:net_null77", "no port net_null77"},
      {"net_pcap0,rx_pcap=/no/such/file.pcap", "cannot open net_pcap0"},
  };
  for (const auto& each : cases) {
    const auto port = Port::open(port_of(each.device), "n", 1, &cables);
    ASSERT_FALSE(port.ok()) << each.device;
    const std::string text(port.status().message());
    EXPECT_NE(text.find(each.says), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST_F(PortTest, counts_what_the_device_counts) {
  auto port = Port::open(port_of("net_null5"), "n", 1, &cables);
  ASSERT_TRUE(port.ok());
  ASSERT_TRUE(configure(port->get(), 1).ok());
  ASSERT_TRUE((*port)->start().ok());
  EXPECT_EQ((*port)->stats().rx_packets, 0u);
  EXPECT_FALSE((*port)->stats().extended.empty());
  (*port)->clear_stats();
}

}  // namespace
}  // namespace sluice::engine
