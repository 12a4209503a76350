// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_machine.h"

#include <gtest/gtest.h>

#include "crypto/ipsec_mb/ipsec_mb_backend.h"

namespace sluice::sim {
namespace {

FaultReport run(uint64_t seed) {
  const auto backend = crypto::make_ipsec_mb_backend();
  FaultMachine machine(fault_plan(seed), backend.get());
  return machine.run();
}

TEST(FaultMachine, two_hundred_seeds_keep_every_promise) {
  FaultCounts fired{};
  uint64_t ok = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const FaultReport report = run(seed);
    ASSERT_TRUE(report.ok()) << "seed " << seed << ": " << report.violation;
    for (uint32_t i = 0; i < kFaultKinds; ++i) fired[i] += report.fired[i];
    ok += report.completed_ok;
  }
  EXPECT_GT(ok, 1000u);
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    EXPECT_GT(fired[i], 0u) << fault_name(static_cast<FaultKind>(i)) << " never fired";
  }
}

TEST(FaultMachine, same_seed_same_hash) {
  const FaultReport first = run(42);
  const FaultReport second = run(42);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.packets, second.packets);
  EXPECT_NE(first.hash, run(43).hash);
}

}  // namespace
}  // namespace sluice::sim
