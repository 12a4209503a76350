// SPDX-License-Identifier: Apache-2.0
//
// The whole engine with ports that seal: model NICs on both ends of a cable. The peer opens in
// software, so that whatever a NIC garbles does not arrive.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "engine_sealing.h"

namespace sluice::engine {
namespace {

constexpr uint32_t kMessage = 200'000;

EngineConfig inline_pair(const std::string& cable, uint32_t contexts,
                         ModelEngine engine = ModelEngine::kSecurity) {
  EngineConfig config = model_pair(cable, contexts, engine);
  for (NodeConfig& node : config.nodes) node.endpoint.record_mode = true;
  return config;
}

class EngineInline : public testing::TestWithParam<std::tuple<const char*, ModelEngine>> {};

TEST_P(EngineInline, records_are_sealed_by_the_port) {
  const auto& [address, kind] = GetParam();
  EngineConfig config = inline_pair("inline", 8, kind);
  CallApplication client(kMessage, 40, 4);
  client.timeout = kFar;
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  config.backend = crypto::BackendKind::kInline;
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  ASSERT_TRUE((*engine)->connect_and_wait(0, server(address), kFar).ok());
  run_calls(**engine, client, 40);
  for (size_t node = 0; node < 2; ++node) {
    auto count = counters(**engine, node);
    EXPECT_GT(count["records.inline"], 40u * kMessage / 20'000);
    EXPECT_EQ(count["records.inline"], count["records.sent"]);
    EXPECT_EQ(count["model_records"], count["records.inline"]);
    EXPECT_EQ(count["model_garbled"], 0u);
    EXPECT_EQ(count["model_resyncs"], count["inline.resyncs"]);
    EXPECT_GE(count["inline.resyncs"], 40u) << "one for each message at least";
    EXPECT_LT(count["inline.resyncs"], count["records.inline"]) << "and not one for each record";
    EXPECT_EQ(count["dropped.inline"], 0u);
    EXPECT_EQ(count["model_dropped"], 0u);
  }
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

INSTANTIATE_TEST_SUITE_P(Families, EngineInline,
                         testing::Combine(testing::Values("10.9.0.2", "fd00:9::2"),
                                          testing::Values(ModelEngine::kSecurity,
                                                          ModelEngine::kConnectx)));

class EngineInlineBy : public testing::TestWithParam<ModelEngine> {};

INSTANTIATE_TEST_SUITE_P(Engines, EngineInlineBy,
                         testing::Values(ModelEngine::kSecurity, ModelEngine::kConnectx));

// What the network loses, doubles and reorders comes again in packet mode, after which the next
// record needs a resync; nothing that the NIC made was garbled.
TEST_P(EngineInlineBy, lost_records_are_made_good) {
  EngineConfig config = inline_pair("inlineloss", 8, GetParam());
  CallApplication client(kMessage, 60, 6);
  client.timeout = kFar;
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  for (NodeConfig& node : config.nodes) {
    node.ports[0].tx_faults = {
        .loss_ppm = 10'000, .duplicate_ppm = 5'000, .reorder_ppm = 20'000, .seed = 5};
  }
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  ASSERT_TRUE((*engine)->connect_and_wait(0, server(), kFar).ok());
  run_calls(**engine, client, 60);
  uint64_t repeated = 0;
  for (size_t node = 0; node < 2; ++node) {
    auto count = counters(**engine, node);
    repeated += count["packets.retransmitted"];
    EXPECT_GT(count["records.inline"], 0u);
    EXPECT_EQ(count["model_records"], count["records.inline"]);
    EXPECT_EQ(count["model_garbled"], 0u);
    EXPECT_EQ(count["model_resyncs"], count["inline.resyncs"]);
  }
  EXPECT_GT(repeated, 0u);
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

// A context holds one key, so each epoch has one of its own, and records of two epochs cross.
TEST_P(EngineInlineBy, keys_are_updated_while_records_are_on_their_way) {
  EngineConfig config = inline_pair("inlinekeys", 8, GetParam());
  CallApplication client(kMessage, 400, 6);
  client.timeout = kFar;
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  config.nodes[0].ports[0].tx_faults = {.reorder_ppm = 50'000, .seed = 3};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  const auto session = (*engine)->connect_and_wait(0, server(), kFar);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE(eventually([&] {
    EXPECT_TRUE((*engine)->update_keys(0, session->session).ok());
    return client.done();
  }));
  run_calls(**engine, client, 400);
  for (size_t node = 0; node < 2; ++node) {
    auto count = counters(**engine, node);
    EXPECT_GE(count["keys.updated"], 3u) << "a side follows its peer";
    EXPECT_EQ(count["limit.inline_contexts"], 0u);
    EXPECT_EQ(count["records.inline"], count["records.sent"]);
    EXPECT_EQ(count["model_garbled"], 0u);
  }
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

// Two lcores with a queue each: each lane has contexts of its own lcore's queue.
TEST_P(EngineInlineBy, two_lcores_keep_to_their_queues) {
  EngineConfig config = inline_pair("inlinetwo", 16, GetParam());
  CallApplication first(kMessage, 60, 4);
  CallApplication second(kMessage, 60, 4);
  EchoApplication echoes[2];
  first.timeout = second.timeout = kFar;
  for (NodeConfig& node : config.nodes) {
    node.lcores = 2;
    node.ports[0].tx_faults = {.loss_ppm = 2'000, .reorder_ppm = 50'000, .seed = 8};
  }
  config.nodes[0].applications = {&first, &second};
  config.nodes[1].applications = {&echoes[0], &echoes[1]};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  ASSERT_TRUE((*engine)->connect_and_wait(0, server(), kFar).ok());
  run_calls(**engine, first, 60);
  run_calls(**engine, second, 60);
  for (const LcoreSnapshot& lcore : (*engine)->lcores()) {
    EXPECT_GT(lcore.endpoint_stats->tx_inline_records.value(), 0u) << unsigned{lcore.lcore};
  }
  for (size_t node = 0; node < 2; ++node) {
    auto count = counters(**engine, node);
    EXPECT_EQ(count["model_garbled"], 0u);
    EXPECT_EQ(count["limit.inline_contexts"], 0u);
  }
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

// One context for two lanes: one of them is sealed by the CPU, and both arrive.
TEST(EngineInlineContexts, lanes_without_a_context_are_sealed_by_the_cpu) {
  EngineConfig config = inline_pair("inlinefew", 1);
  CallApplication client(kMessage, 40, 4);
  client.timeout = kFar;
  client.go = false;
  EchoApplication echoes[2];
  config.nodes[0].applications = {&client};
  config.nodes[1].lcores = 2;
  config.nodes[1].applications = {&echoes[0], &echoes[1]};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  ASSERT_TRUE((*engine)->connect_and_wait(0, server(), kFar).ok());
  ASSERT_TRUE(eventually([&] { return client.lanes == 2; }));
  for (size_t node = 0; node < 2; ++node) {
    const auto lanes = (*engine)->lanes(node);
    ASSERT_TRUE(lanes.ok());
    ASSERT_EQ(lanes->size(), 2u);
    EXPECT_EQ(std::count_if(lanes->begin(), lanes->end(),
                            [](const auto& lane) { return lane.sealed_inline; }),
              1);
    EXPECT_EQ(counters(**engine, node)["limit.inline_contexts"], 1u);
  }
  client.go = true;
  run_calls(**engine, client, 40);
  auto count = counters(**engine, 0);
  EXPECT_GT(count["records.inline"], 0u);
  EXPECT_GT(count["records.sent"], count["records.inline"]);
  EXPECT_EQ(count["model_records"], count["records.inline"]);
  EXPECT_EQ(count["model_garbled"], 0u);
  EXPECT_TRUE((*engine)->stop(base::seconds(1)).ok());
}

// Contexts go back with their session, so that the next one finds them.
TEST(EngineInlineContexts, are_given_back_with_the_session) {
  EngineConfig config = inline_pair("inlineback", 1);
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  for (int i = 0; i < 3; ++i) {
    const auto session = (*engine)->connect_and_wait(0, server(), kFar);
    ASSERT_TRUE(session.ok()) << session.status();
    for (size_t node = 0; node < 2; ++node) {
      const auto lanes = (*engine)->lanes(node);
      ASSERT_TRUE(lanes.ok());
      ASSERT_EQ(lanes->size(), 1u);
      EXPECT_TRUE(lanes->front().sealed_inline) << i;
    }
    EXPECT_TRUE((*engine)->close_session(0, session->session).ok());
    EXPECT_TRUE(
        eventually([&] { return (*engine)->lanes(0)->empty() && (*engine)->lanes(1)->empty(); }));
  }
}

std::string sealing_of(const EngineReport& report) {
  for (const ReportLine& line : report.lines) {
    if (line.what == "records of client") return line.choice + " (" + line.why + ")";
  }
  return "";
}

TEST(EngineInlineChoice, is_refused_or_reported) {
  EngineConfig without = inline_pair("inlinenone", 0);
  without.backend = crypto::BackendKind::kInline;
  const auto refused = Engine::create(without);
  ASSERT_TRUE(absl::IsUnimplemented(refused.status())) << refused.status();
  EXPECT_NE(refused.status().message().find("the device has none"), std::string::npos);

  without.backend = crypto::BackendKind::kAuto;
  const auto software = Engine::create(without);
  ASSERT_TRUE(software.ok()) << software.status();
  EXPECT_NE(sealing_of((*software)->report()).find("sealed by "), std::string::npos);
  EXPECT_NE(sealing_of((*software)->report()).find("the device has none"), std::string::npos);

  const auto model = Engine::create(inline_pair("inlinesome", 2));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_NE(sealing_of((*model)->report()).find("sealed by the port"), std::string::npos);
  EXPECT_NE(sealing_of((*model)->report()).find("not run on hardware"), std::string::npos);
}

// A backend of the CPU asked for by name seals, whatever the ports could do.
TEST(EngineInlineChoice, a_cpu_backend_by_name_keeps_the_records) {
  EngineConfig config = inline_pair("inlinecpu", 4);
  config.backend = crypto::BackendKind::kBoringssl;
  CallApplication client(kMessage, 4, 2);
  client.timeout = kFar;
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  auto engine = Engine::create(std::move(config));
  ASSERT_TRUE(engine.ok()) << engine.status();
  ASSERT_TRUE((*engine)->start().ok());
  ASSERT_TRUE((*engine)->connect_and_wait(0, server(), kFar).ok());
  run_calls(**engine, client, 4);
  EXPECT_GT(counters(**engine, 0)["records.sent"], 0u);
  EXPECT_EQ(counters(**engine, 0)["records.inline"], 0u);
  EXPECT_EQ(counters(**engine, 0)["model_records"], 0u);
}

}  // namespace
}  // namespace sluice::engine
