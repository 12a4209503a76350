// SPDX-License-Identifier: Apache-2.0
#include "crypto/strike_register.h"

#include <gtest/gtest.h>

#include <vector>

#include "handshake_support.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using base::after;
using base::seconds;
using base::limits::kStrikeGeneration;

std::vector<uint8_t> ticket(uint8_t number) { return std::vector<uint8_t>(200, number); }

std::vector<uint8_t> context_of(const StrikeRegister& strikes) {
  return {strikes.context().begin(), strikes.context().end()};
}

struct Bench {
  explicit Bench(size_t capacity = 4, uint64_t seed = 1)
      : random(seed), strikes(&test::primitives(), random.source(), capacity) {
    strikes.advance(start);
  }
  const base::Nanos start = seconds(1000);
  test::SeededRandom random;
  StrikeRegister strikes;
};

// Verifies MUST-E2
TEST(StrikeRegister, a_ticket_is_fresh_once) {
  Bench bench;
  EXPECT_EQ(bench.strikes.strike(ticket(1)), Strike::kFresh);
  EXPECT_EQ(bench.strikes.strike(ticket(1)), Strike::kSeen);
  EXPECT_EQ(bench.strikes.strike(ticket(2)), Strike::kFresh);
  EXPECT_EQ(bench.strikes.strike(ticket(1)), Strike::kSeen);
  std::vector<uint8_t> longer = ticket(1);
  longer.push_back(1);
  EXPECT_EQ(bench.strikes.strike(longer), Strike::kFresh);
}

// Verifies MUST-E3
TEST(StrikeRegister, a_full_one_refuses_and_still_knows_what_it_has_seen) {
  Bench bench(2);
  EXPECT_EQ(bench.strikes.strike(ticket(1)), Strike::kFresh);
  EXPECT_EQ(bench.strikes.strike(ticket(2)), Strike::kFresh);
  EXPECT_EQ(bench.strikes.strike(ticket(3)), Strike::kFull);
  EXPECT_EQ(bench.strikes.strike(ticket(1)), Strike::kSeen);
  EXPECT_EQ(bench.strikes.size(), 2u);
}

// Verifies MUST-E2
TEST(StrikeRegister, what_is_forgotten_fits_no_ticket_any_more) {
  Bench bench(2);
  const auto first = context_of(bench.strikes);
  EXPECT_EQ(bench.strikes.strike(ticket(1)), Strike::kFresh);
  EXPECT_EQ(bench.strikes.strike(ticket(2)), Strike::kFresh);
  bench.strikes.advance(after(bench.start, kStrikeGeneration) - base::nanos(1));
  EXPECT_EQ(context_of(bench.strikes), first);
  EXPECT_EQ(bench.strikes.strike(ticket(1)), Strike::kSeen);
  bench.strikes.advance(after(bench.start, kStrikeGeneration));
  EXPECT_NE(context_of(bench.strikes), first);
  EXPECT_EQ(bench.strikes.size(), 0u);
  EXPECT_EQ(bench.strikes.strike(ticket(3)), Strike::kFresh);
}

TEST(StrikeRegister, no_two_processes_have_a_context_in_common) {
  const Bench one(2, 1);
  const Bench other(2, 2);
  EXPECT_NE(context_of(one.strikes), context_of(other.strikes));
}

}  // namespace
}  // namespace sluice::crypto
