// SPDX-License-Identifier: Apache-2.0
//
// Streams, offers and losses: what EndpointCore makes of the rarer events.
#include <gtest/gtest.h>

#include "test/unit/api/api_pair.h"

namespace sluice::internal {
namespace {

constexpr uint16_t kService = 5;
constexpr uint32_t kWindow = 16384;

CallOptions to_service() {
  CallOptions options;
  options.service = kService;
  return options;
}

// Collects streams; answers a request with its length.
class Consumer : public Handler {
 public:
  void on_stream(StreamChunk& chunk) override {
    EXPECT_EQ(chunk.offset(), received.size() - first);
    EXPECT_EQ(chunk.context(), chunk.offset() == 0 ? start_context : this);
    chunk.set_context(this);
    received.insert(received.end(), chunk.bytes().begin(), chunk.bytes().end());
    id = chunk.id();
    if (keep) chunk.keep();
    if (refuse_at != 0 && received.size() >= refuse_at) chunk.refuse(StatusCode::kCancelled);
    if (!chunk.last()) return;
    ++finished;
    if (chunk.request() == nullptr) return;
    const uint32_t length = static_cast<uint32_t>(received.size());
    EXPECT_EQ(chunk.request()->respond(&length, sizeof(length)), StatusCode::kOk);
  }
  Landing on_offer(Offer& offer) override {
    ++offers;
    offered_one_way = offer.one_way;
    offer.context = start_context;
    return landing;
  }
  void on_request(Request& request) override {
    whole.assign(request.bytes().begin(), request.bytes().end());
    EXPECT_EQ(request.context(), start_context);
    const uint8_t answer = 1;
    request.respond(&answer, 1);
  }
  void on_one_way(OneWay& one_way) override {
    whole.assign(one_way.message.bytes().begin(), one_way.message.bytes().end());
    EXPECT_EQ(one_way.context, start_context);
  }
  void on_lost(Endpoint&, uint16_t service, void* context, StatusCode code) override {
    EXPECT_EQ(service, kService);
    ++lost;
    lost_context = context;
    lost_code = code;
  }

  std::vector<uint8_t> received;
  std::vector<uint8_t> whole;
  size_t first = 0;
  StreamId id;
  bool keep = false;
  size_t refuse_at = 0;
  int finished = 0;
  int offers = 0;
  bool offered_one_way = false;
  int lost = 0;
  void* lost_context = nullptr;
  StatusCode lost_code = StatusCode::kOk;
  void* start_context = nullptr;
  Landing landing = Landing::refuse();
};

class Events : public testing::Test {
 protected:
  void make(bool stream) {
    bench_ = std::make_unique<ApiPair>([&](int side, Endpoint& endpoint) {
      if (side != ApiPair::kServer) return;
      endpoint.set_handler(&consumer_);
      EXPECT_EQ(
          stream ? endpoint.stream_landing(kService, kWindow) : endpoint.ask_landing(kService),
          StatusCode::kOk);
    });
  }
  void call(const std::vector<uint8_t>& bytes) {
    ASSERT_EQ(bench_->endpoint(ApiPair::kClient)
                  .call(bench_->session(ApiPair::kClient), to_service(), borrow(bytes),
                        &Outcome::done, &outcome_),
              StatusCode::kOk);
  }
  void send(const std::vector<uint8_t>& bytes) {
    ASSERT_EQ(bench_->endpoint(ApiPair::kClient)
                  .send(bench_->session(ApiPair::kClient), to_service(), borrow(bytes),
                        &Outcome::done, &outcome_),
              StatusCode::kOk);
  }
  bool run_to_completion() {
    return bench_->run([&] { return outcome_.completions == 1; });
  }

