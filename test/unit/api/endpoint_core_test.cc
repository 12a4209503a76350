// SPDX-License-Identifier: Apache-2.0
#include "api/endpoint_core.h"

#include <gtest/gtest.h>

#include "test/unit/api/api_pair.h"

namespace sluice::internal {
namespace {

TEST(EndpointCore, calls_left_at_the_end_complete_with_closed) {
  ApiPair bench;
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const auto bytes = test_bytes(100);
  Outcome outcome;
  ASSERT_EQ(
      client.call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome),
      StatusCode::kOk);
  bench.stop();
  EXPECT_EQ(outcome.completions, 1);
  EXPECT_EQ(outcome.code, StatusCode::kClosed);
  EXPECT_TRUE(outcome.may_have_executed);
}

TEST(EndpointCore, everything_answers_after_the_end) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); });
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  Buffer held = client.allocate(100);
  ASSERT_TRUE(held);
  bench.stop();
  const auto bytes = test_bytes(100);
  Outcome outcome;
  EXPECT_EQ(
      client.call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome),
      StatusCode::kClosed);
  EXPECT_FALSE(client.allocate(1));
  EXPECT_EQ(client.cancel(CallId{0, 0}), StatusCode::kNotFound);
  EXPECT_TRUE(client.idle());
  held.reset();
}

TEST(EndpointCore, draining_refuses_work_from_both_sides) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); });
  bench.core(ApiPair::kServer).begin_draining();
  const auto bytes = test_bytes(100);
  Outcome outcome;
  bench.endpoint(ApiPair::kClient)
      .call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
  EXPECT_EQ(bench.endpoint(ApiPair::kServer)
                .call(bench.session(ApiPair::kServer), {}, borrow(bytes), &Outcome::done, &outcome),
            StatusCode::kClosed);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
  EXPECT_EQ(outcome.code, StatusCode::kUnavailable);
  EXPECT_EQ(echo.requests, 0);
  EXPECT_EQ(bench.core(ApiPair::kServer).stats().draining.value(), 1u);
}

TEST(EndpointCore, sessions_are_known_until_their_last_lane_ends) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); });
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const Session session = bench.session(ApiPair::kClient);
  EXPECT_EQ(client.lanes(session), 1u);
  EXPECT_EQ(client.lanes({session.id, 1}), 0u);
  const auto bytes = test_bytes(10);
  Outcome outcome;
  client.call(session, {}, borrow(bytes), &Outcome::done, &outcome);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
  EXPECT_EQ(echo.ups, 2);  // One on each side.
  bench.close_lane(ApiPair::kClient, base::Code::kUnavailable);
  ASSERT_TRUE(bench.run([&] { return echo.downs == 1; }));
  EXPECT_EQ(echo.down_code, StatusCode::kUnavailable);
  EXPECT_EQ(client.lanes(session), 0u);
  EXPECT_EQ(client.call(session, {}, borrow(bytes), &Outcome::done, &outcome),
            StatusCode::kNotFound);
}

TEST(EndpointCore, calls_of_an_ended_lane_complete_with_its_code) {
  ApiPair bench;
  const auto bytes = test_bytes(10'000);
  Outcome outcomes[20];
  for (Outcome& outcome : outcomes) {
    bench.endpoint(ApiPair::kClient)
        .call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
  }
  bench.close_lane(ApiPair::kClient, base::Code::kUnavailable);
  bench.run_for(base::millis(1));
  for (const Outcome& outcome : outcomes) {
    EXPECT_EQ(outcome.completions, 1);
    EXPECT_EQ(outcome.code, StatusCode::kUnavailable);
  }
}

TEST(EndpointCore, latency_is_recorded_when_asked_for) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); }, true);
  const auto bytes = test_bytes(10);
  Outcome outcome;
  bench.endpoint(ApiPair::kClient)
      .call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
  const base::Histogram* latency = bench.core(ApiPair::kClient).latency();
  ASSERT_NE(latency, nullptr);
  EXPECT_EQ(latency->count(), 1u);
  EXPECT_GE(latency->min(), 10'000u);  // Twice the link's delay.
  bench.core(ApiPair::kClient).clear_latency();
  EXPECT_EQ(latency->count(), 0u);
}

class NullClient final : public LcoreClient {
 public:
  NullClient() : LcoreClient(1) {}

 private:
  void handle(uint32_t) override {}
};

TEST(EndpointCore, does_not_rest_while_threads_have_posted_more_than_a_burst) {
  ApiPair bench;
  EndpointCore& core = bench.core(ApiPair::kClient);
  NullClient client;
  ASSERT_TRUE(core.add_client(&client));
  EXPECT_EQ(core.wanted_at(), base::Nanos::max());
  client.post(1);
  EXPECT_EQ(core.wanted_at(), base::Nanos::zero());
  client.poll();
  EXPECT_EQ(core.wanted_at(), base::Nanos::max());
  core.remove_client(&client);
}

TEST(EndpointCore, clients_are_bounded_and_closed_at_the_end) {
  ApiPair bench;
  EndpointCore& core = bench.core(ApiPair::kClient);
  std::vector<std::unique_ptr<NullClient>> clients;
  for (uint32_t i = 0; i < kMaxLcoreClients; ++i) {
    clients.push_back(std::make_unique<NullClient>());
    EXPECT_TRUE(core.add_client(clients.back().get()));
  }
  NullClient extra;
  EXPECT_FALSE(core.add_client(&extra));
  core.remove_client(clients.front().get());
  EXPECT_TRUE(core.add_client(&extra));
  bench.stop();
  EXPECT_TRUE(extra.closed());
  EXPECT_FALSE(clients.front()->closed());
  core.remove_client(&extra);
  EXPECT_TRUE(core.add_client(clients.front().get()));
  EXPECT_TRUE(clients.front()->closed());
}

}  // namespace
}  // namespace sluice::internal
