// SPDX-License-Identifier: Apache-2.0
#include "sluice/endpoint.h"

#include <gtest/gtest.h>

#include "test/unit/api/api_pair.h"

namespace sluice::internal {
namespace {

TEST(Endpoint, a_call_is_answered_once_with_its_bytes) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); });
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  for (const uint32_t length : {1u, 64u, 256u, 257u, 1400u, 60000u}) {
    const auto bytes = test_bytes(length, length);
    Outcome outcome;
    CallId id;
    ASSERT_EQ(client.call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done,
                          &outcome, &id),
              StatusCode::kOk);
    EXPECT_TRUE(id.valid());
    ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; })) << length;
    EXPECT_EQ(outcome.code, StatusCode::kOk);
    EXPECT_EQ(outcome.response, bytes);
    EXPECT_EQ(client.cancel(id), StatusCode::kNotFound);
  }
  EXPECT_EQ(echo.last_session, bench.session(ApiPair::kServer));
  bench.run_for(base::millis(20));
  EXPECT_TRUE(client.idle());
  EXPECT_TRUE(bench.endpoint(ApiPair::kServer).idle());
}

TEST(Endpoint, arena_buffers_travel_and_return) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); });
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const auto bytes = test_bytes(3000);
  for (int round = 0; round < 100; ++round) {
    Buffer buffer = client.copy(bytes.data(), 3000);
    ASSERT_TRUE(buffer);
    buffer.truncate(2000);
    Outcome outcome;
    ASSERT_EQ(client.call(bench.session(ApiPair::kClient), {}, std::move(buffer), &Outcome::done,
                          &outcome),
              StatusCode::kOk);
    EXPECT_FALSE(buffer);
    ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
    EXPECT_EQ(outcome.response.size(), 2000u);
  }
  // The whole arena can be had again: nothing leaked.
  bench.run_for(base::millis(50));
  Buffer whole = client.allocate(16u << 20);
  EXPECT_TRUE(whole);
  EXPECT_FALSE(client.allocate(1));
}

TEST(Endpoint, one_way_messages_complete_when_the_peer_holds_them) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); });
  const auto bytes = test_bytes(5000);
  Outcome outcome;
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  ASSERT_EQ(
      client.send(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome),
      StatusCode::kOk);
  ASSERT_EQ(client.send(bench.session(ApiPair::kClient), {}, borrow(bytes), nullptr, nullptr),
            StatusCode::kOk);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1 && echo.one_ways == 2; }));
  EXPECT_EQ(outcome.code, StatusCode::kOk);
  EXPECT_EQ(echo.last, bytes);
}

TEST(Endpoint, refusals_leave_the_buffer_with_the_caller) {
  ApiPair bench;
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const Session session = bench.session(ApiPair::kClient);
  const auto bytes = test_bytes(10);
  Buffer buffer = borrow(bytes);
  Outcome outcome;
  const auto call = [&](Session to, const CallOptions& options, CallFn done) {
    return client.call(to, options, std::move(buffer), done, &outcome);
  };
  EXPECT_EQ(call(Session(), {}, &Outcome::done), StatusCode::kNotFound);
  EXPECT_EQ(call({session.id, 5}, {}, &Outcome::done), StatusCode::kNotFound);
  EXPECT_EQ(call({session.id + 0x10000, 0}, {}, &Outcome::done), StatusCode::kNotFound);
  EXPECT_EQ(call(session, {}, nullptr), StatusCode::kInvalidArgument);
  CallOptions options;
  options.lane = 9;
  EXPECT_EQ(call(session, options, &Outcome::done), StatusCode::kNotFound);
  options = CallOptions();
  options.landing = Landing::stream(4096);
  EXPECT_EQ(call(session, options, &Outcome::done), StatusCode::kInvalidArgument);
  EXPECT_TRUE(buffer);
  buffer = Buffer();
  EXPECT_EQ(call(session, {}, &Outcome::done), StatusCode::kInvalidArgument);
  EXPECT_EQ(outcome.completions, 0);
}

TEST(Endpoint, backpressure_shows_and_goes) {
  EchoHandler echo;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&echo); });
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const auto bytes = test_bytes(64);
  Outcome outcome;
  int accepted = 0;
  StatusCode code = StatusCode::kOk;
  while (code == StatusCode::kOk && accepted < 100'000) {
    code =
        client.call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
    if (code == StatusCode::kOk) ++accepted;
  }
  EXPECT_EQ(code, StatusCode::kResourceExhausted);
  EXPECT_EQ(accepted, 1024);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == accepted; }));
  EXPECT_EQ(
      client.call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome),
      StatusCode::kOk);
}

