// SPDX-License-Identifier: Apache-2.0
//
// Calls whose requests the handshake has brought: each executes once, whatever is lost.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "test/unit/transport/pair.h"

namespace sluice::transport {
namespace {

SubmitResult call_early(Pair& pair, uint64_t tag, uint32_t length, uint64_t id) {
  return pair.call(tag, length, base::seconds(10), {}, 1, id);
}

// Verifies MUST-E7
TEST(EarlyCalls, are_answered_without_being_sent) {
  Pair pair;
  pair.connect();
  uint64_t from_client = 0;
  pair.tap = [&](int from, std::vector<uint8_t>* bytes) {
    if (from == Pair::kClient) from_client += bytes->size();
    return true;
  };
  ASSERT_EQ(pair.take_early(1, 1000, 1), base::Code::kOk);
  ASSERT_EQ(pair.take_early(2, 64, 2), base::Code::kOk);
  ASSERT_TRUE(call_early(pair, 1, 1000, 1).ok());
  ASSERT_TRUE(call_early(pair, 2, 64, 2).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 2; }, base::millis(1)));
  for (const uint64_t tag : {1, 2}) {
    EXPECT_EQ(pair.outcomes()[tag].code, base::Code::kOk);
    EXPECT_TRUE(pair.outcomes()[tag].intact);
  }
  EXPECT_EQ(pair.executed, 2u);
  EXPECT_LT(from_client, 1000u);
  EXPECT_TRUE(pair.run([&] { return pair.quiet(); }, base::seconds(5)));
}

// Verifies MUST-E7, MUST-T12
TEST(EarlyCalls, execute_once_however_the_answer_is_lost) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair({}, {}, seed);
    pair.connect();
    LinkFaults faults;
    faults.loss_ppm = 400'000;
    faults.duplicate_ppm = 100'000;
    faults.reorder_ppm = 100'000;
    pair.set_faults(faults);
    ASSERT_EQ(pair.take_early(1, 64, 1), base::Code::kOk);
    // Early again, as from a repeated hello that nobody should have let through.
    ASSERT_EQ(pair.take_early(1, 64, 1), base::Code::kOk);
    ASSERT_TRUE(call_early(pair, 1, 64, 1).ok());
    ASSERT_TRUE(pair.call(2, 64).ok());
    ASSERT_TRUE(pair.run([&] { return pair.completed() == 2; })) << seed;
    EXPECT_EQ(pair.executed, 2u) << seed;
    EXPECT_TRUE(pair.outcomes()[1].intact) << seed;
    EXPECT_TRUE(pair.outcomes()[2].intact) << seed;
  }
}

// As when an lcore had no room for it.
TEST(EarlyCalls, what_the_server_has_lost_is_sent_in_the_session) {
  Pair pair;
  pair.connect();
  ASSERT_TRUE(call_early(pair, 1, 64, 1).ok());
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }));
  EXPECT_EQ(pair.outcomes()[1].code, base::Code::kOk);
  EXPECT_TRUE(pair.outcomes()[1].intact);
  EXPECT_EQ(pair.executed, 1u);
}

TEST(EarlyCalls, may_have_executed_whatever_ends_them) {
  Pair pair;
  pair.connect();
  const auto started = call_early(pair, 1, 64, 1);
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(pair.client().submit(Cancel{started.exchange}, pair.now()), base::Code::kOk);
  ASSERT_TRUE(pair.run([&] { return pair.completed() == 1; }, base::millis(1)));
  EXPECT_TRUE(pair.outcomes()[1].may_have_executed);
}

// Verifies MUST-E7
TEST(EarlyCalls, have_the_next_id_or_are_refused) {
  Pair pair;
  pair.connect();
  EXPECT_EQ(call_early(pair, 1, 64, 2).code, base::Code::kInvalidArgument);
  ASSERT_TRUE(pair.call(1, 64).ok());
  EXPECT_EQ(call_early(pair, 2, 64, 1).code, base::Code::kInvalidArgument);
  EXPECT_EQ(call_early(pair, 2, base::limits::kMaxEarlyRequestBytes + 1, 2).code,
            base::Code::kInvalidArgument);
  EXPECT_TRUE(call_early(pair, 2, 64, 2).ok());
}

TEST(EarlyCalls, malformed_ones_are_refused) {
  Pair pair;
  pair.connect();
  EXPECT_EQ(pair.take_early(1, 64, 0), base::Code::kInvalidArgument);
  EXPECT_EQ(pair.take_early(1, base::limits::kMaxEarlyRequestBytes + 1, 1), base::Code::kTooLarge);
  EXPECT_EQ(pair.server().submit(TakeEarly{.lane = pair.lane(Pair::kServer)}, pair.now()),
            base::Code::kInvalidArgument);
  EXPECT_EQ(pair.server().submit(TakeEarly{}, pair.now()), base::Code::kNotFound);
  EXPECT_EQ(pair.executed, 0u);
}

}  // namespace
}  // namespace sluice::transport
