// SPDX-License-Identifier: Apache-2.0
//
// Every limit reached, with two endpoints at work: refusal or loss is counted, what was refused
// gets through later, and in the end nothing is held.
#include <gtest/gtest.h>

#include <vector>

#include "base/limits.h"
#include "crypto/boringssl/module.h"
#include "crypto/null/null_backend.h"
#include "test/unit/transport/pair.h"
#include "test/unit/transport/watch.h"

namespace sluice::transport {
namespace {

using base::millis;
using base::seconds;

void expect_all_ok(Pair& pair, size_t count) {
  EXPECT_EQ(pair.completed(), count);
  for (const auto& [tag, outcome] : pair.outcomes()) {
    EXPECT_EQ(outcome.code, base::Code::kOk) << tag;
    EXPECT_EQ(outcome.completions, 1) << tag;
  }
}

void expect_quiet(Pair& pair) {
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, seconds(5)));
  for (int side = 0; side < 2; ++side) {
    EXPECT_TRUE(arena_is_free(pair.side(side), pair.config(side).arena_bytes)) << side;
  }
}

// A server that answers every request with one byte.
void answer_briefly(Pair& pair) {
  pair.set_handler(Pair::kServer, [&pair](const Event& event) {
    if (event.kind != EventKind::kRequest) return;
    const uint8_t byte = 1;
    pair.server().submit(Respond{event.exchange, &byte, 1, false, 0}, pair.now());
  });
}

TEST(Exhaustion, a_full_exchange_table_is_backpressure_at_the_caller) {
  EndpointConfig client;
  client.max_exchanges = 8;
  Pair pair(client);
  pair.connect();
  uint64_t tag = 0;
  while (pair.call(tag + 1, 100).ok()) ++tag;
  EXPECT_EQ(tag, 8u);
  EXPECT_EQ(pair.call(9, 100).code, base::Code::kResourceExhausted);
  EXPECT_EQ(pair.client().stats().limit_exchanges.value(), 2u);
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 8; }));
  ASSERT_TRUE(pair.call(9, 100).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 9; }));
  expect_all_ok(pair, 9);
  expect_quiet(pair);
}

TEST(Exhaustion, a_full_exchange_table_at_the_callee_only_delays) {
  EndpointConfig server;
  server.max_exchanges = 4;
  Pair pair({}, server);
  pair.connect();
  for (uint64_t tag = 1; tag <= 60; ++tag) {
    ASSERT_TRUE(pair.call(tag, tag % 2 == 0 ? 100 : 3000).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 60; }));
  expect_all_ok(pair, 60);
  EXPECT_EQ(pair.executed, 60u);
  EXPECT_GT(pair.server().stats().drop_no_exchange.value(), 0u);
  expect_quiet(pair);
}

TEST(Exhaustion, a_full_arena_drops_what_does_not_land_and_takes_it_later) {
  EndpointConfig server;
  server.arena_bytes = 1u << 16;
  Pair pair({}, server);
  answer_briefly(pair);
  pair.connect();
  for (uint64_t tag = 1; tag <= 30; ++tag) ASSERT_TRUE(pair.call(tag, 16000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 30; }));
  expect_all_ok(pair, 30);
  EXPECT_GT(pair.server().stats().limit_arena.value(), 0u);
  EXPECT_GT(pair.server().stats().drop_no_memory.value(), 0u);
  expect_quiet(pair);
}

TEST(Exhaustion, a_full_arena_at_the_caller_delays_its_responses) {
  EndpointConfig client;
  client.arena_bytes = 1u << 16;
  Pair pair(client);
  pair.connect();
  for (uint64_t tag = 1; tag <= 30; ++tag) ASSERT_TRUE(pair.call(tag, 16000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 30; }));
  expect_all_ok(pair, 30);
  EXPECT_GT(pair.client().stats().limit_arena.value(), 0u);
  expect_quiet(pair);
}

