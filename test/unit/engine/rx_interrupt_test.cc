// SPDX-License-Identifier: Apache-2.0
#include "engine/rx_interrupt.h"

#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

#include "engine/node.h"
#include "engine/port.h"
#include "engine_test_util.h"

namespace sluice::engine {
namespace {

constexpr char kInterface[] = "sl-irq";

class RxInterrupts : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(test_eal(), nullptr); }

  std::unique_ptr<Port> open(const std::string& device) {
    PortConfig config;
    config.device = device;
    config.addresses = {*parse_ip_prefix("10.0.0.1/24")};
    config.descriptors = 256;
    auto port = Port::open(config, "n", 1, &cables_);
    if (!port.ok()) {
      ADD_FAILURE() << port.status();
      return nullptr;
    }
    (*port)->want_interrupts();
    pool_ = pools_.make("interrupts", 1023, (*port)->buffer_bytes(), -1);
    EXPECT_TRUE((*port)->configure({pool_}, 7000, wire::Encapsulation::kUdp).ok());
    EXPECT_TRUE((*port)->start().ok());
    return *std::move(port);
  }

  PoolBox pools_;
  CableBox cables_;
  rte_mempool* pool_ = nullptr;
};

TEST_F(RxInterrupts, a_device_without_them_is_named_with_what_to_do) {
  const auto port = open("net_null0");
  ASSERT_NE(port, nullptr);
  const auto found = port->interrupts_of(0);
  ASSERT_EQ(found.status().code(), absl::StatusCode::kUnimplemented);
  const std::string text(found.status().message());
  EXPECT_NE(text.find("net_null0"), std::string::npos) << text;
  EXPECT_NE(text.find("sleep:1ms"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_TRUE(port->interrupts_of(1)->empty()) << "an lcore without a queue waits for none";
}

bool readable(int file) {
  pollfd entry{file, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0;
}

// One frame for the device, from the kernel's side of it.
void send_frame() {
  const int wire = ::socket(AF_PACKET, SOCK_RAW, 0);
  ASSERT_GE(wire, 0);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex(kInterface));
  const std::array<uint8_t, 64> frame = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1};
  EXPECT_EQ(
      ::sendto(wire, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
      ssize_t{frame.size()});
  ::close(wire);
}

// On a thread, which alone is in a network namespace of its own.
TEST_F(RxInterrupts, net_tap_tells_of_a_packet_until_it_is_received) {
  std::string skipped;
  std::thread thread([&] {
    if (::unshare(CLONE_NEWNET) != 0 || ::access("/dev/net/tun", R_OK | W_OK) != 0) {
      skipped = "no network namespace, or no /dev/net/tun";
      return;
    }
    const auto port = open(std::string("net_tap0,iface=") + kInterface);
    ASSERT_NE(port, nullptr);
    const auto found = port->interrupts_of(0);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->size(), 1u);
    const RxInterrupt& interrupt = found->front();
    std::array<rte_mbuf*, 32> frames;
    const auto receive = [&] {
      const uint16_t count = rte_eth_rx_burst(port->id(), 0, frames.data(), frames.size());
      rte_pktmbuf_free_bulk(frames.data(), count);
      return count;
    };
    // The kernel may have had something to say when the interface came up.
    ASSERT_TRUE(eventually([&] { return receive() == 0 && !readable(interrupt.file()); }));
    interrupt.arm();
    send_frame();
    EXPECT_TRUE(readable(interrupt.file()));
    interrupt.clear();
    EXPECT_TRUE(readable(interrupt.file())) << "nobody else may take the packet";
    EXPECT_TRUE(eventually([&] { return receive() > 0; }));
    EXPECT_TRUE(eventually([&] { return receive() == 0 && !readable(interrupt.file()); }));
    interrupt.disarm();
  });
  thread.join();
  if (!skipped.empty()) GTEST_SKIP() << skipped;
}

}  // namespace
}  // namespace sluice::engine
