// SPDX-License-Identifier: Apache-2.0
//
// Lcores that may sleep. Over a cable, whose packets wake nobody: they wait for the end of a step.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "engine/engine_impl.h"
#include "engine/lcore.h"
#include "engine_test_util.h"
#include "test_application.h"

namespace sluice::engine {
namespace {

// Wants to be called at times, and counts how often it was.
class Clockwork final : public LcoreApplication {
 public:
  void on_events(LcoreContext&, std::span<const transport::Event>) override {}
  bool poll(LcoreContext& context) override {
    polls.fetch_add(1);
    if (context.now >= due_) {
      due_ = base::after(context.now, interval);
      ticks.fetch_add(1);
    }
    return false;
  }
  base::Nanos wanted_at() override { return due_; }

  base::Nanos interval = base::millis(2);
  std::atomic<uint64_t> polls{0};
  std::atomic<uint64_t> ticks{0};

 private:
  base::Nanos due_;
};

EngineConfig sleeping_pair(const std::string& cable, base::Nanos step) {
  EngineConfig config = test_pair(cable);
  config.idle = {.mode = IdleMode::kSteps, .step = step, .spin = base::micros(20)};
  return config;
}

class LcoreRest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(test_eal(), nullptr); }

  // What this returns is to go before the applications do: it calls them.
  [[nodiscard]] std::unique_ptr<EngineImpl> start(EngineConfig config) {
    auto made = std::make_unique<EngineImpl>(std::move(config));
    impl = made.get();
    EXPECT_TRUE(made->open().ok());
    EXPECT_TRUE(made->start().ok());
    return made;
  }
  Lcore& lcore(size_t node = 0, size_t index = 0) { return *impl->nodes[node]->lcores()[index]; }
  void connect() {
    ConnectRequest request = test_request();
    request.timeout = kFar;  // Each of its packets may wait for a step on either side.
    impl->nodes[0]->control().connect(
        request, [this](absl::StatusOr<SessionInfo> session) { up = session.ok(); });
  }

  EngineImpl* impl = nullptr;
  std::atomic<bool> up{false};
};

TEST_F(LcoreRest, sleeps_when_nothing_comes_and_wakes_for_tasks_and_the_end) {
  const auto running = start(sleeping_pair("sleepy", limits::kLongestStep));
  Lcore& sleeper = lcore();
  int ran = 0;
  EXPECT_TRUE(eventually([&] {
    ::usleep(500);  // Long enough to be asleep again, as a rule.
    if (sleeper.run_and_wait([&](Lcore&, LcoreContext&) { ++ran; })) {
      return sleeper.stats().woken_by_thread.value() >= 20;
    }
    return false;
  }));
  EXPECT_GT(ran, 0);
  EXPECT_EQ(sleeper.stats().tasks.value(), static_cast<uint64_t>(ran));
  EXPECT_GE(sleeper.stats().sleeps.value(), 20u);
  EXPECT_GT(sleeper.stats().slept.value(), 0u);
  EXPECT_EQ(sleeper.stats().woken_by_port.value(), 0u);
  EXPECT_TRUE(impl->stop(base::Nanos::zero()).ok());
  EXPECT_FALSE(sleeper.running());
}