TEST(Exhaustion, few_reassemblies_only_delay) {
  EndpointConfig config;
  config.max_reassemblies = 2;
  Pair pair(config, config);
  pair.connect();
  for (uint64_t tag = 1; tag <= 20; ++tag) ASSERT_TRUE(pair.call(tag, 200000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 20; }));
  expect_all_ok(pair, 20);
  EXPECT_GT(pair.server().stats().drop_no_memory.value(), 0u);
  expect_quiet(pair);
}

// One call that stays open holds the floor; ids go no further than a window above it.
TEST(Exhaustion, the_id_window_is_backpressure_and_opens_again) {
  Pair pair;
  pair.connect();
  Event held;
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind != EventKind::kRequest) return;
    if (!held.exchange.valid()) {
      held = event;
      return;
    }
    pair.server().submit(Respond{event.exchange, event.data, event.length, false, 0}, pair.now());
  });
  uint64_t tag = 1;
  ASSERT_TRUE(pair.call(tag, 10, seconds(60)).ok());
  ASSERT_TRUE(pair.run([&] { return held.exchange.valid(); }));
  constexpr uint64_t kWindow = base::limits::kMaxIdsAboveFloor;
  ASSERT_TRUE(pair.run([&] {
    while (tag < kWindow && tag - pair.completed() < 200) {
      if (!pair.call(tag + 1, 10, seconds(60)).ok()) break;
      ++tag;
    }
    return pair.completed() == kWindow - 1;
  }));
  EXPECT_EQ(pair.call(tag + 1, 10).code, base::Code::kResourceExhausted);
  EXPECT_EQ(pair.client().stats().limit_window.value(), 1u);
  pair.server().submit(Respond{held.exchange, held.data, held.length, false, 0}, pair.now());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == kWindow; }));
  ASSERT_TRUE(pair.call(tag + 1, 10).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == kWindow + 1; }));
  expect_all_ok(pair, kWindow + 1);
  expect_quiet(pair);
}

TEST(Exhaustion, more_holes_than_are_remembered_only_cost_resends) {
  EndpointConfig config;
  config.unscheduled_bytes = 1u << 20;
  config.max_incoming_bytes = 4u << 20;
  Pair pair(config, config);
  pair.connect();
  LinkFaults faults;
  faults.reorder_ppm = 900000;
  faults.reorder_by = millis(2);
  faults.loss_ppm = 100000;
  pair.set_faults(faults);
  ASSERT_TRUE(pair.call(1, 600000, seconds(60)).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }, seconds(60)));
  expect_all_ok(pair, 1);
  EXPECT_TRUE(pair.outcomes()[1].intact);
  EXPECT_GT(pair.server().stats().drop_holes.value(), 0u);
  expect_quiet(pair);
}

TEST(Exhaustion, a_hopeless_path_ends_nothing) {
  EndpointConfig config;
  config.arena_bytes = 16u << 20;
  config.max_buffered_message = 8u << 20;
  Pair pair(config, config);
  answer_briefly(pair);
  pair.connect();
  LinkFaults faults;
  faults.loss_ppm = 500000;
  pair.set_faults(faults);
  ASSERT_TRUE(pair.call(1, 8u << 20, seconds(300)).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }, seconds(300)));
  expect_all_ok(pair, 1);
  pair.set_faults({});
  expect_quiet(pair);
}

// Two lanes of which one can be busy at a time, at the sides that `configs` say.
std::array<LaneRef, 2> connect_two(Pair& pair, int side) {
  pair.connect(7, 0);
  const LaneRef first = pair.lane(side);
  pair.connect(8, 1);
  EXPECT_TRUE(pair.run([&] { return pair.client().stats().lanes_up.value() == 2; }));
  pair.run_for(millis(5));
  return {first, pair.lane(side)};
}

