// SPDX-License-Identifier: Apache-2.0
#include "engine/engine_impl.h"

#include <gtest/gtest.h>

#include "engine_test_util.h"

namespace sluice::engine {
namespace {

using Cpus = std::vector<std::vector<uint32_t>>;

TEST(SharedCpus, are_found) {
  EXPECT_EQ(find_shared(Cpus{{0}, {1}}, 2), (std::vector<bool>{false, false}));
  EXPECT_EQ(find_shared(Cpus{{0}, {0}, {1}}, 2), (std::vector<bool>{true, true, false}));
  EXPECT_EQ(find_shared(Cpus{{0, 1}}, 2), (std::vector<bool>{false}));
  EXPECT_EQ(find_shared(Cpus{{0, 1}, {0, 1}, {0, 1}}, 2), (std::vector<bool>{true, true, true}));
  // With a single CPU there is always somebody else, if only the control thread.
  EXPECT_EQ(find_shared(Cpus{{0}}, 1), (std::vector<bool>{true}));
}

std::string create_error(void (*spoil)(EngineConfig*)) {
  EngineConfig config = test_pair("bad");
  spoil(&config);
  const auto engine = Engine::create(std::move(config));
  return engine.ok() ? "" : std::string(engine.status().message());
}

TEST(EngineConfig, mistakes_are_said_before_anything_starts) {
  EXPECT_NE(create_error([](EngineConfig* c) { c->nodes.clear(); }).find("1 to 8 nodes"),
            std::string::npos);
  EXPECT_NE(create_error([](EngineConfig* c) {
              c->nodes[1].ports[0].addresses = c->nodes[0].ports[0].addresses;
            }).find("given to two ports"),
            std::string::npos);
  EXPECT_NE(create_error([](EngineConfig* c) { c->nodes.pop_back(); }).find("one end only"),
            std::string::npos);
  EXPECT_NE(create_error([](EngineConfig* c) { c->nodes[0].psks.clear(); }).find("--psk-file"),
            std::string::npos);
  EXPECT_NE(create_error([](EngineConfig* c) { c->nodes[0].lcores = 100; }).find("lcores"),
            std::string::npos);
  EXPECT_NE(create_error([](EngineConfig* c) { c->nodes[0].base_port = 0; }).find("base port"),
            std::string::npos);
  EXPECT_NE(create_error([](EngineConfig* c) { c->nodes[0].aeads.clear(); }).find("AEAD"),
            std::string::npos);
}

TEST(EngineConfig, a_failed_engine_gives_back_what_it_took) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(create_error([](EngineConfig* c) { c->nodes[0].aeads.clear(); }).empty());
  }
  const auto engine = Engine::create(test_pair("after"));
  EXPECT_TRUE(engine.ok()) << engine.status();
}

}  // namespace
}  // namespace sluice::engine
