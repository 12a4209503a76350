// SPDX-License-Identifier: Apache-2.0
#include "raw_socket.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::attack {
namespace {

constexpr int kReceiveBuffer = 64 << 20;

[[noreturn]] void fail(const std::string& interface, const char* what) {
  std::fprintf(stderr, "attack_middle: %s: %s: %s\n", interface.c_str(), what,
               std::strerror(errno));
  std::exit(1);
}

}  // namespace

RawSocket::RawSocket(const std::string& interface) {
  descriptor_ = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
  if (descriptor_ < 0) fail(interface, "no raw socket");
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof(kReceiveBuffer));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0) fail(interface, "no such interface");
  if (bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    fail(interface, "cannot bind");
  }
  packet_mreq all{};
  all.mr_ifindex = address.sll_ifindex;
  all.mr_type = PACKET_MR_PROMISC;
  if (setsockopt(descriptor_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0) {
    fail(interface, "cannot listen to all");
  }
}

RawSocket::~RawSocket() { close(descriptor_); }

std::optional<Bytes> RawSocket::receive() {
  std::array<uint8_t, 65536> buffer;
  sockaddr_ll from{};
  socklen_t size = sizeof(from);
  const ssize_t length = recvfrom(descriptor_, buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &size);
  if (length <= 0 || from.sll_pkttype == PACKET_OUTGOING) return std::nullopt;
  return Bytes(buffer.begin(), buffer.begin() + length);
}

void RawSocket::send(std::span<const uint8_t> frame) {
  while (::send(descriptor_, frame.data(), frame.size(), 0) < 0) {
    // A frame that no interface takes, being too short or too long, is no attack.
    if (errno != ENOBUFS && errno != EAGAIN) return;
    pollfd room{descriptor_, POLLOUT, 0};
    poll(&room, 1, 1);
  }
}

}  // namespace sluice::attack
