// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "test/unit/api/test_engine.h"

namespace sluice {
namespace {

using testing_support::Echo;
using testing_support::kClient;
using testing_support::kServer;
using testing_support::Running;

TEST(EngineStats, count_what_happened_by_node_and_can_be_cleared) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  auto client = ThreadClient::create(*run.engine, {});
  ASSERT_TRUE(client.ok()) << client.status();
  const uint8_t bytes[100] = {1};
  const auto calls = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const CallResult result =
          (*client)->call_and_wait(run.session, {}, Buffer::borrow(bytes, sizeof(bytes)));
      ASSERT_EQ(result.code, StatusCode::kOk);
    }
  };
  calls(10);
  EXPECT_EQ(run.engine->stats(kClient).value("rpc.completed"), 10u);
  EXPECT_EQ(run.engine->stats(kServer).value("requests.delivered"), 10u);
  EXPECT_EQ(run.engine->stats().value("rpc.completed"), 10u);
  EXPECT_EQ(run.engine->stats(kClient).value("handshake.connected"), 1u);
  EXPECT_TRUE(run.engine->stats(7).counters.empty());
  EXPECT_EQ(run.engine->latency(kClient).count, 10u);
  EXPECT_GT(run.engine->latency(kClient).p50_ns, 0u);
  EXPECT_EQ(run.engine->latency(kServer).count, 0u);
  run.engine->clear_stats();
  EXPECT_EQ(run.engine->stats(kClient).value("rpc.completed"), 0u);
  EXPECT_EQ(run.engine->latency(kClient).count, 0u);
  calls(3);
  EXPECT_EQ(run.engine->stats().value("rpc.completed"), 3u);
}

TEST(EngineStats, injected_faults_are_counted_and_survived) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  FaultOptions faults;
  faults.loss_ppm = 100'000;
  ASSERT_TRUE(run.engine->set_faults(kServer, faults).ok());
  auto client = ThreadClient::create(*run.engine, {});
  ASSERT_TRUE(client.ok()) << client.status();
  const std::vector<uint8_t> bytes(20'000, 5);
  for (int i = 0; i < 20; ++i) {
    const CallResult result = (*client)->call_and_wait(
        run.session, {}, Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size())));
    ASSERT_EQ(result.code, StatusCode::kOk);
    ASSERT_EQ(result.response.length(), bytes.size());
  }
  EXPECT_GT(run.engine->stats(kServer).value("fault.lost"), 0u);
  EXPECT_GT(run.engine->stats(kClient).value("packets.retransmitted"), 0u);
}

}  // namespace
}  // namespace sluice
