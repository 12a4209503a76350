// SPDX-License-Identifier: Apache-2.0
#include "sluice/handler.h"

#include <gtest/gtest.h>

#include "test/unit/api/api_pair.h"

namespace sluice::internal {
namespace {

TEST(Handler, defaults_reject_requests_and_drop_the_rest) {
  Handler handler;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
  const auto bytes = test_bytes(40);
  Outcome call;
  Outcome one_way;
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const Session session = bench.session(ApiPair::kClient);
  ASSERT_EQ(client.call(session, {}, borrow(bytes), &Outcome::done, &call), StatusCode::kOk);
  ASSERT_EQ(client.send(session, {}, borrow(bytes), &Outcome::done, &one_way), StatusCode::kOk);
  ASSERT_TRUE(bench.run([&] { return call.completions + one_way.completions == 2; }));
  EXPECT_EQ(call.code, StatusCode::kNotFound);
  EXPECT_EQ(one_way.code, StatusCode::kOk);
}

// Keeps the replies for later.
class LaterHandler : public Handler {
 public:
  void on_request(Request& request) override { pending.push_back(request.respond_later()); }
  std::vector<PendingReply> pending;
};

TEST(Handler, a_reply_may_come_later_and_in_another_order) {
  LaterHandler handler;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
  const auto first = test_bytes(40, 1);
  const auto second = test_bytes(1000, 2);
  Outcome outcomes[2];
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const Session session = bench.session(ApiPair::kClient);
  client.call(session, {}, borrow(first), &Outcome::done, &outcomes[0]);
  client.call(session, {}, borrow(second), &Outcome::done, &outcomes[1]);
  ASSERT_TRUE(bench.run([&] { return handler.pending.size() == 2; }));
  EXPECT_EQ(outcomes[0].completions + outcomes[1].completions, 0);
  for (size_t i = 2; i-- > 0;) {
    PendingReply reply = std::move(handler.pending[i]);
    EXPECT_FALSE(handler.pending[i].valid());
    const auto bytes = reply.bytes();
    EXPECT_EQ(reply.respond(bytes.data(), static_cast<uint32_t>(bytes.size())), StatusCode::kOk);
    EXPECT_FALSE(reply.valid());
    EXPECT_EQ(reply.respond(bytes.data(), 1), StatusCode::kNotFound);
    ASSERT_TRUE(bench.run([&] { return outcomes[i].completions == 1; }));
  }
  EXPECT_EQ(outcomes[0].response, first);
  EXPECT_EQ(outcomes[1].response, second);
}

TEST(Handler, a_forgotten_reply_is_a_rejection) {
  LaterHandler handler;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
  const auto bytes = test_bytes(40);
  Outcome outcome;
  bench.endpoint(ApiPair::kClient)
      .call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
  ASSERT_TRUE(bench.run([&] { return handler.pending.size() == 1; }));
  handler.pending.clear();
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
  EXPECT_EQ(outcome.code, StatusCode::kAborted);
  EXPECT_EQ(bench.core(ApiPair::kServer).stats().unanswered.value(), 1u);
}

TEST(Handler, an_answer_that_nobody_waits_for_says_so) {
  LaterHandler handler;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
  const auto bytes = test_bytes(600);
  Outcome outcome;
  CallOptions options;
  options.deadline_ns = 1'000'000;
  bench.endpoint(ApiPair::kClient)
      .call(bench.session(ApiPair::kClient), options, borrow(bytes), &Outcome::done, &outcome);
  ASSERT_TRUE(bench.run([&] { return handler.pending.size() == 1 && outcome.completions == 1; }));
  EXPECT_EQ(outcome.code, StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(outcome.may_have_executed);
  bench.run_for(base::millis(5));
  PendingReply reply = std::move(handler.pending[0]);
  EXPECT_EQ(reply.respond(bytes.data(), 600), StatusCode::kCancelled);
  EXPECT_FALSE(reply.valid());
  bench.run_for(base::millis(50));
  EXPECT_TRUE(bench.endpoint(ApiPair::kServer).idle());
}

struct Release {
  int calls = 0;
  static void run(void* context, const uint8_t*) { ++static_cast<Release*>(context)->calls; }
};

// Answers from memory of its own.
class LendingHandler : public Handler {
 public:
  void on_request(Request& request) override {
    Buffer buffer =
        Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size()), &Release::run, &release);
    EXPECT_EQ(request.respond(std::move(buffer)), StatusCode::kOk);
  }
  std::vector<uint8_t> bytes;
  Release release;
};

TEST(Handler, lent_bytes_are_let_go_once_the_peer_has_them) {
  for (const uint32_t length : {100u, 5000u, 60000u}) {
    LendingHandler handler;
    handler.bytes = test_bytes(length);
    ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
    const auto bytes = test_bytes(8);
    Outcome outcome;
    bench.endpoint(ApiPair::kClient)
        .call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
    ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
    EXPECT_EQ(outcome.response, handler.bytes);
    ASSERT_TRUE(bench.run([&] { return handler.release.calls == 1; }));
    bench.run_for(base::millis(20));
    EXPECT_EQ(handler.release.calls, 1);
  }
}

}  // namespace
}  // namespace sluice::internal