TEST(Exhaustion, a_lane_at_rest_makes_room_for_a_busy_one) {
  EndpointConfig config;
  config.max_busy_lanes = 1;
  Pair pair(config, config);
  const auto lanes = connect_two(pair, Pair::kClient);
  for (uint64_t tag = 1; tag <= 20; ++tag) {
    pair.use_lane(Pair::kClient, lanes[tag % 2]);
    ASSERT_TRUE(pair.run([&] { return pair.call(tag, 100).ok(); })) << tag;
    ASSERT_TRUE(pair.run([&] { return pair.completed() == tag; })) << tag;
    pair.run_for(millis(5));
  }
  EXPECT_GE(pair.client().stats().lanes_rested.value(), 19u);
  EXPECT_GE(pair.server().stats().lanes_rested.value(), 19u);
  EXPECT_EQ(pair.executed, 20u);
  EXPECT_EQ(pair.server().stats().drop_replay.value(), 0u);
  expect_all_ok(pair, 20);
  expect_quiet(pair);
}

TEST(Exhaustion, more_busy_lanes_than_there_may_be_are_backpressure_at_the_caller) {
  EndpointConfig config;
  config.max_busy_lanes = 1;
  Pair pair(config);
  const auto lanes = connect_two(pair, Pair::kClient);
  pair.use_lane(Pair::kClient, lanes[0]);
  ASSERT_TRUE(pair.run([&] { return pair.call(1, 100).ok(); }));
  pair.use_lane(Pair::kClient, lanes[1]);
  const uint64_t before = pair.client().stats().limit_busy_lanes.value();
  EXPECT_EQ(pair.call(2, 100).code, base::Code::kResourceExhausted);
  EXPECT_GT(pair.client().stats().limit_busy_lanes.value(), before);
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  ASSERT_TRUE(pair.run([&] { return pair.call(2, 100).ok(); })) << "the first is at rest by then";
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 2; }));
  expect_all_ok(pair, 2);
  expect_quiet(pair);
}

TEST(Exhaustion, what_comes_on_more_lanes_than_may_be_busy_is_as_good_as_lost) {
  EndpointConfig server;
  server.max_busy_lanes = 1;
  Pair pair({}, server);
  const auto lanes = connect_two(pair, Pair::kClient);
  for (uint64_t tag = 1; tag <= 20; ++tag) {
    pair.use_lane(Pair::kClient, lanes[tag % 2]);
    ASSERT_TRUE(pair.call(tag, 3000).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 20; }));
  EXPECT_GT(pair.server().stats().limit_busy_lanes.value(), 0u);
  EXPECT_EQ(pair.executed, 20u);
  expect_all_ok(pair, 20);
  expect_quiet(pair);
}

TEST(Exhaustion, lanes_are_limited_and_their_places_come_back) {
  EndpointConfig config;
  config.max_lanes = 2;
  Pair pair(config, config);
  pair.connect(7, 0);
  const LaneRef first = pair.lane(Pair::kClient);
  pair.connect(7, 1);
  InstallLane command;
  command.local_session = base::SessionId(5);
  command.lane = 9;
  EXPECT_EQ(pair.client().submit(command, pair.now(), nullptr), base::Code::kResourceExhausted);
  EXPECT_EQ(pair.client().stats().limit_lanes.value(), 1u);
  ASSERT_EQ(pair.client().submit(CloseLane{first}, pair.now()), base::Code::kOk);
  pair.run_for(millis(5));
  EXPECT_EQ(pair.client().submit(command, pair.now(), nullptr), base::Code::kOk);
  EXPECT_EQ(pair.server().stats().lanes_down.value(), 1u);
}

