// SPDX-License-Identifier: Apache-2.0
//
// The whole engine with packets of ESP: sealed by the CPU, or by model NICs. The peer opens in
// software always.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine_sealing.h"

namespace sluice::engine {
namespace {

EngineConfig esp_pair(const std::string& cable, uint32_t contexts) {
  EngineConfig config = model_pair(cable, contexts, ModelEngine::kEsp);
  for (NodeConfig& node : config.nodes) node.endpoint.esp = true;
  return config;
}

constexpr uint64_t kCalls = 60;
constexpr uint32_t kOutstanding = 4;

// What is counted on the way settles when nothing is under way any more.
bool become_equal(Engine& engine, size_t node, const std::string& one, const std::string& other) {
  return eventually([&] {
    auto count = counters(engine, node);
    return count[one] == count[other];
  });
}

// The session, over either family, with sizes of one packet and many, and key updates.
void expect_esp(const std::string& cable, const char* address, uint32_t contexts, uint32_t size) {
  EngineConfig config = esp_pair(cable, contexts);
  CallApplication client(size, kCalls, kOutstanding);
  client.timeout = kFar;
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  if (contexts != 0) config.backend = crypto::BackendKind::kInline;
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(0, server(address), kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->record_mode, crypto::RecordMode::kEsp);
  EXPECT_TRUE((*engine)->update_keys(0, session->session).ok());
  run_calls(**engine, client, kCalls);
  for (size_t node = 0; node < 2; ++node) {
    EXPECT_TRUE(become_equal(**engine, node, "esp.sent", "packets.sent"));
    EXPECT_TRUE(become_equal(**engine, node, "model_records", "esp.inline"));
    auto count = counters(**engine, node);
    EXPECT_GE(count["esp.sent"], kCalls / kOutstanding);  // So many may share a packet.
    EXPECT_GE(count["esp.received"], kCalls / kOutstanding);
    EXPECT_EQ(count["esp.inline"] > 0, contexts != 0);
    if (contexts != 0) {
      EXPECT_TRUE(become_equal(**engine, node, "esp.inline", "esp.sent"));
    }
    EXPECT_EQ(count["model_dropped"], 0u);
    EXPECT_EQ(count["dropped.inline"], 0u);
  }
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

TEST(EngineEsp, is_sealed_by_the_cpu) {
  expect_esp("espcpu", "10.9.0.2", 0, 60'000);
  expect_esp("espcpu6", "fd00:9::2", 0, 64);
}

// Verifies MUST-S6
TEST(EngineEsp, is_sealed_by_the_port) {
  expect_esp("espport", "10.9.0.2", 8, 64);
  expect_esp("espport6", "fd00:9::2", 8, 60'000);
}

// Verifies MUST-S6: more lanes than contexts, and keys that change: some are the CPU's, all arrive.
// Two lcores on each side: each gets what its lanes were sent, by their SPIs alone.
TEST(EngineEsp, lanes_without_a_context_are_sealed_by_the_cpu) {
  EngineConfig config = esp_pair("espfew", 3);
  CallApplication first(20'000, 60, 4);
  CallApplication second(20'000, 60, 4);
  EchoApplication echoes[2];
  first.timeout = second.timeout = kFar;
  for (NodeConfig& node : config.nodes) {
    node.lcores = 2;
    node.ports[0].tx_faults = {
        .loss_ppm = 5'000, .duplicate_ppm = 5'000, .reorder_ppm = 50'000, .seed = 8};
  }
  config.nodes[0].applications = {&first, &second};
  config.nodes[1].applications = {&echoes[0], &echoes[1]};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(0, server(), kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE((*engine)->update_keys(0, session->session).ok());
    return first.done() && second.done();
  }));
  run_calls(**engine, first, 60);
  run_calls(**engine, second, 60);
  for (const LcoreSnapshot& lcore : (*engine)->lcores()) {
    EXPECT_GT(lcore.endpoint_stats->rx_esp.value(), 0u) << unsigned{lcore.lcore};
    // One that comes before its lane is there, if any.
    EXPECT_LT(lcore.endpoint_stats->drop_spi.value() * 10, lcore.endpoint_stats->rx_esp.value());
  }
  for (size_t node = 0; node < 2; ++node) {
    EXPECT_TRUE(become_equal(**engine, node, "model_records", "esp.inline"));
    auto count = counters(**engine, node);
    EXPECT_GT(count["esp.inline"], 0u);
    EXPECT_GT(count["esp.sent"], count["esp.inline"]);
    EXPECT_GT(count["limit.inline_contexts"], 0u);
    EXPECT_GT(count["keys.updated"], 2u);
  }
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

// Verifies MUST-S1: where one side alone would, packets travel as ever, and the session says why.
TEST(EngineEsp, of_one_side_is_not_used) {
  for (const size_t without : {size_t{0}, size_t{1}}) {
    EngineConfig config = esp_pair(without == 0 ? "espnot0" : "espnot1", 0);
    config.nodes[without].endpoint.esp = false;
    CallApplication client(5'000, 10, 2);
    client.timeout = kFar;
    EchoApplication echo;
    config.nodes[0].applications = {&client};
    config.nodes[1].applications = {&echo};
    auto engine = Engine::create(std::move(config));
    ASSERT_TRUE(engine.ok()) << engine.status();
    ASSERT_TRUE((*engine)->start().ok());
    const auto session = (*engine)->connect_and_wait(0, server(), kFar);
    ASSERT_TRUE(session.ok()) << session.status();
    EXPECT_EQ(session->record_mode,
              without == 0 ? crypto::RecordMode::kOff : crypto::RecordMode::kNoEspPeer);
    run_calls(**engine, client, 10);
    EXPECT_EQ(counters(**engine, 0)["esp.sent"], 0u);
    EXPECT_EQ(counters(**engine, 1)["esp.sent"], 0u);
    EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
  }
}

std::string sealing_of(const EngineReport& report) {
  for (const ReportLine& line : report.lines) {
    if (line.what == "ESP of client") return line.choice + " (" + line.why + ")";
  }
  return "";
}

TEST(EngineEsp, choice_is_refused_or_reported) {
  EngineConfig without = esp_pair("espnone", 0);
  without.backend = crypto::BackendKind::kInline;
  const auto refused = Engine::create(without);
  ASSERT_TRUE(absl::IsUnimplemented(refused.status())) << refused.status();
  EXPECT_NE(refused.status().message().find("the device has no rte_security"), std::string::npos);

  EngineConfig records = esp_pair("esprecords", 4);
  records.nodes[0].ports[0].model_engine = ModelEngine::kSecurity;
  const auto software = Engine::create(records);
  ASSERT_TRUE(software.ok()) << software.status();
  EXPECT_NE(sealing_of((*software)->report()).find("it seals records and no ESP"),
            std::string::npos);
  records.backend = crypto::BackendKind::kInline;
  EXPECT_TRUE(absl::IsUnimplemented(Engine::create(records).status()));

  const auto model = Engine::create(esp_pair("espsome", 2));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_NE(sealing_of((*model)->report()).find("sealed by the port"), std::string::npos);
  EXPECT_NE(sealing_of((*model)->report()).find("not run on hardware"), std::string::npos);

  EngineConfig udp = esp_pair("espudp", 0);
  udp.nodes[0].encapsulation = wire::Encapsulation::kUdp;
  EXPECT_TRUE(absl::IsInvalidArgument(Engine::create(udp).status()));
  EngineConfig both = esp_pair("espboth", 0);
  both.nodes[0].endpoint.record_mode = true;
  EXPECT_TRUE(absl::IsInvalidArgument(Engine::create(both).status()));
}

}  // namespace
}  // namespace sluice::engine
