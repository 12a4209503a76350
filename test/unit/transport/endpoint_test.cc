// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint.h"

#include <gtest/gtest.h>

#include "test/unit/transport/pair.h"
#include "wire/header.h"

namespace sluice::transport {
namespace {

void expect_all_ok(Pair& pair, size_t count) {
  EXPECT_EQ(pair.completed(), count);
  for (const auto& [tag, outcome] : pair.outcomes()) {
    EXPECT_EQ(outcome.code, base::Code::kOk) << tag;
    EXPECT_TRUE(outcome.intact) << tag;
    EXPECT_EQ(outcome.completions, 1) << tag;
  }
}

TEST(Endpoint, carries_one_small_rpc) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.call(1, 64).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }, base::millis(1)));
  expect_all_ok(pair, 1);
  EXPECT_EQ(pair.executed, 1u);
}

// Every size around the limits that change a message's way through the stack.
TEST(Endpoint, carries_rpcs_of_every_kind_of_size) {
  const uint32_t sizes[] = {1,     2,     255,   256,   257,   511,    512,    513,
                            1135,  1136,  1137,  1387,  1388,  1389,   1400,   2776,
                            10000, 65535, 65536, 65537, 65700, 131072, 300000, 1u << 20};
  Pair pair;
  pair.connect();
  uint64_t tag = 0;
  for (const uint32_t size : sizes) ASSERT_TRUE(pair.call(++tag, size).ok()) << size;
  ASSERT_TRUE(pair.run([&] { return pair.completed() == std::size(sizes); }));
  expect_all_ok(pair, std::size(sizes));
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)));
}

struct FaultCase {
  uint32_t loss, duplicate, reorder, corrupt;
};
class EndpointFaults : public testing::TestWithParam<FaultCase> {};

TEST_P(EndpointFaults, every_rpc_completes_once_and_intact) {
  const FaultCase c = GetParam();
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Pair pair({}, {}, seed);
    pair.connect();
    LinkFaults faults;
    faults.loss_ppm = c.loss;
    faults.duplicate_ppm = c.duplicate;
    faults.reorder_ppm = c.reorder;
    faults.corrupt_ppm = c.corrupt;
    pair.set_faults(faults);
    base::Prng prng(seed);
    constexpr uint64_t kCalls = 200;
    uint64_t started = 0;
    const bool done = pair.run(
        [&] {
          while (started < kCalls && started - pair.completed() < 20) {
            const uint32_t size =
                1 + static_cast<uint32_t>(prng.uniform(uint64_t{1} << prng.uniform(17)));
            if (!pair.call(started + 1, size, base::seconds(60)).ok()) break;
            ++started;
          }
          return pair.completed() == kCalls;
        },
        base::seconds(60));
    ASSERT_TRUE(done) << "seed " << seed << " completed " << pair.completed();
    expect_all_ok(pair, kCalls);
    EXPECT_EQ(pair.executed, kCalls) << "each request executes exactly once";
    EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)))
        << "everything is released, seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(, EndpointFaults,
                         testing::Values(FaultCase{0, 0, 0, 0}, FaultCase{10000, 0, 0, 0},
                                         FaultCase{0, 50000, 0, 0}, FaultCase{0, 0, 200000, 0},
                                         FaultCase{0, 0, 0, 20000},
                                         FaultCase{50000, 20000, 100000, 10000},
                                         FaultCase{300000, 0, 0, 0}));

TEST(Endpoint, one_way_messages_complete_when_the_peer_holds_them) {
  Pair pair;
  pair.connect();
  LinkFaults faults;
  faults.loss_ppm = 50000;
  pair.set_faults(faults);
  const uint32_t sizes[] = {1, 100, 512, 513, 1400, 5000, 100000, 500000};
  uint64_t tag = 0;
  for (const uint32_t size : sizes) ASSERT_TRUE(pair.send_one_way(++tag, size).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == std::size(sizes); }));
  EXPECT_EQ(pair.oneways_received, std::size(sizes));
  for (const auto& [t, outcome] : pair.outcomes()) EXPECT_EQ(outcome.code, base::Code::kOk) << t;
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)));
}