TEST(Exhaustion, deadlines_pass_while_waiting_for_grants) {
  EndpointConfig config;
  config.credit_bytes = 64u << 10;
  Pair pair(config, config);
  answer_briefly(pair);
  pair.connect();
  LinkFaults faults;
  faults.delay = base::micros(50);
  pair.set_faults(faults);
  for (uint64_t tag = 1; tag <= 12; ++tag) {
    ASSERT_TRUE(pair.call(tag, 500000, millis(tag % 3 == 0 ? 200 : 1 + tag / 3)).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 12; }, seconds(2)));
  size_t late = 0;
  for (const auto& [tag, outcome] : pair.outcomes()) {
    EXPECT_EQ(outcome.completions, 1);
    late += outcome.code == base::Code::kDeadlineExceeded;
    EXPECT_TRUE(outcome.code == base::Code::kOk || outcome.code == base::Code::kDeadlineExceeded);
  }
  EXPECT_GT(late, 0u);
  EXPECT_LT(late, 12u);
  expect_quiet(pair);
}

// More calls end in a silence than the callee remembers ids; service goes on all the same.
TEST(Exhaustion, a_silence_that_outlasts_the_id_window_is_survived) {
  for (const uint32_t size : {100u, 3000u}) {
    Pair pair;
    pair.connect();
    ASSERT_TRUE(pair.call(1, 100).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
    pair.faults(Pair::kClient).loss_ppm = 1'000'000;
    for (uint64_t i = 0; i < 3 * base::limits::kMaxIdsAboveFloor; ++i) {
      const SubmitResult call = pair.call(2, size);
      ASSERT_TRUE(call.ok());
      ASSERT_EQ(pair.client().submit(Cancel{call.exchange}, pair.now()), base::Code::kOk);
      if (i % 100 == 0) pair.run_for(base::micros(10));
    }
    pair.run_for(millis(1));
    pair.faults(Pair::kClient).loss_ppm = 0;
    ASSERT_TRUE(pair.call(3, size).ok());
    ASSERT_TRUE(pair.run([&] { return pair.outcomes().count(3) != 0; }, seconds(1)));
    EXPECT_EQ(pair.outcomes()[3].code, base::Code::kOk);
    expect_quiet(pair);
  }
}

// The last FLOOR is lost while everything else, PONGs too, gets through.
TEST(Exhaustion, a_lost_last_release_is_asked_for) {
  Pair pair;
  pair.connect();
  bool lossy = true;
  pair.tap = [&](int from, std::vector<uint8_t>* bytes) {
    if (from != Pair::kClient || !lossy) return true;
    const auto view = wire::BundleView::parse(bytes->data(), bytes->size());
    return !view || (view->frames().size() > 0 && view->frames()[0] != 0x07);
  };
  ASSERT_TRUE(pair.call(1, 5000).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  pair.run_for(millis(3));
  EXPECT_FALSE(pair.server().idle());
  lossy = false;
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, millis(500)));
}

// A handler that keeps one request for long does not keep what others have finished.
TEST(Exhaustion, one_slow_handler_keeps_no_finished_exchange) {
  Pair pair;
  pair.connect();
  Event held;
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind != EventKind::kRequest) return;
    if (!held.exchange.valid()) {
      held = event;
      return;
    }
    uint8_t* copy = pair.server().allocate(event.length);
    std::memcpy(copy, event.data, event.length);
    pair.server().submit(Respond{event.exchange, copy, event.length, true, 0}, pair.now());
  });
  LinkFaults faults;
  faults.loss_ppm = 200000;
  pair.set_faults(faults);
  ASSERT_TRUE(pair.call(1, 10, seconds(60)).ok());
  for (uint64_t tag = 2; tag <= 200; ++tag) ASSERT_TRUE(pair.call(tag, 2000, seconds(60)).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 199; }));
  pair.set_faults({});
  LaneSnapshot lane;
  EXPECT_TRUE(pair.run(
      [&] {
        pair.server().snapshot_lanes({&lane, 1});
        return lane.exchanges == 1;
      },
      seconds(5)));
  pair.server().submit(Respond{held.exchange, held.data, held.length, false, 0}, pair.now());
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, seconds(5)));
}

