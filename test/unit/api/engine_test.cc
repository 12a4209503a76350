// SPDX-License-Identifier: Apache-2.0
#include "sluice/engine.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/unit/api/test_engine.h"

namespace sluice {
namespace {

using testing_support::Echo;
using testing_support::kClient;
using testing_support::kPatience;
using testing_support::kSecond;
using testing_support::kServer;
using testing_support::Running;
using testing_support::two_nodes;

// Makes calls on the lcore, one after the other, until enough have completed.
struct Caller {
  Session session;
  std::vector<uint8_t> bytes = std::vector<uint8_t>(900, 7);
  int wanted = 1000;
  std::atomic<int> completed{0};
  std::atomic<int> failed{0};

  static void start(void* context, Endpoint& endpoint) {
    auto* self = static_cast<Caller*>(context);
    self->endpoint = &endpoint;
    self->next();
  }
  void next() {
    Buffer buffer = Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size()));
    if (endpoint->call(session, {}, std::move(buffer), &done, this) != StatusCode::kOk) ++failed;
  }
  static void done(void* context, CallResult& result) {
    auto* self = static_cast<Caller*>(context);
    const auto got = result.response.bytes();
    const bool same = result.code == StatusCode::kOk &&
                      std::equal(got.begin(), got.end(), self->bytes.begin(), self->bytes.end());
    if (!same) ++self->failed;
    if (++self->completed < self->wanted && same) self->next();
  }
  void wait() const {
    for (int i = 0; i < 60'000 && completed < wanted && failed == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  Endpoint* endpoint = nullptr;
};

TEST(Engine, two_nodes_of_one_process_exchange_messages) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  EXPECT_EQ(run.engine->nodes(), 2u);
  EXPECT_EQ(run.engine->lcores(kClient), 1u);
  EXPECT_EQ(run.engine->lcores(9), 0u);
  EXPECT_EQ(run.engine->endpoint(9), nullptr);
  Caller caller;
  caller.session = run.session;
  ASSERT_TRUE(run.engine->run_on(kClient, 0, &Caller::start, &caller).ok());
  caller.wait();
  EXPECT_EQ(caller.completed, caller.wanted);
  EXPECT_EQ(caller.failed, 0);
  EXPECT_TRUE(run.engine->drain(kPatience).ok());
  EXPECT_TRUE(run.engine->close().ok());
  EXPECT_TRUE(run.engine->close().ok());
}

TEST(Engine, sessions_ports_and_report_say_what_is_there) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  const auto info = run.engine->session_info(run.session);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->initiator);
  EXPECT_EQ(info->peer_address, "10.9.0.2");
  EXPECT_EQ(info->peer_port, kDefaultUdpPort);
  EXPECT_EQ(info->lanes, 1u);
  EXPECT_EQ(run.engine->sessions().size(), 2u);
  EXPECT_EQ(run.engine->ports().size(), 2u);
  EXPECT_FALSE(run.engine->report().empty());
  EXPECT_TRUE(run.engine->update_keys(run.session).ok());
  EXPECT_TRUE(run.engine->disconnect(run.session).ok());
  for (int i = 0; i < 60'000 && !run.engine->sessions().empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(run.engine->session_info(run.session).status().code(), absl::StatusCode::kNotFound);
}

TEST(Engine, wrong_uses_are_sentences) {
  EXPECT_EQ(Engine::create(EngineOptions()).status().code(), absl::StatusCode::kInvalidArgument);
  Echo echo;
  auto made = Engine::create(two_nodes(&echo));
  ASSERT_TRUE(made.ok()) << made.status();
  Engine& engine = **made;
  EXPECT_EQ(engine.connect(kClient, "10.9.0.2").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(engine
                .run_on(
                    kClient, 0, [](void*, Endpoint&) {}, nullptr)
                .code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(engine.start().ok());
  EXPECT_EQ(engine.start().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(engine.connect(7, "10.9.0.2").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(engine.connect(kClient, "nobody").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(engine.connect(kClient, "10.9.0.77", kSecond / 2).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(engine.connect(kClient, "10.9.0.2", 0).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  FaultOptions faults;
  faults.loss_ppm = 5'000'000;
  EXPECT_FALSE(engine.set_faults(kServer, faults).ok());
}

TEST(Engine, an_lcore_may_not_wait_for_itself) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  struct Probe {
    Engine* engine;
    absl::StatusCode code = absl::StatusCode::kOk;
    static void run(void* context, Endpoint&) {
      auto* self = static_cast<Probe*>(context);
      self->code = self->engine->connect(kClient, "10.9.0.2").status().code();
    }
  } probe{run.engine.get()};
  ASSERT_TRUE(run.engine->run_on(kClient, 0, &Probe::run, &probe).ok());
  EXPECT_EQ(probe.code, absl::StatusCode::kFailedPrecondition);
}

TEST(Engine, a_forked_child_is_refused) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool refused =
        run.engine->connect(kClient, "10.9.0.2").status().code() ==
            absl::StatusCode::kFailedPrecondition &&
        Engine::create(two_nodes(&echo)).status().code() == absl::StatusCode::kFailedPrecondition &&
        run.engine->stats().counters.empty() && run.engine->sessions().empty();
    run.engine.reset();
    _exit(refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(run.engine->session_info(run.session).ok());
}

}  // namespace
}  // namespace sluice
