// SPDX-License-Identifier: Apache-2.0
//
// Whole engines whose ports seal.
#ifndef SLUICE_TEST_UNIT_ENGINE_ENGINE_SEALING_H_
#define SLUICE_TEST_UNIT_ENGINE_ENGINE_SEALING_H_

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/engine.h"
#include "engine_test_util.h"
#include "test_application.h"

namespace sluice::engine {

// Two ends behind model NICs with so many contexts each; 0: none.
inline EngineConfig model_pair(const std::string& cable, uint32_t contexts, ModelEngine engine) {
  EngineConfig config = test_pair(cable);
  for (NodeConfig& node : config.nodes) {
    node.encapsulation = wire::Encapsulation::kNative;
    node.endpoint.peer_timeout = kFar;
    node.ports[0].model_contexts = contexts;
    node.ports[0].model_engine = engine;
  }
  return config;
}

inline transport::PeerAddress server(const char* address = "10.9.0.2") {
  return {*wire::parse_ip_address(address), kDefaultBasePort};
}

// What a node's lcores, endpoints and ports have counted.
inline std::map<std::string, uint64_t> counters(const Engine& engine, size_t node) {
  std::map<std::string, uint64_t> out;
  const auto add = [&](const char* name, const char*, uint64_t value) { out[name] += value; };
  for (const LcoreSnapshot& lcore : engine.lcores()) {
    if (lcore.node != node) continue;
    for_each_counter(*lcore.lcore_stats, add);
    for_each_counter(*lcore.endpoint_stats, add);
  }
  for (const PortSnapshot& port : engine.ports()) {
    if (port.node != node) continue;
    for (const auto& [name, value] : port.stats.extended) out[name] += value;
  }
  return out;
}

// Calls of a client until they are done; all complete.
inline void run_calls(Engine& engine, const CallApplication& client, uint64_t goal) {
  EXPECT_TRUE(eventually([&] { return client.done(); }));
  EXPECT_EQ(client.completed, goal);
  EXPECT_EQ(client.corrupt, 0u);
  EXPECT_EQ(counters(engine, 0)["dropped.tag"], 0u);
  EXPECT_EQ(counters(engine, 1)["dropped.tag"], 0u);
}

}  // namespace sluice::engine

#endif  // SLUICE_TEST_UNIT_ENGINE_ENGINE_SEALING_H_