TEST(Exhaustion, tiny_limits_of_everything_still_serve) {
  EndpointConfig config;
  config.max_exchanges = 4;
  config.max_reassemblies = 2;
  config.arena_bytes = 1u << 20;
  config.unscheduled_bytes = 100;
  config.max_incoming_bytes = 20000;
  config.grant_increment = 3000;
  config.overcommit = 1;
  Pair pair(config, config);
  pair.connect();
  uint64_t started = 0;
  ASSERT_TRUE(pair.run([&] {
    while (started < 60 &&
           pair.call(started + 1, static_cast<uint32_t>(1 + started * 700), seconds(30)).ok()) {
      ++started;
    }
    return pair.completed() == 60;
  }));
  expect_all_ok(pair, 60);
  for (const auto& [tag, outcome] : pair.outcomes()) EXPECT_TRUE(outcome.intact) << tag;
  expect_quiet(pair);
}

// A path that shrinks under many small calls at once: bundles have to shrink as well.
TEST(Exhaustion, small_calls_survive_a_path_that_shrinks) {
  Pair pair;
  pair.connect();
  pair.run_for(millis(20));
  LinkFaults faults;
  faults.mtu = 1250;
  pair.set_faults(faults);
  for (uint64_t tag = 1; tag <= 60; ++tag) {
    ASSERT_TRUE(pair.call(tag, tag % 3 == 0 ? 8000 : 210).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 60; }, seconds(2)));
  expect_all_ok(pair, 60);
  expect_quiet(pair);
}

TEST(Exhaustion, a_server_that_restarts_in_the_middle_ends_its_calls_once) {
  for (const bool hinted : {true, false}) {
    Pair pair;
    pair.connect();
    for (uint64_t tag = 1; tag <= 10; ++tag) {
      ASSERT_TRUE(pair.call(tag, tag % 2 == 0 ? 100 : 400000).ok());
    }
    pair.run_for(base::micros(12));
    pair.restart(Pair::kServer);
    pair.run_for(base::micros(20));  // What the old server had sent has arrived by then.
    if (hinted) pair.client().submit(Suspect{pair.lane(Pair::kClient)}, pair.now());
    const auto all_ended = [&] { return pair.completed() == 10; };
    EXPECT_EQ(pair.run(all_ended, millis(60)), hinted);
    ASSERT_TRUE(pair.run(all_ended, seconds(3)));
    uint64_t failed = 0;
    for (const auto& [tag, outcome] : pair.outcomes()) {
      EXPECT_EQ(outcome.completions, 1) << tag;
      failed += outcome.code == base::Code::kUnavailable;
    }
    EXPECT_GT(failed, 0u);
    pair.connect(8);
    ASSERT_TRUE(pair.call(11, 400000).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 11; }));
    EXPECT_TRUE(pair.outcomes()[11].intact);
    expect_quiet(pair);
  }
}

TEST(Lanes, two_lanes_are_independent) {
  Pair pair;
  pair.connect(7, 0);
  const LaneRef first[2] = {pair.lane(0), pair.lane(1)};
  pair.connect(7, 1);
  const LaneRef second = pair.lane(Pair::kClient);
  for (uint64_t tag = 1; tag <= 40; ++tag) {
    pair.use_lane(Pair::kClient, tag % 2 == 0 ? first[0] : second);
    ASSERT_TRUE(pair.call(tag, static_cast<uint32_t>(tag * 997)).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 40; }));
  expect_all_ok(pair, 40);
  pair.use_lane(Pair::kClient, first[0]);
  ASSERT_TRUE(pair.call(41, 500000).ok());
  pair.use_lane(Pair::kClient, second);
  ASSERT_TRUE(pair.call(42, 500000).ok());
  ASSERT_EQ(pair.client().submit(CloseLane{first[0], base::Code::kClosed, false}, pair.now()),
            base::Code::kOk);
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 42; }));
  EXPECT_EQ(pair.outcomes()[41].code, base::Code::kClosed);
  EXPECT_EQ(pair.outcomes()[42].code, base::Code::kOk);
}

struct Variant {
  const char* name;
  crypto::AeadAlgorithm algorithm;
  bool boringssl;
  bool bundling;
  bool shuffle;
};
class Variants : public testing::TestWithParam<Variant> {};

