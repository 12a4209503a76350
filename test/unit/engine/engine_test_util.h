// SPDX-License-Identifier: Apache-2.0
//
// DPDK's environment for the unit tests of the engine (one per process), and configurations.
#ifndef SLUICE_TEST_UNIT_ENGINE_ENGINE_TEST_UTIL_H_
#define SLUICE_TEST_UNIT_ENGINE_ENGINE_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/types.h"
#include "engine/config.h"
#include "engine/eal.h"
#include "engine/engine.h"

namespace sluice::engine {

// Without huge pages and with room for every test of the process.
inline EalConfig test_eal_config() {
  EalConfig config;
  config.huge_pages = HugePages::kNo;
  config.memory_mb = 256;
  config.lcores = 6;
  config.arguments = {"--vdev=crypto_aesni_gcm0"};
  return config;
}

inline Eal* test_eal() {
  auto eal = Eal::acquire(test_eal_config(), EalNeeds{.memory_mb = 64, .lcores = 6});
  if (!eal.ok()) ADD_FAILURE() << eal.status();
  return eal.ok() ? *eal : nullptr;
}

inline crypto::Psk test_psk(uint8_t fill = 7) {
  const std::vector<uint8_t> bytes(32, fill);
  return crypto::Psk(bytes);
}

// A small node with one port.
inline NodeConfig test_node(const std::string& name, const std::string& device,
                            const std::vector<std::string>& addresses) {
  NodeConfig node;
  node.name = name;
  node.psks = {test_psk()};
  node.endpoint.arena_bytes = 4u << 20;
  node.endpoint.max_exchanges = 1024;
  node.endpoint.max_lanes = 16;
  node.endpoint.max_reassemblies = 256;
  PortConfig port;
  port.device = device;
  for (const std::string& address : addresses) port.addresses.push_back(*parse_ip_prefix(address));
  port.descriptors = 256;
  node.ports = {port};
  return node;
}

// A client and a server on the two ends of a cable.
inline EngineConfig test_pair(const std::string& cable) {
  EngineConfig config;
  config.eal = test_eal_config();
  config.nodes = {test_node("client", "pair:" + cable, {"10.9.0.1/24", "fd00:9::1/64"}),
                  test_node("server", "pair:" + cable, {"10.9.0.2/24", "fd00:9::2/64"})};
  config.nodes[1].accept = true;
  return config;
}

// What no test that works waits for, on a machine however busy.
inline constexpr base::Nanos kFar = base::seconds(60);

// From the first node of test_pair() to the second.
inline ConnectRequest test_request() {
  return {.peer = {*wire::parse_ip_address("10.9.0.2"), kDefaultBasePort},
          .peer_name = {},
          .timeout = base::seconds(3),
          .resume = true,
          .calls = nullptr};
}

// Waits for `condition`, up to kFar; a test that fails here would hang otherwise.
inline bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(kFar.value());
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

}  // namespace sluice::engine

#endif  // SLUICE_TEST_UNIT_ENGINE_ENGINE_TEST_UTIL_H_