// What a caller has to tell of short responses goes with its next call, even if that comes a while
// later; of longer ones, for which the callee keeps more, soon.
TEST(Endpoint, releases_of_short_responses_wait_for_the_next_call) {
  for (const uint32_t size : {uint32_t{64}, uint32_t{2000}}) {
    Pair pair;
    pair.connect();
    ASSERT_TRUE(pair.call(1, size).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
    pair.run_for(base::millis(5));
    const uint64_t before = pair.client().stats().tx_control_packets.value();
    constexpr uint64_t kCalls = 100;
    for (uint64_t i = 0; i < kCalls; ++i) {
      ASSERT_TRUE(pair.call(2 + i, size).ok());
      pair.run_for(base::micros(500));
    }
    ASSERT_EQ(pair.completed(), 1 + kCalls);
    const uint64_t alone = pair.client().stats().tx_control_packets.value() - before;
    if (size <= kInlineBytes) {
      EXPECT_LT(alone, kCalls / 5);
    } else {
      EXPECT_GE(alone, kCalls);
    }
    pair.run_for(base::millis(3));
    EXPECT_TRUE(pair.server().idle()) << "told at last, without a question";
  }
}

// A callee that has little room left is told soon.
TEST(Endpoint, a_callee_without_room_keeps_no_short_responses) {
  constexpr uint64_t kAtOnce = 4;
  for (const auto room : {uint32_t{8 * kAtOnce}, uint32_t{8 * kAtOnce - 8}}) {
    EndpointConfig config;
    config.max_exchanges = room;
    Pair pair({}, config);
    pair.connect();
    for (uint64_t i = 0; i < kAtOnce; ++i) ASSERT_TRUE(pair.call(1 + i, 64).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == kAtOnce; }));
    pair.run_for(base::micros(200));
    EXPECT_EQ(pair.server().idle(), room < 8 * kAtOnce);
    pair.run_for(base::millis(3));
    EXPECT_TRUE(pair.server().idle());
  }
}

TEST(Endpoint, lazy_acks_share_packets) {
  for (const bool lazy : {false, true}) {
    Pair pair;
    pair.connect();
    ASSERT_TRUE(pair.call(1, 64).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
    pair.run_for(base::millis(5));
    const uint64_t before = pair.server().stats().tx_packets.value();
    constexpr uint64_t kMessages = 200;
    for (uint64_t i = 0; i < kMessages; ++i) {
      ASSERT_TRUE(pair.send_one_way(2 + i, 64, lazy).ok());
      pair.run_for(base::micros(20));
    }
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 1 + kMessages; }));
    for (const auto& [tag, outcome] : pair.outcomes()) EXPECT_EQ(outcome.code, base::Code::kOk);
    EXPECT_EQ(pair.oneways_received, kMessages);
    EXPECT_EQ(pair.client().stats().timeouts.value(), 0u);
    const uint64_t packets = pair.server().stats().tx_packets.value() - before;
    if (lazy) {
      EXPECT_LT(packets, kMessages / 10);
    } else {
      EXPECT_GE(packets, kMessages);
    }
  }
}

TEST(Endpoint, small_messages_that_wait_together_share_packets) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.call(1, 64).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  const uint64_t before = pair.client().stats().tx_packets.value();
  for (uint64_t tag = 2; tag <= 41; ++tag) ASSERT_TRUE(pair.call(tag, 64).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 41; }));
  expect_all_ok(pair, 41);
  EXPECT_LE(pair.client().stats().tx_packets.value() - before, 8u) << "40 requests of 64 bytes";
  EXPECT_GT(pair.client().stats().tx_bundles.value(), 0u);
}

TEST(Endpoint, a_deadline_ends_a_call_once_and_late_data_is_counted) {
  Pair pair;
  pair.connect();
  Event request;
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind == EventKind::kRequest) request = event;
  });
  ASSERT_TRUE(pair.call(1, 100, base::millis(20)).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }, base::millis(100)));
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kDeadlineExceeded);
  EXPECT_TRUE(pair.outcomes()[1].may_have_executed);
  const uint8_t answer[4] = {1, 2, 3, 4};
  ASSERT_NE(pair.server().submit(Respond{request.exchange, answer, 4, false, 0}, pair.now()),
            base::Code::kNotFound);
  pair.run_for(base::millis(50));
  EXPECT_EQ(pair.outcomes()[1].completions, 1);
  EXPECT_TRUE(pair.quiet());
}