TEST(Endpoint, a_cancelled_call_completes_once) {
  ApiPair bench;
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  const auto bytes = test_bytes(50'000);
  Outcome outcome;
  CallId id;
  ASSERT_EQ(client.call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done,
                        &outcome, &id),
            StatusCode::kOk);
  EXPECT_EQ(client.cancel(id), StatusCode::kOk);
  EXPECT_EQ(outcome.completions, 0);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
  EXPECT_EQ(outcome.code, StatusCode::kCancelled);
  EXPECT_EQ(client.cancel(id), StatusCode::kNotFound);
}

struct Ticker {
  int ticks = 0;
  static void tick(void* context, Endpoint& endpoint) {
    ++static_cast<Ticker*>(context)->ticks;
    EXPECT_GT(endpoint.now_ns(), 0u);
  }
};

TEST(Endpoint, a_task_runs_every_turn_until_it_is_taken_away) {
  ApiPair bench;
  Ticker ticker;
  Endpoint& client = bench.endpoint(ApiPair::kClient);
  client.set_task(&Ticker::tick, &ticker);
  bench.run_for(base::millis(3));
  EXPECT_GT(ticker.ticks, 0);
  client.set_task(nullptr, nullptr);
  const int before = ticker.ticks;
  bench.run_for(base::millis(3));
  EXPECT_EQ(ticker.ticks, before);
}

struct Rester {
  uint64_t until = 0;
  static void rest(void* context, Endpoint& endpoint) {
    const uint64_t until = static_cast<Rester*>(context)->until;
    if (until != 0) endpoint.rest_task(until);
  }
};

TEST(Endpoint, a_task_says_in_each_call_how_long_it_may_rest) {
  ApiPair bench;
  internal::EndpointCore& core = bench.core(ApiPair::kClient);
  EXPECT_EQ(core.wanted_at(), base::Nanos::max()) << "without a task";
  Rester rester;
  bench.endpoint(ApiPair::kClient).set_task(&Rester::rest, &rester);
  bench.run_for(base::millis(1));
  EXPECT_EQ(core.wanted_at(), base::Nanos::zero()) << "it says nothing: every loop";
  rester.until = 123'456'789;
  bench.run_for(base::millis(1));
  EXPECT_EQ(core.wanted_at(), base::nanos(123'456'789));
  rester.until = 0;
  bench.run_for(base::millis(1));
  EXPECT_EQ(core.wanted_at(), base::Nanos::zero()) << "what it said last time is over";
}

TEST(Endpoint, services_have_handlers_of_their_own) {
  EchoHandler common;
  EchoHandler own;
  ApiPair bench([&](int, Endpoint& endpoint) {
    endpoint.set_handler(&common);
    EXPECT_EQ(endpoint.set_handler(7, &own), StatusCode::kOk);
    EXPECT_EQ(endpoint.set_handler(8, nullptr), StatusCode::kOk);
  });
  const auto bytes = test_bytes(10);
  Outcome outcomes[3];
  for (uint16_t i = 0; i < 3; ++i) {
    CallOptions options;
    options.service = static_cast<uint16_t>(6 + i);
    bench.endpoint(ApiPair::kClient)
        .call(bench.session(ApiPair::kClient), options, borrow(bytes), &Outcome::done,
              &outcomes[i]);
  }
  ASSERT_TRUE(bench.run([&] {
    return outcomes[0].completions + outcomes[1].completions + outcomes[2].completions == 3;
  }));
  EXPECT_EQ(common.requests, 1);
  EXPECT_EQ(own.requests, 1);
  EXPECT_EQ(outcomes[2].code, StatusCode::kNotFound);
}

TEST(Endpoint, landings_are_checked_and_bounded) {
  ApiPair bench;
  Endpoint& server = bench.endpoint(ApiPair::kServer);
  EXPECT_EQ(server.stream_landing(1, 1000), StatusCode::kInvalidArgument);
  EXPECT_EQ(server.stream_landing(1, 0), StatusCode::kInvalidArgument);
  for (uint32_t i = 0; i < kMaxServices; ++i) {
    EXPECT_EQ(server.ask_landing(static_cast<uint16_t>(i)), StatusCode::kOk);
  }
  EXPECT_EQ(server.ask_landing(5000), StatusCode::kResourceExhausted);
  EXPECT_EQ(server.stream_landing(3, 4096), StatusCode::kOk);
}

}  // namespace
}  // namespace sluice::internal
