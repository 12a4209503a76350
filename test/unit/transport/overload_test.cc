// SPDX-License-Identifier: Apache-2.0
//
// More is offered than a server can answer, then less again: on virtual time, where a server that
// answers so many requests a tick has a capacity that is known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>

#include "test/unit/transport/pair.h"
#include "test/unit/transport/watch.h"

namespace sluice::transport {
namespace {

constexpr base::Nanos kTick = base::micros(10);
constexpr uint32_t kCapacity = 8;  // Answers a tick.
constexpr uint32_t kTicks = 400;
constexpr uint32_t kSettling = 100;  // Ticks before throughput is counted.
constexpr uint32_t kClientTable = 256;
constexpr uint32_t kServerTable = 64;
constexpr uint32_t kAnswerBytes = 64;

// What one run came to.
struct Tally {
  uint64_t accepted = 0;
  uint64_t refused = 0;
  uint64_t counted = 0;       // Completions after kSettling, while there was load.
  size_t most_waiting = 0;    // Requests at the server that are not answered.
  uint64_t most_flying = 0;   // Calls of the client that have not ended.
  uint64_t sent_packets = 0;  // On both sides.
};

EndpointConfig table_of(uint32_t exchanges) {
  EndpointConfig config;
  config.max_exchanges = exchanges;
  config.arena_bytes = 1u << 20;
  return config;
}

// Offers and answers, a tick at a time.
class Overload {
 public:
  explicit Overload(uint32_t request_bytes)
      : request_bytes_(request_bytes), pair_(table_of(kClientTable), table_of(kServerTable)) {
    pair_.set_handler(Pair::kServer, [this](const Event& event) {
      if (event.kind == EventKind::kRequest) waiting_.push_back(event.exchange);
    });
    pair_.connect();
  }

  // `offered` calls are begun in each ten ticks, for kTicks of them.
  void offer(uint32_t offered, base::Nanos timeout) {
    uint64_t due = 0;
    uint64_t settled = 0;
    for (uint32_t tick = 0; tick < kTicks; ++tick) {
      for (due += offered; due >= 10; due -= 10) begin(timeout);
      turn();
      if (tick + 1 == kSettling) settled = pair_.completed();
    }
    tally_.counted = pair_.completed() - settled;
  }
  // Nothing more is offered: what was accepted ends.
  void let_finish() {
    for (uint32_t tick = 0; tick < 100 * kTicks && pair_.completed() < tally_.accepted; ++tick) {
      turn();
    }
    tally_.sent_packets = pair_.packets_carried();
  }

  Pair& pair() { return pair_; }
  const Tally& tally() const { return tally_; }

 private:
  void begin(base::Nanos timeout) {
    const SubmitResult result = pair_.call(next_tag_, request_bytes_, timeout);
    if (result.ok()) {
      ++next_tag_;
      ++tally_.accepted;
    } else {
      EXPECT_EQ(result.code, base::Code::kResourceExhausted);
      ++tally_.refused;
    }
    tally_.most_flying = std::max(tally_.most_flying, tally_.accepted - pair_.completed());
  }

  void turn() {
    pair_.run_for(kTick);
    tally_.most_waiting = std::max(tally_.most_waiting, waiting_.size());
    const std::array<uint8_t, kAnswerBytes> answer{};
    for (uint32_t i = 0; i < kCapacity && !waiting_.empty();) {
      const ExchangeRef exchange = waiting_.front();
      waiting_.pop_front();
      // One whose caller has given up costs the server nothing.
      if (pair_.server().submit(Respond{exchange, answer.data(), kAnswerBytes, false, 0},
                                pair_.now()) == base::Code::kOk) {
        ++i;
      }
    }
  }

  uint32_t request_bytes_;
  Pair pair_;
  std::deque<ExchangeRef> waiting_;
  uint64_t next_tag_ = 1;
  Tally tally_;
};

void expect_all_ended_once(Overload& run, bool deadlines) {
  Pair& pair = run.pair();
  const Tally& tally = run.tally();
  EXPECT_EQ(pair.completed(), tally.accepted);
  for (const auto& [tag, outcome] : pair.outcomes()) {
    EXPECT_EQ(outcome.completions, 1) << tag;
    const bool late = deadlines && outcome.code == base::Code::kDeadlineExceeded;
    EXPECT_TRUE(late || outcome.code == base::Code::kOk) << tag;
  }
  // Refusals have a status, and a counter.
  EXPECT_EQ(pair.client().stats().limit_exchanges.value(), tally.refused);
  // Memory stays within its limits, and is given back.
  EXPECT_LE(tally.most_flying, kClientTable);
  EXPECT_LE(tally.most_waiting, kServerTable);
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)));
  for (int side = 0; side < 2; ++side) {
    EXPECT_TRUE(arena_is_free(pair.side(side), pair.config(side).arena_bytes)) << side;
  }
}

class OverloadBySize : public testing::TestWithParam<uint32_t> {};

TEST_P(OverloadBySize, throughput_stays_at_its_peak_and_everything_accepted_ends) {
  const uint32_t tenths[] = {5, 8, 10, 15, 20, 30, 40};
  uint64_t peak = 0;
  for (const uint32_t load : tenths) {
    SCOPED_TRACE(std::to_string(load) + " tenths of the capacity");
    Overload run(GetParam());
    run.offer(load * kCapacity, base::seconds(10));
    run.let_finish();
    expect_all_ended_once(run, false);
    peak = std::max(peak, run.tally().counted);
    const uint64_t offered = uint64_t{load} * kCapacity * (kTicks - kSettling) / 10;
    EXPECT_GE(run.tally().counted * 10, std::min(offered, peak) * 9);
    EXPECT_EQ(run.tally().refused > 0, load > 10) << run.tally().refused;
  }
  EXPECT_GE(peak * 10, uint64_t{kCapacity} * (kTicks - kSettling) * 9) << "of the capacity";
}

TEST_P(OverloadBySize, after_a_burst_of_load_a_lower_one_is_served_as_ever) {
  Overload run(GetParam());
  run.offer(40 * kCapacity, base::seconds(10));
  const uint64_t refused = run.tally().refused;
  EXPECT_GT(refused, 0u);
  run.let_finish();
  run.offer(5 * kCapacity, base::seconds(10));
  EXPECT_EQ(run.tally().refused, refused) << "nothing of the lower load";
  EXPECT_GE(run.tally().counted, uint64_t{kCapacity} * (kTicks - kSettling) / 2 * 9 / 10);
  run.let_finish();
  expect_all_ended_once(run, false);
}

TEST_P(OverloadBySize, calls_that_cannot_be_served_in_time_end_with_their_deadline) {
  Overload run(GetParam());
  run.offer(30 * kCapacity, base::micros(150));
  run.let_finish();
  expect_all_ended_once(run, true);
  EXPECT_GT(run.tally().counted, 0u);
}

// A request of one packet, and one of several.
INSTANTIATE_TEST_SUITE_P(Requests, OverloadBySize, testing::Values(64u, 4000u),
                         [](const auto& size) { return std::to_string(size.param); });

}  // namespace
}  // namespace sluice::transport
