// SPDX-License-Identifier: Apache-2.0
#include "engine/device.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "engine/limits.h"

namespace sluice::engine {
namespace {

PortConfig good_port() {
  PortConfig port;
  port.device = "pair:a";
  port.addresses = {*parse_ip_prefix("10.0.0.1/24")};
  return port;
}

TEST(Device, reads_virtual_devices_with_arguments) {
  const auto spec = parse_device("net_memif0,role=server,id=3,zero-copy");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->kind, DeviceKind::kVirtual);
  EXPECT_EQ(spec->driver, "net_memif");
  EXPECT_EQ(spec->argument("id"), "3");
  EXPECT_EQ(spec->text(), "net_memif0,role=server,id=3,zero-copy");
}

TEST(Device, reads_pairs_ports_and_pci_addresses) {
  EXPECT_EQ(parse_device("pair:x")->kind, DeviceKind::kPair);
  EXPECT_EQ(parse_device("port:net_null0")->name, "net_null0");
  EXPECT_EQ(parse_device("0000:3b:00.1")->kind, DeviceKind::kPci);
  EXPECT_EQ(parse_device("3b:00.1,representor=0")->kind, DeviceKind::kPci);
  EXPECT_FALSE(parse_device("pair:").ok());
  EXPECT_FALSE(parse_device("").ok());
  EXPECT_FALSE(parse_device("pair:x,size=3").ok());
}

TEST(Device, packet_sockets_get_rings_that_hold_a_frame) {
  auto small = *parse_device("net_af_packet0,iface=nowhere");
  complete_device(&small, 2, 1500);
  EXPECT_EQ(small.argument("qpairs"), "2");
  EXPECT_FALSE(small.argument("framesz"));
  EXPECT_EQ(device_frame_bytes(small), 2048u);
  auto jumbo = *parse_device("net_af_packet0,iface=nowhere,qpairs=1");
  complete_device(&jumbo, 2, 9000);
  EXPECT_EQ(jumbo.argument("qpairs"), "1");
  EXPECT_EQ(jumbo.argument("framesz"), "12288");
  EXPECT_EQ(device_frame_bytes(jumbo), 12288u);
}

TEST(Device, memif_buffers_hold_a_whole_frame) {
  auto spec = *parse_device("net_memif0,role=client");
  complete_device(&spec, 1, 1500);
  EXPECT_FALSE(spec.argument("bsize"));
  complete_device(&spec, 1, 9000);
  EXPECT_EQ(spec.argument("bsize"), "9024");
}

TEST(Device, the_users_arguments_win) {
  auto spec = *parse_device("net_vhost0,iface=s,queues=4");
  complete_device(&spec, 2, 0);
  EXPECT_EQ(spec.text(), "net_vhost0,iface=s,queues=4");
}

TEST(Device, the_kernels_mtu_is_found_by_interface) {
  EXPECT_EQ(kernel_mtu(*parse_device("net_af_packet0,iface=lo")), 65536u);
  EXPECT_FALSE(kernel_mtu(*parse_device("net_af_packet0,iface=no-such-if")));
  EXPECT_FALSE(kernel_mtu(*parse_device("net_null0")));
}

// A Unix socket bound to `path`, which stays there when the socket is closed.
int bound_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

TEST(Device, only_a_socket_that_nobody_listens_on_is_removed) {
  const std::string path = testing::TempDir() + "/sluice-dead-" + std::to_string(::getpid());
  const auto listener = [&](const std::string& arguments) { return *parse_device(arguments); };
  const DeviceSpec server =
      listener("net_memif0,role=server,socket=" + path + ",socket-abstract=no");
  remove_dead_socket(server);
  const int fd = bound_socket(path);
  ASSERT_EQ(::listen(fd, 1), 0);
  remove_dead_socket(server);
  EXPECT_TRUE(std::filesystem::exists(path));
  ::close(fd);
  remove_dead_socket(listener("net_memif0,role=client,socket=" + path + ",socket-abstract=no"));
  remove_dead_socket(listener("net_memif0,role=server,socket=" + path));
  remove_dead_socket(listener("net_vhost0,client=1,iface=" + path));
  remove_dead_socket(listener("net_virtio_user0,path=" + path));
  EXPECT_TRUE(std::filesystem::exists(path));
  for (const char* form : {"net_vhost0,iface=", "net_virtio_user0,server=1,path="}) {
    remove_dead_socket(listener(form + path));
    EXPECT_FALSE(std::filesystem::exists(path)) << form;
    ::close(bound_socket(path));
  }
  remove_dead_socket(server);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(IpPrefix, is_read_with_and_without_length) {
  EXPECT_EQ(parse_ip_prefix("10.0.0.1/24")->length, 24);
  EXPECT_EQ(parse_ip_prefix("10.0.0.1")->length, 32);
  EXPECT_EQ(parse_ip_prefix("fd00::1/64")->length, 64);
  EXPECT_FALSE(parse_ip_prefix("10.0.0.1/33"));
  EXPECT_FALSE(parse_ip_prefix("10.0.0.1/x"));
  EXPECT_FALSE(parse_ip_prefix("host/24"));
}

TEST(PortConfig, each_mistake_is_named) {
  EXPECT_TRUE(check_port_config(good_port()).ok());
  const auto message = [](void (*spoil)(PortConfig*)) {
    PortConfig port = good_port();
    spoil(&port);
    return std::string(check_port_config(port).message());
  };
  EXPECT_NE(message([](PortConfig* p) { p->addresses.clear(); }).find("needs an IP address"),
            std::string::npos);
  EXPECT_NE(message([](PortConfig* p) {
              p->addresses.push_back(*parse_ip_prefix("10.0.0.2/24"));
            }).find("at most one IPv4"),
            std::string::npos);
  EXPECT_NE(message([](PortConfig* p) { p->mtu = 900; }).find("MTU"), std::string::npos);
  EXPECT_NE(message([](PortConfig* p) { p->mtu = 10'000; }).find("MTU"), std::string::npos);
  EXPECT_NE(message([](PortConfig* p) { p->vlan = 4095; }).find("VLAN"), std::string::npos);
  EXPECT_NE(message([](PortConfig* p) {
              p->model_contexts = limits::kMaxModelContexts + 1;
            }).find("contexts"),
            std::string::npos);
  EXPECT_NE(message([](PortConfig* p) { p->descriptors = 3; }).find("descriptors"),
            std::string::npos);
  EXPECT_NE(message([](PortConfig* p) { p->rx_faults.loss_ppm = 2'000'000; }).find("million"),
            std::string::npos);
  EXPECT_NE(message([](PortConfig* p) {
              p->addresses = {*parse_ip_prefix("224.0.0.1/4")};
            }).find("cannot be"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::engine
