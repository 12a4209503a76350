// SPDX-License-Identifier: Apache-2.0
//
// A real engine with two nodes that are joined by a cable inside the process: no device, no root,
// no huge pages.
#ifndef SLUICE_TEST_UNIT_API_TEST_ENGINE_H_
#define SLUICE_TEST_UNIT_API_TEST_ENGINE_H_

#include <gtest/gtest.h>
#include <sched.h>

#include <memory>
#include <string>
#include <utility>

#include "sluice/sluice.h"

namespace sluice::testing_support {

constexpr uint32_t kClient = 0;
constexpr uint32_t kServer = 1;
constexpr uint64_t kSecond = 1'000'000'000;

// How long a test waits for what takes microseconds: other work may starve it.
constexpr uint64_t kPatience = 60 * kSecond;

// The first CPU that this process may run on. The lcores of all tests share it, and so give way to
// the test's own threads and to other tests.
inline uint32_t first_cpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  uint32_t cpu = 0;
  while (cpu + 1 < CPU_SETSIZE && !CPU_ISSET(cpu, &set)) ++cpu;
  return cpu;
}

inline EngineOptions two_nodes(Handler* server) {
  static int cable = 0;
  EngineOptions options;
  const std::string device = "pair:api" + std::to_string(cable++);
  for (uint32_t i = 0; i < 2; ++i) {
    NodeOptions node;
    node.name = i == kClient ? "client" : "server";
    PortOptions port;
    port.device = device;
    port.addresses = {i == kClient ? "10.9.0.1/24" : "10.9.0.2/24"};
    port.descriptors = 256;
    node.ports = {port};
    node.accept = i == kServer;
    node.handler = i == kServer ? server : nullptr;
    options.nodes.push_back(node);
  }
  options.crypto.psk.assign(32, 0x42);
  options.eal.huge_pages = HugePages::kNo;
  options.eal.cpus = {first_cpu(), first_cpu()};
  options.limits.arena_bytes = 8u << 20;
  options.limits.max_exchanges = 2048;
  options.limits.max_lanes = 16;
  options.limits.max_sessions = 64;
  options.limits.peer_timeout_ns = kPatience;
  options.record_latency = true;
  options.log_level = LogLevel::kError;
  return options;
}

// An engine that runs, with a session from client to server.
struct Running {
  std::unique_ptr<Engine> engine;
  Session session;

  explicit Running(Handler* server) : Running(two_nodes(server)) {}
  explicit Running(const EngineOptions& options) {
    auto made = Engine::create(options);
    EXPECT_TRUE(made.ok()) << made.status();
    if (!made.ok()) return;
    engine = *std::move(made);
    const absl::Status started = engine->start();
    EXPECT_TRUE(started.ok()) << started;
    auto connected = engine->connect(kClient, "10.9.0.2", kPatience);
    EXPECT_TRUE(connected.ok()) << connected.status();
    if (connected.ok()) session = *connected;
  }
  bool good() const { return engine != nullptr && session.valid(); }
};

class Echo : public Handler {
 public:
  void on_request(Request& request) override { request.respond(request.data(), request.length()); }
};

}  // namespace sluice::testing_support

#endif  // SLUICE_TEST_UNIT_API_TEST_ENGINE_H_
