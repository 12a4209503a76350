// SPDX-License-Identifier: Apache-2.0
#include "api/thread_client_core.h"

#include <gtest/gtest.h>

#include <thread>

#include "test/unit/api/api_pair.h"

namespace sluice::internal {
namespace {

class ThreadClientBench : public testing::Test {
 protected:
  void SetUp() override {
    bench_ =
        std::make_unique<ApiPair>([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo_); });
    client_ = std::make_unique<ThreadClientCore>(&bench_->core(ApiPair::kClient), 4);
    ASSERT_TRUE(client_->open().ok());
    ASSERT_TRUE(bench_->core(ApiPair::kClient).add_client(client_.get()));
  }
  void TearDown() override { bench_->stop(); }
  Session session() const { return bench_->session(ApiPair::kClient); }
  bool run_until_ready() {
    return bench_->run([&] { return client_->wait(0); });
  }

  EchoHandler echo_;
  std::unique_ptr<ApiPair> bench_;
  std::unique_ptr<ThreadClientCore> client_;
};

TEST_F(ThreadClientBench, a_call_crosses_and_comes_back) {
  const auto bytes = test_bytes(3000);
  ASSERT_EQ(client_->start(session(), {}, borrow(bytes), 42, false), StatusCode::kOk);
  ASSERT_TRUE(run_until_ready());
  Completion completion;
  ASSERT_EQ(client_->take({&completion, 1}), 1u);
  EXPECT_EQ(completion.user, 42u);
  EXPECT_EQ(completion.result.code, StatusCode::kOk);
  const auto response = completion.result.response.bytes();
  EXPECT_TRUE(std::equal(response.begin(), response.end(), bytes.begin(), bytes.end()));
  EXPECT_FALSE(client_->quiet());
  completion.result.response.release();
  bench_->run_for(base::millis(1));
  EXPECT_TRUE(client_->quiet());
}

TEST_F(ThreadClientBench, held_responses_count_against_the_capacity) {
  const auto bytes = test_bytes(30);
  std::vector<Completion> held;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(client_->start(session(), {}, borrow(bytes), 0, false), StatusCode::kOk);
  }
  EXPECT_EQ(client_->start(session(), {}, borrow(bytes), 0, false), StatusCode::kResourceExhausted);
  while (held.size() < 4) {
    ASSERT_TRUE(run_until_ready());
    Completion completion;
    if (client_->take({&completion, 1}) == 1) held.push_back(std::move(completion));
  }
  EXPECT_EQ(client_->start(session(), {}, borrow(bytes), 0, false), StatusCode::kResourceExhausted);
  held.clear();
  bench_->run_for(base::millis(1));
  EXPECT_EQ(client_->start(session(), {}, borrow(bytes), 0, false), StatusCode::kOk);
}

struct Release {
  int calls = 0;
  static void run(void* context, const uint8_t*) { ++static_cast<Release*>(context)->calls; }
};

TEST_F(ThreadClientBench, what_the_lcore_refuses_completes_and_lets_the_bytes_go) {
  const auto bytes = test_bytes(30);
  Release release;
  ASSERT_EQ(client_->start(Session{99, 0}, {},
                           Buffer::borrow(bytes.data(), 30, &Release::run, &release), 7, false),
            StatusCode::kOk);
  ASSERT_TRUE(run_until_ready());
  Completion completion;
  ASSERT_EQ(client_->take({&completion, 1}), 1u);
  EXPECT_EQ(completion.result.code, StatusCode::kNotFound);
  EXPECT_EQ(release.calls, 1);
  EXPECT_TRUE(client_->quiet());
}

TEST_F(ThreadClientBench, impossible_requests_are_refused_at_once) {
  CallOptions streamed;
  streamed.landing = Landing::stream(4096);
  const auto bytes = test_bytes(30);
  EXPECT_EQ(client_->start(session(), streamed, borrow(bytes), 0, false),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(client_->start(session(), {}, Buffer(), 0, false), StatusCode::kInvalidArgument);
  EXPECT_EQ(
      client_->start(session(), {}, bench_->endpoint(ApiPair::kClient).allocate(10), 0, false),
      StatusCode::kInvalidArgument);
}

TEST_F(ThreadClientBench, one_way_messages_cross_too) {
  const auto bytes = test_bytes(30);
  ASSERT_EQ(client_->start(session(), {}, borrow(bytes), 1, true), StatusCode::kOk);
  ASSERT_TRUE(run_until_ready());
  Completion completion;
  ASSERT_EQ(client_->take({&completion, 1}), 1u);
  EXPECT_EQ(completion.result.code, StatusCode::kOk);
  EXPECT_EQ(echo_.one_ways, 1);
}

TEST_F(ThreadClientBench, a_waiting_thread_gets_its_own_answer) {
  const auto bytes = test_bytes(500);
  std::atomic<bool> answered{false};
  CallResult result;
  std::thread thread([&] {
    result = client_->start_and_wait(session(), {}, borrow(bytes));
    answered = true;
  });
  while (!answered) bench_->run_for(base::micros(50));
  thread.join();
  EXPECT_EQ(result.code, StatusCode::kOk);
  EXPECT_EQ(result.response.length(), 500u);
  result.response.release();
  bench_->run_for(base::millis(1));
  EXPECT_TRUE(client_->quiet());
}

TEST_F(ThreadClientBench, cancelling_everything_completes_everything) {
  Handler silent;
  bench_->pair().faults(0).loss_ppm = 1'000'000;
  const auto bytes = test_bytes(30);
  for (uint64_t i = 0; i < 3; ++i) client_->start(session(), {}, borrow(bytes), i, false);
  bench_->run_for(base::micros(100));
  client_->cancel_all();
  bench_->run_for(base::millis(1));
  Completion completions[4];
  ASSERT_EQ(client_->take(completions), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(completions[i].result.code, StatusCode::kCancelled);
}

TEST_F(ThreadClientBench, after_the_end_everything_is_closed) {
  const auto bytes = test_bytes(30);
  ASSERT_EQ(client_->start(session(), {}, borrow(bytes), 5, false), StatusCode::kOk);
  bench_->stop();
  Completion completion;
  ASSERT_EQ(client_->take({&completion, 1}), 1u);
  EXPECT_EQ(completion.result.code, StatusCode::kClosed);
  EXPECT_EQ(client_->start(session(), {}, borrow(bytes), 5, false), StatusCode::kClosed);
  EXPECT_EQ(client_->start_and_wait(session(), {}, borrow(bytes)).code, StatusCode::kClosed);
  EXPECT_TRUE(client_->quiet());
}

}  // namespace
}  // namespace sluice::internal