TEST_P(Variants, every_rpc_completes_once_and_intact) {
  const Variant v = GetParam();
  EndpointConfig config;
  config.bundling = v.bundling;
  config.shuffle_deliveries = v.shuffle;
  Pair pair(config, config);
  if (v.algorithm == crypto::AeadAlgorithm::kNone) {
    pair.use_backend(std::make_unique<crypto::NullBackend>());
  } else if (v.boringssl) {
    pair.use_backend(crypto::make_boringssl_backend(sluice_boringssl_v1()));
  }
  pair.connect(7, 0, v.algorithm);
  LinkFaults faults;
  faults.loss_ppm = 30000;
  faults.duplicate_ppm = 30000;
  faults.reorder_ppm = 100000;
  pair.set_faults(faults);
  for (uint64_t tag = 1; tag <= 80; ++tag) {
    ASSERT_TRUE(pair.call(tag, static_cast<uint32_t>(1 + tag * tag * 13)).ok());
  }
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 80; }));
  expect_all_ok(pair, 80);
  EXPECT_EQ(pair.executed, 80u);
  for (const auto& [tag, outcome] : pair.outcomes()) EXPECT_TRUE(outcome.intact) << tag;
  expect_quiet(pair);
}

INSTANTIATE_TEST_SUITE_P(
    , Variants,
    testing::Values(Variant{"plaintext", crypto::AeadAlgorithm::kNone, false, true, false},
                    Variant{"chacha", crypto::AeadAlgorithm::kChaCha20Poly1305, true, true, false},
                    Variant{"aes256", crypto::AeadAlgorithm::kAes256Gcm, true, true, false},
                    Variant{"aes256_ipsec_mb", crypto::AeadAlgorithm::kAes256Gcm, false, true,
                            false},
                    Variant{"no_bundling", crypto::AeadAlgorithm::kAes128Gcm, false, false, false},
                    Variant{"shuffled", crypto::AeadAlgorithm::kAes128Gcm, false, true, true}),
    [](const testing::TestParamInfo<Variant>& variant) { return variant.param.name; });

TEST(LargeMessages, a_hundred_megabytes_land_in_named_memory_over_a_lossy_path) {
  constexpr uint32_t kLength = 100'000'000;
  EndpointConfig config;
  config.max_packet = 8900;
  Pair pair(config, config);
  pair.server().set_landing(5, LandingMode::kAsk, 0);
  pair.connect();
  LinkFaults faults;
  faults.mtu = 8900;
  faults.loss_ppm = 10000;
  faults.reorder_ppm = 10000;
  pair.set_faults(faults);
  std::vector<uint8_t> sent(kLength), landed(kLength);
  for (uint32_t i = 0; i < kLength; i += 97) sent[i] = content_byte(1, i);
  pair.set_handler(Pair::kServer, [&](const Event& event) {
    if (event.kind == EventKind::kOffer) {
      EXPECT_EQ(event.length, kLength);
      const Landing landing{LandingMode::kNamed, kLength, landed.data()};
      EXPECT_EQ(pair.server().submit(Land{event.exchange, landing}, pair.now()), base::Code::kOk);
    } else if (event.kind == EventKind::kRequest) {
      EXPECT_EQ(event.data, landed.data());
      const uint8_t answer = 1;
      pair.server().submit(Respond{event.exchange, &answer, 1, false, 0}, pair.now());
    }
  });
  SendRequest command;
  command.lane = pair.lane(Pair::kClient);
  command.service = 5;
  command.data = sent.data();
  command.length = kLength;
  command.user = 1;
  ASSERT_EQ(pair.client().submit(command, pair.now()), base::Code::kOk);
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }, seconds(60)));
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kOk);
  EXPECT_EQ(std::memcmp(sent.data(), landed.data(), kLength), 0);
  expect_quiet(pair);
}

}  // namespace
}  // namespace sluice::transport