  Consumer consumer_;
  std::unique_ptr<ApiPair> bench_;
  Outcome outcome_;
};

TEST_F(Events, a_streamed_request_passes_through_a_small_window) {
  make(true);
  const auto bytes = test_bytes(300'000);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kOk);
  EXPECT_EQ(consumer_.received, bytes);
  EXPECT_EQ(consumer_.finished, 1);
}

TEST_F(Events, a_streamed_one_way_message_ends_by_itself) {
  make(true);
  const auto bytes = test_bytes(100'000);
  send(bytes);
  ASSERT_TRUE(run_to_completion());
  ASSERT_TRUE(bench_->run([&] { return consumer_.finished == 1; }));
  EXPECT_EQ(consumer_.received, bytes);
  bench_->run_for(base::millis(50));
  EXPECT_TRUE(bench_->endpoint(ApiPair::kServer).idle());
}

TEST_F(Events, a_lazy_completion_comes_late_but_comes) {
  make(true);
  bench_->run_for(base::millis(50));  // Nothing is left that an ACK could go with.
  const auto bytes = test_bytes(10);
  CallOptions options = to_service();
  options.lazy_completion = true;
  ASSERT_EQ(bench_->endpoint(ApiPair::kClient)
                .send(bench_->session(ApiPair::kClient), options, borrow(bytes), &Outcome::done,
                      &outcome_),
            StatusCode::kOk);
  bench_->run_for(base::millis(1));
  EXPECT_EQ(consumer_.received, bytes);
  EXPECT_EQ(outcome_.completions, 0);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kOk);
}

TEST_F(Events, a_tiny_message_of_a_streaming_service_is_one_chunk) {
  make(true);
  const auto bytes = test_bytes(3);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(consumer_.received, bytes);
}

TEST_F(Events, kept_chunks_hold_the_sender_back_until_consumed) {
  make(true);
  consumer_.keep = true;
  const auto bytes = test_bytes(100'000);
  send(bytes);
  bench_->run_for(base::millis(20));
  EXPECT_GT(consumer_.received.size(), 0u);
  EXPECT_LE(consumer_.received.size(), kWindow);
  EXPECT_EQ(outcome_.completions, 0);
  Endpoint& server = bench_->endpoint(ApiPair::kServer);
  EXPECT_EQ(server.consume(consumer_.id, kWindow + 1), StatusCode::kInvalidArgument);
  size_t consumed = 0;
  ASSERT_TRUE(bench_->run([&] {
    const size_t kept = consumer_.received.size() - consumed;
    if (kept > 0) {
      EXPECT_EQ(server.consume(consumer_.id, static_cast<uint32_t>(kept)), StatusCode::kOk);
    }
    consumed += kept;
    return consumed == bytes.size() && outcome_.completions == 1;
  }));
  EXPECT_EQ(consumer_.received, bytes);
  EXPECT_EQ(server.consume(consumer_.id, 1), StatusCode::kNotFound);
  bench_->run_for(base::millis(50));
  EXPECT_TRUE(server.idle());
}

TEST_F(Events, a_stream_can_be_refused_in_the_middle) {
  make(true);
  consumer_.refuse_at = 20'000;
  const auto bytes = test_bytes(200'000);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kCancelled);
  EXPECT_EQ(consumer_.finished, 0);
  EXPECT_EQ(consumer_.lost, 0);
}

TEST_F(Events, a_stream_that_loses_its_lane_is_told_once) {
  make(true);
  const auto bytes = test_bytes(400'000);
  call(bytes);
  ASSERT_TRUE(bench_->run([&] { return consumer_.received.size() > 20'000; }));
  bench_->close_lane(ApiPair::kServer, base::Code::kUnavailable);
  ASSERT_TRUE(bench_->run([&] { return consumer_.lost == 1; }));
  EXPECT_EQ(consumer_.lost_context, &consumer_);
  bench_->run_for(base::millis(10));
  EXPECT_EQ(consumer_.lost, 1);
}

TEST_F(Events, a_large_message_lands_in_named_memory) {
  make(false);
  int mark = 0;
  consumer_.start_context = &mark;
  const auto bytes = test_bytes(300'000);
  std::vector<uint8_t> memory(bytes.size());
  consumer_.landing = Landing::named(memory.data(), static_cast<uint32_t>(memory.size()));
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kOk);
  EXPECT_EQ(memory, bytes);
  EXPECT_EQ(consumer_.whole, bytes);
  EXPECT_FALSE(consumer_.offered_one_way);
}

TEST_F(Events, a_large_one_way_message_may_be_streamed_on_offer) {
  make(false);
  consumer_.landing = Landing::stream(kWindow);
  const auto bytes = test_bytes(300'000);
  send(bytes);
  ASSERT_TRUE(run_to_completion());
  ASSERT_TRUE(bench_->run([&] { return consumer_.finished == 1; }));
  EXPECT_TRUE(consumer_.offered_one_way);
  EXPECT_EQ(consumer_.received, bytes);
}

TEST_F(Events, a_large_request_may_be_streamed_on_offer) {
  make(false);
  consumer_.landing = Landing::stream(kWindow);
  const auto bytes = test_bytes(300'000);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kOk);
  EXPECT_EQ(consumer_.received, bytes);
}

TEST_F(Events, a_refused_offer_is_too_large_for_the_caller) {
  make(false);
  const auto bytes = test_bytes(300'000);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kTooLarge);
  EXPECT_EQ(consumer_.offers, 1);
  EXPECT_EQ(bench_->core(ApiPair::kServer).stats().offers_refused.value(), 1u);
}

TEST_F(Events, memory_that_is_too_small_is_lost_at_once) {
  make(false);
  int mark = 0;
  consumer_.start_context = &mark;
  std::vector<uint8_t> memory(1000);
  consumer_.landing = Landing::named(memory.data(), 1000);
  const auto bytes = test_bytes(300'000);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kTooLarge);
  EXPECT_EQ(consumer_.lost, 1);
  EXPECT_EQ(consumer_.lost_context, &mark);
}

TEST_F(Events, a_stream_ends_when_the_caller_gives_up) {
  make(true);
  const auto bytes = test_bytes(4'000'000);
  CallOptions options = to_service();
  options.deadline_ns = 300'000;
  ASSERT_EQ(bench_->endpoint(ApiPair::kClient)
                .call(bench_->session(ApiPair::kClient), options, borrow(bytes), &Outcome::done,
                      &outcome_),
            StatusCode::kOk);
  ASSERT_TRUE(run_to_completion());
  ASSERT_GT(consumer_.received.size(), 0u);
  ASSERT_TRUE(bench_->run([&] { return consumer_.lost == 1; }));
  EXPECT_EQ(consumer_.lost_context, &consumer_);
  bench_->run_for(base::millis(50));
  EXPECT_EQ(consumer_.lost, 1);
  EXPECT_TRUE(bench_->endpoint(ApiPair::kServer).idle());
}

// The ways in which a message in flight to named memory can end.
enum class Ending { kCancel, kDeadline, kPeerCloses, kLaneEnds, kStop };

class NamedLandings : public Events, public testing::WithParamInterface<Ending> {};

TEST_P(NamedLandings, a_handler_hears_once_that_its_memory_is_its_own_again) {
  make(false);
  int mark = 0;
  consumer_.start_context = &mark;
  const auto bytes = test_bytes(4'000'000);
  std::vector<uint8_t> memory(bytes.size());
  consumer_.landing = Landing::named(memory.data(), static_cast<uint32_t>(memory.size()));
  transport::LinkFaults slow;
  slow.delay = base::micros(200);  // The message takes several milliseconds.
  bench_->pair().set_faults(slow);
  CallOptions options = to_service();
  if (GetParam() == Ending::kDeadline) options.deadline_ns = 1'500'000;
  Endpoint& client = bench_->endpoint(ApiPair::kClient);
  CallId id;
  ASSERT_EQ(client.call(bench_->session(ApiPair::kClient), options, borrow(bytes), &Outcome::done,
                        &outcome_, &id),
            StatusCode::kOk);
  ASSERT_TRUE(bench_->run([&] { return memory[200'000] != 0; }));
  StatusCode expected = StatusCode::kAborted;
  switch (GetParam()) {
    case Ending::kCancel:
      EXPECT_EQ(client.cancel(id), StatusCode::kOk);
      break;
    case Ending::kDeadline:
      break;
    case Ending::kPeerCloses:
      bench_->pair().client().submit(transport::CloseLane{bench_->pair().lane(ApiPair::kClient)},
                                     bench_->pair().now());
      expected = StatusCode::kClosed;
      break;
    case Ending::kLaneEnds:
      bench_->close_lane(ApiPair::kServer, base::Code::kUnavailable);
      expected = StatusCode::kUnavailable;
      break;
    case Ending::kStop:
      bench_->stop();
      expected = StatusCode::kClosed;
  }
  if (GetParam() != Ending::kStop) {
    ASSERT_TRUE(bench_->run([&] { return consumer_.lost == 1; }));
    const auto before = memory;
    bench_->run_for(base::millis(50));
    EXPECT_TRUE(memory == before);
    EXPECT_TRUE(bench_->endpoint(ApiPair::kServer).idle());
    bench_->stop();
  }
  EXPECT_EQ(consumer_.lost, 1);
  EXPECT_EQ(consumer_.lost_context, &mark);
  EXPECT_EQ(consumer_.lost_code, expected);
  EXPECT_TRUE(consumer_.whole.empty());
}

INSTANTIATE_TEST_SUITE_P(, NamedLandings,
                         testing::Values(Ending::kCancel, Ending::kDeadline, Ending::kPeerCloses,
                                         Ending::kLaneEnds, Ending::kStop));

// What a handler kept of a request ends with its answer, and is not lost later.
TEST_F(Events, an_answered_request_is_not_lost_when_its_lane_ends) {
  make(true);
  consumer_.keep = true;
  const auto bytes = test_bytes(3);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(outcome_.code, StatusCode::kOk);
  bench_->run_for(base::millis(5));  // Until its caller has released it.
  EXPECT_EQ(bench_->endpoint(ApiPair::kServer).consume(consumer_.id, 3), StatusCode::kNotFound);
  bench_->close_lane(ApiPair::kServer, base::Code::kUnavailable);
  bench_->run_for(base::millis(10));
  EXPECT_EQ(consumer_.lost, 0);
}

// A message that is complete cannot be lost any more: what was kept of it can still be read.
TEST_F(Events, kept_bytes_of_a_complete_message_outlive_their_lane) {
  make(true);
  consumer_.keep = true;
  const auto bytes = test_bytes(10'000);
  send(bytes);
  ASSERT_TRUE(run_to_completion());
  ASSERT_TRUE(bench_->run([&] { return consumer_.finished == 1; }));
  bench_->close_lane(ApiPair::kServer, base::Code::kUnavailable);
  bench_->run_for(base::millis(10));
  EXPECT_EQ(consumer_.lost, 0);
  Endpoint& server = bench_->endpoint(ApiPair::kServer);
  EXPECT_FALSE(server.idle());
  EXPECT_EQ(server.consume(consumer_.id, 10'000), StatusCode::kOk);
  EXPECT_TRUE(server.idle());
  EXPECT_EQ(server.consume(consumer_.id, 1), StatusCode::kNotFound);
}

// Nothing but the handler's answer is told to the transport about an offer.
TEST_F(Events, an_offer_says_which_kind_of_message_it_is) {
  make(false);
  const auto bytes = test_bytes(300'000);
  send(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_TRUE(consumer_.offered_one_way);
  EXPECT_EQ(outcome_.code, StatusCode::kTooLarge);
  outcome_ = Outcome();
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_FALSE(consumer_.offered_one_way);
}

TEST_F(Events, a_small_message_needs_no_offer) {
  make(false);
  const auto bytes = test_bytes(2000);
  call(bytes);
  ASSERT_TRUE(run_to_completion());
  EXPECT_EQ(consumer_.offers, 0);
  EXPECT_EQ(consumer_.whole, bytes);
}

// Answers with a lot.
class Generous : public Handler {
 public:
  void on_request(Request& request) override {
    request.respond(Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size())));
  }
  std::vector<uint8_t> bytes = test_bytes(400'000);
};

struct ResponseStream {
  std::vector<uint8_t> received;
  bool last = false;
  Outcome outcome;
  static void chunk(void* context, StreamChunk& chunk) {
    auto* self = static_cast<ResponseStream*>(context);
    EXPECT_EQ(chunk.offset(), self->received.size());
    EXPECT_EQ(chunk.request(), nullptr);
    self->received.insert(self->received.end(), chunk.bytes().begin(), chunk.bytes().end());
    self->last = chunk.last();
  }
  static void done(void* context, CallResult& result) {
    Outcome::done(&static_cast<ResponseStream*>(context)->outcome, result);
  }
};

TEST(ResponseLanding, a_response_is_streamed_to_the_caller) {
  Generous handler;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
  ResponseStream stream;
  CallOptions options;
  options.landing = Landing::stream(kWindow);
  options.on_stream = &ResponseStream::chunk;
  const auto bytes = test_bytes(4);
  ASSERT_EQ(bench.endpoint(ApiPair::kClient)
                .call(bench.session(ApiPair::kClient), options, borrow(bytes),
                      &ResponseStream::done, &stream),
            StatusCode::kOk);
  ASSERT_TRUE(bench.run([&] { return stream.outcome.completions == 1; }));
  EXPECT_EQ(stream.outcome.code, StatusCode::kOk);
  EXPECT_EQ(stream.received, handler.bytes);
  EXPECT_TRUE(stream.last);
  bench.run_for(base::millis(50));
  EXPECT_TRUE(bench.endpoint(ApiPair::kClient).idle());
}

TEST(ResponseLanding, a_response_lands_in_named_memory) {
  Generous handler;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
  std::vector<uint8_t> memory(handler.bytes.size());
  CallOptions options;
  options.landing = Landing::named(memory.data(), static_cast<uint32_t>(memory.size()));
  Outcome outcome;
  const auto bytes = test_bytes(4);
  bench.endpoint(ApiPair::kClient)
      .call(bench.session(ApiPair::kClient), options, borrow(bytes), &Outcome::done, &outcome);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
  EXPECT_EQ(outcome.code, StatusCode::kOk);
  EXPECT_EQ(memory, handler.bytes);
  EXPECT_EQ(outcome.response, handler.bytes);
}

TEST(ResponseLanding, a_response_over_the_limit_fails_the_call) {
  Generous handler;
  ApiPair bench([&](int, Endpoint& endpoint) { endpoint.set_handler(&handler); });
  Outcome outcome;
  const auto bytes = test_bytes(4);
  bench.endpoint(ApiPair::kClient)
      .call(bench.session(ApiPair::kClient), {}, borrow(bytes), &Outcome::done, &outcome);
  ASSERT_TRUE(bench.run([&] { return outcome.completions == 1; }));
  EXPECT_EQ(outcome.code, StatusCode::kTooLarge);
  EXPECT_TRUE(outcome.may_have_executed);
}

}  // namespace
}  // namespace sluice::internal
