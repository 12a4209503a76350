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

TEST(FaultMachine, a_hundred_seeds_keep_every_promise) {
  FaultCounts fired{};
  uint64_t ok = 0;
  uint64_t packets = 0;
  uint64_t records = 0;
  uint64_t esp = 0;
  uint64_t inline_records = 0;
  uint64_t resyncs = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const FaultReport report = run(seed);
    ASSERT_TRUE(report.ok()) << "seed " << seed << ": " << report.violation;
    for (uint32_t i = 0; i < kFaultKinds; ++i) fired[i] += report.fired[i];
    ok += report.completed_ok;
    packets += report.packets;
    records += report.records;
    esp += report.esp;
    inline_records += report.inline_records;
    resyncs += report.resyncs;
  }
  EXPECT_GT(ok, 10'000u);
  EXPECT_GT(packets, 1'000'000u);
  EXPECT_GT(records, 10'000u);
  EXPECT_GT(esp, 100'000u);
  EXPECT_LT(esp, packets / 2);
  EXPECT_GT(inline_records, 1'000u);
  EXPECT_LT(inline_records, records) << "contexts run out";
  EXPECT_GT(resyncs, 100u);
  EXPECT_LT(resyncs, inline_records);
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

// Seals and opens as another does, and says that every tag is right.
class Credulous : public crypto::AeadBackend {
 public:
  explicit Credulous(crypto::AeadBackend* other) : other_(*other) {}
  const char* name() const override { return "credulous"; }
  const char* detail() const override { return ""; }
  bool supports(crypto::AeadAlgorithm algorithm) const override {
    return other_.supports(algorithm);
  }
  bool expand_key(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                  std::span<const uint8_t, crypto::kNonceSize> iv, crypto::AeadKey* out) override {
    return other_.expand_key(algorithm, key, iv, out);
  }
  void submit_seal(std::span<crypto::AeadJob> jobs) override { other_.submit_seal(jobs); }
  void submit_open(std::span<crypto::AeadJob> jobs) override {
    other_.submit_open(jobs);
    for (crypto::AeadJob& job : jobs) job.ok = true;
  }
  size_t poll(std::span<crypto::AeadJob*>) override { return 0; }
  bool completes_at_once() const override { return true; }
  void discard_key(crypto::AeadKey* key) override { other_.discard_key(key); }

 private:
  crypto::AeadBackend& other_;
};

TEST(FaultMachine, notices_that_forgeries_are_let_in) {
  const auto backend = crypto::make_ipsec_mb_backend();
  Credulous credulous(backend.get());
  FaultPlan plan = fault_plan(1);
  plan.rate = {};
  plan.rate[static_cast<size_t>(FaultKind::kCorruptTag)] = 100'000;
  // The packets of a record are judged by what is delivered; those of ESP by what is in them too.
  for (const bool records : {false, true}) {
    for (auto& config : plan.config) {
      config.record_mode = records;
      config.esp = false;
    }
    FaultMachine machine(plan, &credulous);
    const FaultReport report = machine.run();
    EXPECT_EQ(report.records > 0, records);
    EXPECT_EQ(report.violation == "a packet was let in that its sender had not sent, or twice",
              !records);
    EXPECT_NE(report.violation, "");
  }
}

}  // namespace
}  // namespace sluice::sim
