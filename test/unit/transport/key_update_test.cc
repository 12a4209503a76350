// SPDX-License-Identifier: Apache-2.0
//
// What a key update costs messages in flight: on virtual time, where computing takes none, each RPC
// with updates is set against the same one without.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "test/unit/transport/pair.h"

namespace sluice::transport {
namespace {

constexpr uint32_t kCalls = 600;

struct Course {
  std::map<uint64_t, base::Nanos> ended;  // When each call did, from its beginning.
  uint64_t packets = 0;
  uint64_t updates = 0;
  uint64_t retransmitted = 0;
};

// Calls of several sizes, 20 of them under way, with an update on both sides every `interval`.
Course drive(base::Nanos interval, uint32_t loss_ppm) {
  Pair pair;
  pair.faults(Pair::kClient).loss_ppm = pair.faults(Pair::kServer).loss_ppm = loss_ppm;
  pair.connect();
  Course out;
  std::map<uint64_t, base::Nanos> begun;
  uint64_t next = 1;
  base::Nanos due = base::after(pair.now(), interval);
  while (out.ended.size() < kCalls) {
    while (next <= kCalls && next - 1 < out.ended.size() + 20) {
      begun[next] = pair.now();
      EXPECT_TRUE(pair.call(next, next % 50 == 0 ? 100'000 : 64).ok());
      ++next;
    }
    if (interval != base::Nanos(0) && pair.now() >= due) {
      for (const int side : {Pair::kClient, Pair::kServer}) {
        pair.side(side).submit(UpdateKeys{pair.lane(side)}, pair.now());
      }
      due = base::after(pair.now(), interval);
    }
    const size_t before = pair.completed();
    EXPECT_TRUE(pair.run([&] { return pair.completed() > before; }));
    for (const auto& [tag, outcome] : pair.outcomes()) {
      EXPECT_TRUE(outcome.intact);
      out.ended.emplace(tag, base::elapsed(begun[tag], pair.now()));
    }
  }
  out.packets = pair.packets_carried();
  const Stats& stats = pair.client().stats();
  out.updates = stats.key_updates.value() + pair.server().stats().key_updates.value();
  out.retransmitted =
      stats.tx_retransmitted.value() + pair.server().stats().tx_retransmitted.value();
  return out;
}

// An update rides on packets that go anyway; what it adds is the PING that carries it where
// nothing else does.
TEST(KeyUpdate, delays_no_call_by_a_packet) {
  const Course without = drive(base::Nanos(0), 0);
  const Course with = drive(base::micros(50), 0);
  EXPECT_EQ(without.updates, 0u);
  ASSERT_GE(with.updates, 10u);
  for (const auto& [tag, time] : without.ended) {
    EXPECT_EQ(with.ended.at(tag), time) << "call " << tag;
  }
  EXPECT_EQ(with.retransmitted, 0u);
  EXPECT_LE(with.packets, without.packets + 2 * with.updates);
}

// With losses the two runs lose different packets; what an update must not do is to lose more.
TEST(KeyUpdate, loses_nothing_that_was_sent_under_the_key_before) {
  const Course without = drive(base::Nanos(0), 20'000);
  const Course with = drive(base::micros(50), 20'000);
  ASSERT_GE(with.updates, 10u);
  EXPECT_LE(with.retransmitted, without.retransmitted * 3 / 2 + 10);
}

}  // namespace
}  // namespace sluice::transport
