// SPDX-License-Identifier: Apache-2.0
#include "sluice/inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/unit/api/test_engine.h"

namespace sluice {
namespace {

using testing_support::kPatience;
using testing_support::kSecond;
using testing_support::kServer;
using testing_support::two_nodes;

class InboxEngine : public testing::Test {
 protected:
  void SetUp() override {
    auto made = Engine::create(two_nodes(nullptr));
    ASSERT_TRUE(made.ok()) << made.status();
    engine_ = *std::move(made);
    auto inbox = Inbox::create(*engine_, {.node = kServer, .capacity = 32});
    ASSERT_TRUE(inbox.ok()) << inbox.status();
    inbox_ = *std::move(inbox);
    engine_->endpoint(kServer)->set_handler(inbox_->handler());
    ASSERT_TRUE(engine_->start().ok());
    auto session = engine_->connect(testing_support::kClient, "10.9.0.2", kPatience);
    ASSERT_TRUE(session.ok()) << session.status();
    session_ = *session;
    auto client = ThreadClient::create(*engine_, {});
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<ThreadClient> client_;
  Session session_;
};

TEST_F(InboxEngine, worker_threads_serve_sleeping_in_between) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
  for (int i = 0; i < 2; ++i) {
    workers.emplace_back([&] {
      while (!stop) {
        InboxRequest request = inbox_->wait(kSecond / 100);
        if (!request.valid()) continue;
        const auto bytes = request.bytes();
        request.respond(bytes.data(), static_cast<uint32_t>(bytes.size()));
      }
    });
  }
  int good = 0;
  for (uint32_t i = 1; i <= 50; ++i) {
    const std::vector<uint8_t> bytes(i * 37, static_cast<uint8_t>(i));
    const CallResult result = client_->call_and_wait(
        session_, {}, Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size())));
    const auto got = result.response.bytes();
    if (std::equal(got.begin(), got.end(), bytes.begin(), bytes.end())) ++good;
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(good, 50);
}

TEST_F(InboxEngine, leaving_rejects_what_nobody_received) {
  const uint8_t byte = 1;
  ASSERT_EQ(client_->call(session_, {}, Buffer::borrow(&byte, 1), 3), StatusCode::kOk);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  inbox_.reset();
  ASSERT_TRUE(client_->wait(kPatience));
  Completion completion;
  ASSERT_EQ(client_->poll({&completion, 1}), 1u);
  EXPECT_NE(completion.result.code, StatusCode::kOk);
  EXPECT_EQ(client_->call_and_wait(session_, {}, Buffer::borrow(&byte, 1)).code,
            StatusCode::kNotFound);
}

TEST_F(InboxEngine, creation_is_checked) {
  EXPECT_FALSE(Inbox::create(*engine_, {.node = 9}).ok());
  EXPECT_FALSE(Inbox::create(*engine_, {.capacity = 0}).ok());
}

}  // namespace
}  // namespace sluice