TEST(Endpoint, cancelled_calls_complete_once_and_never_execute_afterwards) {
  Pair pair;
  pair.connect();
  pair.faults(Pair::kClient).loss_ppm = 1'000'000;
  const SubmitResult call = pair.call(1, 100);
  ASSERT_TRUE(call.ok());
  pair.run_for(base::millis(1));
  EXPECT_EQ(pair.client().submit(Cancel{call.exchange}, pair.now()), base::Code::kOk);
  EXPECT_NE(pair.client().submit(Cancel{call.exchange}, pair.now()), base::Code::kOk);
  pair.faults(Pair::kClient).loss_ppm = 0;
  ASSERT_TRUE(pair.call(2, 100).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 2; }));
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kCancelled);
  EXPECT_EQ(pair.outcomes()[1].completions, 1);
  EXPECT_EQ(pair.executed, 1u);
}

TEST(Endpoint, a_silent_peer_is_lost_after_its_timeout) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.call(1, 64).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  pair.faults(Pair::kClient).loss_ppm = 1'000'000;
  pair.faults(Pair::kServer).loss_ppm = 1'000'000;
  bool down = false;
  ASSERT_TRUE(pair.call(2, 64).ok());
  ASSERT_TRUE(pair.call(3, 200000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 3; }, base::seconds(5)));
  EXPECT_EQ(pair.outcomes()[2].code, base::Code::kUnavailable);
  EXPECT_EQ(pair.outcomes()[3].code, base::Code::kUnavailable);
  EXPECT_EQ(pair.client().stats().peers_lost.value(), 1u);
  EXPECT_FALSE(down);
  EXPECT_EQ(pair.call(4, 64).code, base::Code::kClosed);
}

TEST(Endpoint, a_stream_shows_the_verified_prefix_and_is_bounded_by_its_window) {
  Pair pair;
  constexpr uint16_t kService = 9;
  constexpr uint32_t kWindow = 1u << 17;
  constexpr uint32_t kLength = 3'000'000;
  pair.server().set_landing(kService, LandingMode::kStream, kWindow);
  pair.connect();
  LinkFaults faults;
  faults.loss_ppm = 10000;
  faults.reorder_ppm = 50000;
  pair.set_faults(faults);
  uint32_t seen = 0;
  bool intact = true, answered = false;
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind != EventKind::kStream) return;
    ASSERT_EQ(event.code, base::Code::kOk);
    ASSERT_EQ(event.offset, seen);
    intact &= content_matches(1, event.data, event.length, event.offset);
    seen += event.length;
    if (!event.last) {
      ASSERT_EQ(pair.server().submit(Consume{event.exchange, event.length}, pair.now()),
                base::Code::kOk);
      return;
    }
    const uint8_t answer[2] = {4, 2};
    EXPECT_EQ(pair.server().submit(Respond{event.exchange, answer, 2, false, 0}, pair.now()),
              base::Code::kOk);
    answered = true;
  });
  ASSERT_TRUE(pair.call(1, kLength, base::seconds(20), {}, kService).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }, base::seconds(20)));
  EXPECT_EQ(seen, kLength);
  EXPECT_TRUE(intact);
  EXPECT_TRUE(answered);
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kOk);
}

TEST(Endpoint, large_messages_land_in_named_memory_or_are_refused) {
  Pair pair;
  pair.server().set_landing(5, LandingMode::kAsk, 0);
  pair.connect();
  std::vector<uint8_t> memory(4u << 20);
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind == EventKind::kOffer) {
      Land land;
      land.exchange = event.exchange;
      land.landing.mode = LandingMode::kNamed;
      land.landing.memory = memory.data();
      land.landing.capacity = static_cast<uint32_t>(memory.size());
      EXPECT_EQ(pair.server().submit(land, pair.now()), base::Code::kOk);
    } else if (event.kind == EventKind::kRequest) {
      EXPECT_EQ(event.data, memory.data());
      EXPECT_TRUE(content_matches(1, event.data, event.length));
      const uint8_t answer = 1;
      pair.server().submit(Respond{event.exchange, &answer, 1, false, 0}, pair.now());
    }
  });
  ASSERT_TRUE(pair.call(1, 4u << 20, base::seconds(5), {}, 5).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kOk);
  ASSERT_TRUE(pair.call(2, 4u << 20, base::seconds(5), {}, 6).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 2; }));
  EXPECT_EQ(pair.outcomes()[2].code, base::Code::kTooLarge);
  EXPECT_FALSE(pair.outcomes()[2].may_have_executed);
}

enum class GivingUp { kCancel, kDeadline, kClose };

