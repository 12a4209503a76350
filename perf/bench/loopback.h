// SPDX-License-Identifier: Apache-2.0
//
// TCP sockets on the loopback interface. Where the kernel refuses one, the program ends and says
// so.
#ifndef SLUICE_PERF_BENCH_LOOPBACK_H_
#define SLUICE_PERF_BENCH_LOOPBACK_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::bench {

[[noreturn]] inline void socket_failed(const char* what) {
  std::fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, std::strerror(errno));
  std::exit(1);
}

inline sockaddr_in loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// A listening socket, whose port the kernel chose and this prints: `port N`.
inline int listen_on_loopback() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof(address);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, plain, length) != 0 || listen(listener, 128) != 0 ||
      getsockname(listener, plain, &length) != 0) {
    socket_failed("cannot listen on the loopback interface");
  }
  std::printf("port %u\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

// A connected one, which blocks.
inline int connect_on_loopback(uint16_t port) {
  const int connected = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (connected < 0 ||
      connect(connected, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    socket_failed("cannot connect");
  }
  return connected;
}

}  // namespace sluice::bench

#endif  // SLUICE_PERF_BENCH_LOOPBACK_H_
