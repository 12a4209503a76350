// SPDX-License-Identifier: Apache-2.0
#include "engine/fault.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace sluice::engine {
namespace {

// Packets are numbers; what the injector does to them is written down.
struct World {
  std::vector<std::unique_ptr<uint64_t>> owned;
  std::vector<uint64_t> dropped;
  std::vector<uint64_t> flipped;
  bool memory = true;

  void* make(uint64_t number) {
    owned.push_back(std::make_unique<uint64_t>(number));
    return owned.back().get();
  }
  FaultOps ops() {
    return {.context = this,
            .copy = [](void* context, void* packet) -> void* {
              auto* world = static_cast<World*>(context);
              return world->memory ? world->make(*static_cast<uint64_t*>(packet)) : nullptr;
            },
            .drop =
                [](void* context, void* packet) {
                  static_cast<World*>(context)->dropped.push_back(*static_cast<uint64_t*>(packet));
                },
            .flip =
                [](void* context, void* packet, uint64_t) {
                  static_cast<World*>(context)->flipped.push_back(*static_cast<uint64_t*>(packet));
                }};
  }
};

std::vector<uint64_t> send(FaultInjector* injector, World* world, uint64_t first, size_t count,
                           base::Nanos now) {
  std::vector<void*> packets(64);
  std::vector<uint64_t> out;
  for (size_t done = 0; done < count; done += 32) {
    const size_t burst = std::min<size_t>(32, count - done);
    for (size_t i = 0; i < burst; ++i) packets[i] = world->make(first + done + i);
    const size_t left = injector->apply(packets.data(), burst, packets.size(), now);
    for (size_t i = 0; i < left; ++i) out.push_back(*static_cast<uint64_t*>(packets[i]));
  }
  return out;
}

TEST(FaultInjector, does_nothing_unless_configured) {
  World world;
  FaultInjector injector(world.ops());
  EXPECT_FALSE(injector.active());
  const auto out = send(&injector, &world, 0, 100, base::micros(1));
  ASSERT_EQ(out.size(), 100u);
  EXPECT_TRUE(std::is_sorted(out.begin(), out.end()));
  EXPECT_EQ(injector.stats().seen.value(), 0u);
}

TEST(FaultInjector, loses_the_asked_share) {
  World world;
  FaultInjector injector(world.ops());
  injector.configure({.loss_ppm = 10'000, .seed = 3});
  const auto out = send(&injector, &world, 0, 200'000, base::micros(1));
  const uint64_t lost = injector.stats().lost.value();
  EXPECT_NEAR(static_cast<double>(lost), 2000.0, 250.0);
  EXPECT_EQ(world.dropped.size(), lost);
  EXPECT_EQ(out.size() + lost, 200'000u);
}

TEST(FaultInjector, duplicates_and_corrupts_the_asked_shares) {
  World world;
  FaultInjector injector(world.ops());
  injector.configure({.duplicate_ppm = 20'000, .corrupt_ppm = 5'000, .seed = 4});
  const auto out = send(&injector, &world, 0, 100'000, base::micros(1));
  const uint64_t twice = injector.stats().duplicated.value();
  EXPECT_NEAR(static_cast<double>(twice), 2000.0, 250.0);
  EXPECT_EQ(out.size(), 100'000u + twice);
  EXPECT_NEAR(static_cast<double>(world.flipped.size()), 500.0, 120.0);
  EXPECT_EQ(world.flipped.size(), injector.stats().corrupted.value());
}

TEST(FaultInjector, counts_copies_without_memory) {
  World world;
  world.memory = false;
  FaultInjector injector(world.ops());
  injector.configure({.duplicate_ppm = 1'000'000});
  EXPECT_EQ(send(&injector, &world, 0, 32, base::micros(1)).size(), 32u);
  EXPECT_EQ(injector.stats().overflow.value(), 32u);
}

TEST(FaultInjector, reordered_packets_are_overtaken_but_not_lost) {
  World world;
  FaultInjector injector(world.ops());
  injector.configure({.reorder_ppm = 50'000, .seed = 5});
  auto out = send(&injector, &world, 0, 10'000, base::micros(1));
  EXPECT_FALSE(std::is_sorted(out.begin(), out.end()));
  EXPECT_GT(injector.stats().reordered.value(), 300u);
  // Time alone frees those that nothing overtakes any more.
  const auto rest = send(&injector, &world, 10'000, 1, base::millis(1));
  out.insert(out.end(), rest.begin(), rest.end());
  std::sort(out.begin(), out.end());
  EXPECT_GE(out.size(), 10'000u);
  EXPECT_EQ(std::unique(out.begin(), out.end()), out.end());
}

TEST(FaultInjector, delays_by_the_clock) {
  World world;
  FaultInjector injector(world.ops());
  injector.configure({.delay = base::micros(50)});
  EXPECT_TRUE(send(&injector, &world, 0, 8, base::micros(100)).empty());
  EXPECT_EQ(injector.held(), 8u);
  void* slots[64];
  EXPECT_EQ(injector.apply(slots, 0, 64, base::micros(149)), 0u);
  EXPECT_EQ(injector.apply(slots, 0, 64, base::micros(150)), 8u);
  EXPECT_EQ(injector.stats().delayed.value(), 8u);
}

TEST(FaultInjector, turning_off_lets_held_packets_go) {
  World world;
  FaultInjector injector(world.ops());
  injector.configure({.delay = base::millis(1)});
  send(&injector, &world, 0, 4, base::micros(1));
  injector.configure({});
  EXPECT_TRUE(injector.active());
  void* slots[64];
  EXPECT_EQ(injector.apply(slots, 0, 64, base::millis(2)), 4u);
  EXPECT_FALSE(injector.active());
}

TEST(FaultInjector, a_full_store_passes_packets_on_and_counts) {
  World world;
  FaultInjector injector(world.ops());
  injector.configure({.delay = base::seconds(1)});
  const auto out = send(&injector, &world, 0, FaultInjector::kMaxHeld + 100, base::micros(1));
  EXPECT_EQ(out.size(), 100u);
  EXPECT_EQ(injector.stats().overflow.value(), 100u);
  injector.flush();
  EXPECT_EQ(world.dropped.size(), FaultInjector::kMaxHeld);
}

TEST(FaultInjector, the_same_seed_gives_the_same_faults) {
  for (const uint64_t seed : {1u, 2u}) {
    World a;
    World b;
    FaultInjector first(a.ops());
    FaultInjector second(b.ops());
    const FaultConfig config{.loss_ppm = 100'000, .duplicate_ppm = 50'000, .seed = seed};
    first.configure(config);
    second.configure(config);
    EXPECT_EQ(send(&first, &a, 0, 1000, base::micros(1)),
              send(&second, &b, 0, 1000, base::micros(1)));
  }
}

TEST(FaultConfig, impossible_rates_are_refused_in_a_sentence) {
  EXPECT_EQ(fault_config_error({}), nullptr);
  EXPECT_NE(fault_config_error({.loss_ppm = 1'000'001}), nullptr);
  EXPECT_NE(fault_config_error({.delay = base::seconds(11)}), nullptr);
}

}  // namespace
}  // namespace sluice::engine