TEST_F(LcoreRest, never_sleeps_when_it_is_to_poll) {
  const auto running = start(test_pair("awake"));
  ASSERT_TRUE(eventually([&] { return lcore().stats().loops.value() > 100'000; }));
  EXPECT_EQ(lcore().stats().sleeps.value(), 0u);
}

TEST_F(LcoreRest, every_call_is_answered_through_sleep_on_both_sides) {
  EngineConfig config = sleeping_pair("dozing", base::micros(100));
  CallApplication client(64, 300, 1);
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  const auto running = start(std::move(config));
  connect();
  EXPECT_TRUE(eventually([&] { return up.load() && client.done(); }));
  EXPECT_EQ(client.completed, 300u);
  EXPECT_TRUE(eventually([&] { return lcore(0).stats().sleeps.value() > 0; }));
  EXPECT_TRUE(eventually([&] { return lcore(1).stats().sleeps.value() > 0; }));
  // The last response is in flight at the server until its release comes.
  EXPECT_TRUE(impl->stop(kFar).ok());
}

TEST_F(LcoreRest, wakes_for_the_endpoint_s_timers) {
  EngineConfig config = sleeping_pair("timers", base::millis(100));
  CallApplication client(64, 5, 1);
  client.timeout = base::millis(20);
  client.go = false;
  EchoApplication echo;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo};
  const auto running = start(std::move(config));
  connect();
  ASSERT_TRUE(eventually([&] { return up.load() && client.lanes > 0; }));
  ASSERT_TRUE(
      impl->nodes[1]->set_faults(0, FaultDirection::kReceive, {.loss_ppm = 1'000'000}).ok());
  client.go = true;
  ASSERT_TRUE(lcore().run_and_wait([](Lcore&, LcoreContext&) {}));
  EXPECT_TRUE(eventually([&] { return client.done(); }));
  EXPECT_EQ(client.failed, 5u);
  EXPECT_EQ(client.last_code, base::Code::kDeadlineExceeded);
  EXPECT_GT(lcore().stats().sleeps.value(), 0u) << "between its attempts";
}

TEST_F(LcoreRest, wakes_when_its_application_wants_to_be_called) {
  Clockwork clockwork;
  EngineConfig config = sleeping_pair("clockwork", limits::kLongestStep);
  config.nodes[0].applications = {&clockwork};
  const auto running = start(std::move(config));
  EXPECT_TRUE(eventually([&] { return clockwork.ticks >= 50; }));
  EXPECT_GE(lcore().stats().sleeps.value(), 20u);
}

TEST_F(LcoreRest, does_not_sleep_while_its_application_wants_every_loop) {
  Clockwork clockwork;
  clockwork.interval = base::Nanos::zero();
  EngineConfig config = sleeping_pair("eager", limits::kLongestStep);
  config.nodes[0].applications = {&clockwork};
  const auto running = start(std::move(config));
  EXPECT_TRUE(eventually([&] { return clockwork.polls >= 100'000; }));
  EXPECT_EQ(lcore().stats().sleeps.value(), 0u);
}

TEST_F(LcoreRest, a_thread_that_rings_wakes_it_for_poll) {
  Clockwork clockwork;
  clockwork.interval = base::seconds(3600);
  EngineConfig config = sleeping_pair("rung", limits::kLongestStep);
  config.nodes[0].applications = {&clockwork};
  const auto running = start(std::move(config));
  Doorbell* doorbell = nullptr;
  ASSERT_TRUE(
      lcore().run_and_wait([&](Lcore&, LcoreContext& context) { doorbell = context.doorbell; }));
  ASSERT_NE(doorbell, nullptr);
  EXPECT_TRUE(eventually([&] {
    doorbell->ring();
    return lcore().stats().woken_by_thread.value() >= 20;
  }));
  EXPECT_GT(clockwork.polls, 20u);
}

// Three lcores on either side, each with one lane to each: frames reach those without a queue of
// their own by other lcores, which wake them.
TEST_F(LcoreRest, lcores_wake_each_other_for_what_they_hand_over) {
  EngineConfig config = sleeping_pair("handing", base::micros(200));
  CallApplication client(64, 300, 1);
  EchoApplication echo[3];
  config.nodes[1].lcores = 3;
  config.nodes[0].applications = {&client};
  config.nodes[1].applications = {&echo[0], &echo[1], &echo[2]};
  const auto running = start(std::move(config));
  connect();
  EXPECT_TRUE(eventually([&] { return up.load() && client.done(); }));
  EXPECT_EQ(client.completed, 300u);
  for (const EchoApplication& each : echo) EXPECT_GT(each.requests, 0u);
  uint64_t handed = 0;
  uint64_t rung = 0;
  for (const auto& each : impl->nodes[1]->lcores()) {
    handed += each->stats().steered_in.value();
    rung += each->stats().woken_by_thread.value();
  }
  EXPECT_GT(handed, 0u);
  EXPECT_GT(rung, 0u);
}

TEST_F(LcoreRest, a_port_that_cannot_tell_is_refused_at_the_start) {
  EngineConfig config = test_pair("deaf");
  config.idle.mode = IdleMode::kInterrupts;
  EngineImpl engine(std::move(config));
  ASSERT_TRUE(engine.open().ok());
  const absl::Status status = engine.start();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_NE(std::string(status.message()).find("sleep:1ms"), std::string::npos) << status;
}

}  // namespace
}  // namespace sluice::engine