// Verifies MUST-T17: the application hears once that its memory is its own again, and nothing, not
// even what the caller had sent before, is written there afterwards.
TEST(Endpoint, named_memory_is_let_go_once_however_its_caller_gives_up) {
  for (const GivingUp how : {GivingUp::kCancel, GivingUp::kDeadline, GivingUp::kClose}) {
    SCOPED_TRACE(static_cast<int>(how));
    constexpr uint32_t kLength = 4u << 20;
    Pair pair;
    pair.server().set_landing(5, LandingMode::kAsk, 0);
    pair.connect();
    std::vector<uint8_t> memory(kLength), after;
    LinkFaults slow;
    slow.delay = base::micros(200);  // The message takes several milliseconds.
    pair.set_faults(slow);
    std::vector<std::vector<uint8_t>> recorded;
    pair.tap = [&](int from, std::vector<uint8_t>* bytes) {
      if (from == Pair::kClient) recorded.push_back(*bytes);
      return true;
    };
    int lost = 0;
    pair.set_handler(Pair::kServer, [&](const Event& event) {
      EXPECT_NE(event.kind, EventKind::kRequest);
      if (event.kind == EventKind::kOffer) {
        const Landing landing{LandingMode::kNamed, kLength, memory.data()};
        EXPECT_EQ(pair.server().submit(Land{event.exchange, landing}, pair.now()), base::Code::kOk);
      } else if (event.kind == EventKind::kLost) {
        ++lost;
        after = memory;
        const ReleaseMessage release{event.exchange};
        EXPECT_EQ(pair.server().submit(release, pair.now()), base::Code::kOk);
      }
    });
    const bool timed = how == GivingUp::kDeadline;
    const SubmitResult call =
        pair.call(1, kLength, timed ? base::micros(1500) : base::seconds(5), {}, 5);
    ASSERT_TRUE(call.ok());
    ASSERT_TRUE(pair.run([&] { return memory[200'000] != 0; }, base::seconds(1)));
    if (how == GivingUp::kCancel) pair.client().submit(Cancel{call.exchange}, pair.now());
    if (how == GivingUp::kClose) pair.client().submit(CloseLane{pair.lane(0)}, pair.now());
    ASSERT_TRUE(pair.run([&] { return lost == 1; }, base::seconds(1)));
    for (const auto& packet : std::vector(recorded)) pair.inject(Pair::kServer, packet);
    pair.run_for(base::millis(50));
    EXPECT_EQ(lost, 1);
    EXPECT_TRUE(memory == after);
    EXPECT_EQ(pair.outcomes()[1].completions, 1);
    EXPECT_NE(pair.outcomes()[1].code, base::Code::kOk);
    EXPECT_TRUE(pair.server().idle());
  }
}

// A side whose thread loses its CPU finds the answers in its port when it is back.
TEST(Endpoint, a_stalled_side_gives_nobody_up_and_asks_for_nothing_at_once) {
  EndpointConfig server;
  server.peer_timeout = base::seconds(60);
  Pair pair({}, server);
  pair.connect();
  ASSERT_TRUE(pair.call(1, 64).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  for (uint64_t tag = 2; tag <= 60; ++tag) ASSERT_TRUE(pair.call(tag, 300).ok());
  pair.run_for(base::micros(3));
  const uint64_t timeouts = pair.client().stats().timeouts.value();
  pair.stall(Pair::kClient, base::seconds(3));
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 60; }, base::seconds(4)));
  expect_all_ok(pair, 60);
  EXPECT_EQ(pair.executed, 60u);
  EXPECT_EQ(pair.client().stats().stalls.value(), 1u);
  EXPECT_EQ(pair.client().stats().peers_lost.value(), 0u);
  EXPECT_EQ(pair.client().stats().timeouts.value(), timeouts);
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)));
}

TEST(Endpoint, a_response_keeps_to_its_senders_own_limit) {
  EndpointConfig server;
  server.unscheduled_bytes = 3000;
  Pair pair({}, server);
  pair.connect();
  const std::vector<uint8_t> answer(60000);
  bool answered = false;
  uint32_t most = 0;
  pair.tap = [&](int from, std::vector<uint8_t>* bytes) {
    if (from == Pair::kClient) return !answered;  // No grant arrives.
    if (const auto view = wire::DataView::parse(bytes->data(), bytes->size(), wire::kTagBytes)) {
      most = std::max(most, view->offset() + view->payload_length());
    }
    return true;
  };
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind != EventKind::kRequest) return;
    answered = true;
    pair.server().submit(Respond{event.exchange, answer.data(), 60000, false, 0}, pair.now());
  });
  ASSERT_TRUE(pair.call(1, 100).ok());
  pair.run_for(base::millis(5));
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 3000u);
}

