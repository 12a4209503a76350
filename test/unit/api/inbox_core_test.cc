// SPDX-License-Identifier: Apache-2.0
#include "api/inbox_core.h"

#include <gtest/gtest.h>

#include <thread>

#include "test/unit/api/api_pair.h"

namespace sluice::internal {
namespace {

class InboxBench : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(inbox_.open().ok());
    bench_ = std::make_unique<ApiPair>([&](int side, Endpoint& endpoint) {
      if (side == ApiPair::kServer) endpoint.set_handler(&inbox_);
    });
    EndpointCore& server = bench_->core(ApiPair::kServer);
    ASSERT_TRUE(server.add_client(inbox_.add_port(&server)));
  }
  void TearDown() override { bench_->stop(); }
  void call(const std::vector<uint8_t>& bytes, Outcome* outcome) {
    ASSERT_EQ(
        bench_->endpoint(ApiPair::kClient)
            .call(bench_->session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, outcome),
        StatusCode::kOk);
  }
  InboxRequest next() {
    InboxRequest request;
    EXPECT_TRUE(bench_->run([&] {
      request = inbox_.receive();
      return request.valid();
    }));
    return request;
  }
  bool finish(const Outcome& outcome) {
    return bench_->run([&] { return outcome.completions == 1; });
  }

  InboxCore inbox_{4};
  std::unique_ptr<ApiPair> bench_;
};

TEST_F(InboxBench, a_request_is_answered_from_outside) {
  for (const uint32_t length : {10u, 256u, 257u, 50'000u}) {
    const auto bytes = test_bytes(length);
    Outcome outcome;
    call(bytes, &outcome);
    InboxRequest request = next();
    EXPECT_EQ(request.bytes().size(), length);
    EXPECT_FALSE(request.one_way());
    EXPECT_EQ(request.session(), bench_->session(ApiPair::kServer));
    EXPECT_EQ(request.respond(request.bytes().data(), length), StatusCode::kOk);
    EXPECT_FALSE(request.valid());
    ASSERT_TRUE(finish(outcome));
    EXPECT_EQ(outcome.response, bytes);
  }
  ASSERT_TRUE(bench_->run([&] { return inbox_.quiet(); }));
}

struct Release {
  int calls = 0;
  static void run(void* context, const uint8_t*) { ++static_cast<Release*>(context)->calls; }
};

TEST_F(InboxBench, lent_bytes_are_let_go_when_sent) {
  Release release;
  const auto answer = test_bytes(20'000, 9);
  const auto bytes = test_bytes(10);
  Outcome outcome;
  call(bytes, &outcome);
  InboxRequest request = next();
  EXPECT_EQ(request.respond(Buffer::borrow(answer.data(), 20'000, &Release::run, &release)),
            StatusCode::kOk);
  ASSERT_TRUE(finish(outcome));
  EXPECT_EQ(outcome.response, answer);
  ASSERT_TRUE(bench_->run([&] { return release.calls == 1 && inbox_.quiet(); }));
}

TEST_F(InboxBench, rejections_and_forgotten_requests_reach_the_caller) {
  const auto bytes = test_bytes(10);
  Outcome rejected;
  call(bytes, &rejected);
  InboxRequest request = next();
  EXPECT_EQ(request.reject(StatusCode::kOk), StatusCode::kInvalidArgument);
  EXPECT_EQ(request.reject(StatusCode::kPermissionDenied), StatusCode::kOk);
  ASSERT_TRUE(finish(rejected));
  EXPECT_EQ(rejected.code, StatusCode::kPermissionDenied);
  Outcome forgotten;
  call(bytes, &forgotten);
  request = next();
  request = InboxRequest();
  ASSERT_TRUE(finish(forgotten));
  EXPECT_EQ(forgotten.code, StatusCode::kAborted);
  ASSERT_TRUE(bench_->run([&] { return inbox_.quiet(); }));
}

TEST_F(InboxBench, a_full_inbox_refuses_and_recovers) {
  const auto bytes = test_bytes(10);
  Outcome outcomes[6];
  for (Outcome& outcome : outcomes) call(bytes, &outcome);
  bench_->run_for(base::millis(2));
  int refused = 0;
  for (const Outcome& outcome : outcomes) {
    if (outcome.code == StatusCode::kResourceExhausted) refused += outcome.completions;
  }
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(bench_->core(ApiPair::kServer).stats().inbox_full.value(), 2u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(next().reject(StatusCode::kAborted), StatusCode::kOk);
  ASSERT_TRUE(bench_->run([&] { return inbox_.quiet(); }));
  Outcome again;
  call(bytes, &again);
  EXPECT_EQ(next().respond(bytes.data(), 10), StatusCode::kOk);
  ASSERT_TRUE(finish(again));
}

TEST_F(InboxBench, one_way_messages_are_released_only) {
  const auto bytes = test_bytes(5000);
  Outcome outcome;
  bench_->endpoint(ApiPair::kClient)
      .send(bench_->session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
  {
    InboxRequest message = next();
    EXPECT_TRUE(message.one_way());
    EXPECT_EQ(message.bytes().size(), 5000u);
    EXPECT_EQ(message.respond(bytes.data(), 10), StatusCode::kInvalidArgument);
  }
  ASSERT_TRUE(finish(outcome));
  ASSERT_TRUE(bench_->run([&] { return inbox_.quiet(); }));
}

TEST_F(InboxBench, answers_to_nobody_come_home) {
  const auto bytes = test_bytes(1000);
  Outcome outcome;
  CallOptions options;
  options.deadline_ns = 500'000;
  bench_->endpoint(ApiPair::kClient)
      .call(bench_->session(ApiPair::kClient), options, borrow(bytes), &Outcome::done, &outcome);
  InboxRequest request = next();
  ASSERT_TRUE(finish(outcome));
  bench_->run_for(base::millis(5));
  EXPECT_EQ(request.respond(bytes.data(), 1000), StatusCode::kOk);
  ASSERT_TRUE(bench_->run([&] { return inbox_.quiet(); }));
}

TEST_F(InboxBench, requests_outlive_the_lcore) {
  const auto bytes = test_bytes(1000);
  Outcome outcome;
  call(bytes, &outcome);
  InboxRequest request = next();
  bench_->stop();
  EXPECT_EQ(request.respond(bytes.data(), 1000), StatusCode::kOk);
  EXPECT_TRUE(inbox_.quiet());
}

TEST_F(InboxBench, a_sleeping_thread_is_woken) {
  const auto bytes = test_bytes(10);
  Outcome outcome;
  std::atomic<bool> answered{false};
  std::thread worker([&] {
    InboxRequest request = inbox_.wait(10'000'000'000);
    EXPECT_TRUE(request.valid());
    request.respond(bytes.data(), 10);
    answered = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  call(bytes, &outcome);
  // Virtual time passes only while the worker sleeps or works: in small steps, without a deadline.
  while (!answered) bench_->run_for(base::micros(50));
  worker.join();
  ASSERT_TRUE(finish(outcome));
}

}  // namespace
}  // namespace sluice::internal
