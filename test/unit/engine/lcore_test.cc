// SPDX-License-Identifier: Apache-2.0
#include "engine/lcore.h"

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <sched.h>

#include <atomic>

#include "engine/engine_impl.h"
#include "engine_test_util.h"
#include "test_application.h"

namespace sluice::engine {
namespace {

// Counts what the loop calls.
class Probe final : public LcoreApplication {
 public:
  void on_start(LcoreContext& context) override {
    index = context.index;
    ++started;
  }
  void on_events(LcoreContext&, std::span<const transport::Event>) override {}
  bool poll(LcoreContext& context) override {
    if (context.now < last) backwards = true;
    last = context.now;
    polls.fetch_add(1);
    return false;
  }
  void on_stop(LcoreContext&) override { ++stopped; }

  std::atomic<int> started{0};
  std::atomic<int> stopped{0};
  std::atomic<int> index{-1};
  std::atomic<uint64_t> polls{0};
  std::atomic<bool> backwards{false};
  base::Nanos last;
};

class LcoreTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(test_eal(), nullptr);
    EngineConfig config = test_pair("lcore");
    config.nodes[0].applications = {&probe};
    impl = std::make_unique<EngineImpl>(std::move(config));
    ASSERT_TRUE(impl->open().ok());
  }
  Lcore& lcore() { return *impl->nodes[0]->lcores()[0]; }

  Probe probe;
  std::unique_ptr<EngineImpl> impl;
};

TEST_F(LcoreTest, starts_polls_and_stops_its_application_once) {
  ASSERT_TRUE(impl->start().ok());
  EXPECT_TRUE(eventually([&] { return probe.polls > 1000; }));
  EXPECT_TRUE(impl->stop(base::Nanos::zero()).ok());
  EXPECT_EQ(probe.started, 1);
  EXPECT_EQ(probe.stopped, 1);
  EXPECT_EQ(probe.index, 0);
  EXPECT_FALSE(probe.backwards);
  EXPECT_GE(lcore().stats().loops.value(), 1000u);
  EXPECT_GT(lcore().stats().longest_loop.value() + lcore().stats().yields.value(), 0u);
}

TEST_F(LcoreTest, runs_tasks_between_turns_and_none_after_stop) {
  EXPECT_FALSE(lcore().run_and_wait([](Lcore&, LcoreContext&) {}));
  ASSERT_TRUE(impl->start().ok());
  int ran = 0;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(lcore().run_and_wait([&](Lcore& self, LcoreContext& context) {
      EXPECT_EQ(&self, &lcore());
      EXPECT_EQ(context.index, 0);
      ++ran;
    }));
  }
  EXPECT_EQ(ran, 100);
  EXPECT_GE(lcore().stats().tasks.value(), 100u);
  EXPECT_TRUE(impl->stop(base::Nanos::zero()).ok());
  EXPECT_FALSE(lcore().run_and_wait([](Lcore&, LcoreContext&) {}));
}

TEST_F(LcoreTest, runs_on_the_cpus_that_it_reports) {
  ASSERT_TRUE(impl->start().ok());
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_TRUE(lcore().run_and_wait(
      [&](Lcore&, LcoreContext&) { sched_getaffinity(0, sizeof(set), &set); }));
  const std::vector<uint32_t> told = cpus_of_lcore(lcore().eal_lcore());
  EXPECT_EQ(static_cast<size_t>(CPU_COUNT(&set)), told.size());
  for (const uint32_t cpu : told) EXPECT_TRUE(CPU_ISSET(cpu, &set));
}

TEST_F(LcoreTest, a_pool_without_buffers_holds_calls_back_and_they_recover) {
  impl.reset();
  EngineConfig config = test_pair("empty");
  CallApplication client(64, 1'000'000'000, 8);
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  config.nodes[0].endpoint.peer_timeout = base::seconds(5);
  EngineImpl engine(std::move(config));
  ASSERT_TRUE(engine.open().ok());
  ASSERT_TRUE(engine.start().ok());
  engine.nodes[0]->control().connect(test_request(), [](absl::StatusOr<SessionInfo>) {});
  ASSERT_TRUE(eventually([&] { return client.completed > 100; }));
  Lcore& lcore = *engine.nodes[0]->lcores()[0];
  std::vector<rte_mbuf*> taken;
  taken.reserve(8192);
  ASSERT_TRUE(lcore.run_and_wait([&](Lcore& self, LcoreContext&) {
    while (rte_mbuf* frame = rte_pktmbuf_alloc(self.queue(0).pool())) taken.push_back(frame);
  }));
  EXPECT_TRUE(eventually([&] { return lcore.stats().no_mbuf.value() > 0; }));
  ASSERT_TRUE(lcore.run_and_wait([&](Lcore&, LcoreContext&) {
    rte_pktmbuf_free_bulk(taken.data(), static_cast<unsigned>(taken.size()));
  }));
  const uint64_t before = client.completed;
  EXPECT_TRUE(eventually([&] { return client.completed > before + 1000; }));
  EXPECT_EQ(client.failed, 0u);
  client.go = false;
}

TEST_F(LcoreTest, lcores_on_one_cpu_yield_and_still_work) {
  impl.reset();
  EngineConfig config = test_pair("shared");
  CallApplication client(64, 500, 8);
  EchoApplication echo[6];
  // Six lcores are all that the tests have: on few CPUs some of them share.
  config.nodes[0].lcores = 3;
  config.nodes[1].lcores = 3;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo[0], &echo[1], &echo[2]};
  EngineImpl shared(std::move(config));
  ASSERT_TRUE(shared.open().ok());
  ASSERT_TRUE(shared.start().ok());
  std::atomic<bool> up{false};
  shared.nodes[0]->control().connect(
      test_request(), [&](absl::StatusOr<SessionInfo> session) { up = session.ok(); });
  EXPECT_TRUE(eventually([&] { return up.load() && client.done(); }));
  EXPECT_EQ(client.completed, 500u);
  if (read_machine(0).cpus.size() < 6) {
    uint64_t yields = 0;
    for (const auto& node : shared.nodes) {
      for (const auto& each : node->lcores()) yields += each->stats().yields.value();
    }
    EXPECT_GT(yields, 0u);
  }
}

}  // namespace
}  // namespace sluice::engine