// An application's mistake is an answer, not a crash when the first byte lands.
TEST(Endpoint, memory_that_is_none_is_refused) {
  Pair pair;
  pair.connect();
  const Landing nowhere{LandingMode::kNamed, 1000, nullptr};
  EXPECT_EQ(pair.call(1, 10, base::seconds(1), nowhere).code, base::Code::kInvalidArgument);
  Event request;
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind == EventKind::kRequest) request = event;
  });
  ASSERT_TRUE(pair.call(2, 10).ok());
  ASSERT_TRUE(pair.run([&] { return request.exchange.valid(); }));
  EXPECT_EQ(pair.server().submit(Respond{request.exchange, nullptr, 10, false, 0}, pair.now()),
            base::Code::kInvalidArgument);
  const uint8_t byte = 1;
  EXPECT_EQ(pair.server().submit(Respond{request.exchange, &byte, 1, false, 0}, pair.now()),
            base::Code::kOk);
  EXPECT_TRUE(pair.run([&] { return pair.completed() == 1; }));
}

TEST(Endpoint, a_lane_cannot_be_closed_as_a_success) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(pair.call(1, 10).ok());
  CloseLane close{pair.lane(Pair::kClient), base::Code::kOk, false};
  EXPECT_EQ(pair.client().submit(close, pair.now()), base::Code::kInvalidArgument);
  EXPECT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kOk);
}

TEST(Endpoint, keys_update_without_losing_a_message) {
  Pair pair;
  pair.connect();
  LinkFaults faults;
  faults.loss_ppm = 20000;
  faults.reorder_ppm = 100000;
  pair.set_faults(faults);
  uint64_t started = 0;
  int updates = 0;
  ASSERT_TRUE(pair.run([&] {
    while (started < 2000 && started - pair.completed() < 16) {
      pair.call(started + 1, 1 + static_cast<uint32_t>((started * 977) % 9000));
      ++started;
      if (started % 50 == 0) {
        pair.client().submit(UpdateKeys{pair.lane(Pair::kClient)}, pair.now());
        ++updates;
      }
    }
    return pair.completed() == 2000;
  }));
  expect_all_ok(pair, 2000);
  EXPECT_GT(pair.client().stats().key_updates.value(), 10u);
  EXPECT_GT(pair.server().stats().key_updates.value(), 0u);
}

TEST(Endpoint, path_mtu_is_found_and_a_shrunk_path_survived) {
  EndpointConfig config;
  config.max_packet = 8900;
  Pair pair(config, config);
  pair.connect();
  LinkFaults faults;
  faults.mtu = 4000;
  pair.set_faults(faults);
  pair.run_for(base::millis(500));
  LaneSnapshot lane;
  ASSERT_EQ(pair.client().snapshot_lanes({&lane, 1}), 1u);
  EXPECT_LE(lane.packet_bytes, 4000u);
  EXPECT_GE(lane.packet_bytes, 3900u);
  faults.mtu = 1300;
  pair.set_faults(faults);
  ASSERT_TRUE(pair.call(1, 300000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  expect_all_ok(pair, 1);
}

// Many long responses at once come as far as there is credit for them: the others begin with a few
// bytes, which ask for more, and none of it costs a response of one packet anything.
TEST(Endpoint, long_responses_begin_small_where_their_caller_has_no_credit_left) {
  EndpointConfig config;
  config.credit_bytes = 30'000;
  config.unscheduled_bytes = 20'000;
  Pair pair(config, config);
  pair.connect();
  ASSERT_TRUE(pair.call(1, 10'000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; })) << "now it knows what to expect";
  uint32_t whole = 0, parts = 0;
  pair.tap = [&](int from, std::vector<uint8_t>* bytes) {
    const auto view = wire::DataView::parse(bytes->data(), bytes->size(), wire::kTagBytes);
    if (from != Pair::kServer || !view.has_value() || view->offset() != 0) return true;
    if (view->message_length() == view->payload_length()) ++whole;
    if (view->payload_length() <= 256) ++parts;
    return true;
  };
  for (uint64_t tag = 2; tag <= 9; ++tag) ASSERT_TRUE(pair.call(tag, 10'000).ok());
  ASSERT_TRUE(pair.call(10, 1'000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 10; }));
  expect_all_ok(pair, 10);
  EXPECT_EQ(whole, 1u);
  EXPECT_GE(parts, 4u);
  EXPECT_LE(parts, 7u) << "for some there was credit";
}

}  // namespace
}  // namespace sluice::transport
