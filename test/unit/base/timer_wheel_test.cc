// SPDX-License-Identifier: Apache-2.0
#include "base/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <vector>

#include "base/container_of.h"
#include "base/prng.h"

namespace sluice::base {
namespace {

const auto kIgnore = [](TimerNode&) {};

TEST(TimerWheel, fires_at_the_deadline_and_not_a_nanosecond_before) {
  TimerWheel wheel;
  TimerNode node(3);
  wheel.arm(node, nanos(1'500));
  EXPECT_TRUE(node.linked());
  EXPECT_EQ(wheel.next_deadline(), nanos(1'500));
  EXPECT_EQ(wheel.advance(nanos(1'499), kIgnore), 0u);
  uint32_t kind = 0;
  EXPECT_EQ(wheel.advance(nanos(1'500), [&](TimerNode& fired) { kind = fired.kind; }), 1u);
  EXPECT_EQ(kind, 3u);
  EXPECT_FALSE(node.linked());
  EXPECT_EQ(wheel.next_deadline(), Nanos::max());
}

TEST(TimerWheel, the_wake_up_time_always_leads_to_the_deadline) {
  for (const uint64_t deadline : {uint64_t{0}, uint64_t{1}, uint64_t{1023}, uint64_t{1'000'000},
                                  uint64_t{3'600'000'000'123}, UINT64_MAX - 1}) {
    TimerWheel wheel;
    TimerNode node;
    wheel.arm(node, Nanos(deadline));
    int wake_ups = 0;
    for (; node.linked(); ++wake_ups) {
      ASSERT_LE(wheel.next_deadline().value(), deadline);
      ASSERT_LT(wake_ups, 12);
      const Nanos now = wheel.next_deadline();
      ASSERT_EQ(wheel.advance(now, kIgnore) == 1, now.value() == deadline);
    }
    EXPECT_TRUE(wheel.empty());
  }
}

TEST(TimerWheel, a_jump_of_years_fires_all_in_order) {
  TimerWheel wheel(10, seconds(5));
  std::vector<TimerNode> nodes(200);
  Prng prng(1);
  for (TimerNode& node : nodes) wheel.arm(node, seconds(5) + Nanos(prng.next_u64() >> 8));
  Nanos last = Nanos::zero();
  const size_t fired = wheel.advance(Nanos::max() - nanos(1), [&](TimerNode& node) {
    EXPECT_GE(node.deadline().value() >> 10, last.value() >> 10);
    last = node.deadline();
  });
  EXPECT_EQ(fired, nodes.size());
}

TEST(TimerWheel, never_means_never) {
  TimerWheel wheel;
  TimerNode node;
  wheel.arm(node, Nanos::max());
  EXPECT_FALSE(node.linked());
  wheel.arm(node, nanos(5));
  wheel.arm(node, Nanos::max());
  EXPECT_FALSE(node.linked());
  EXPECT_EQ(wheel.next_deadline(), Nanos::max());
  EXPECT_EQ(wheel.advance(Nanos::max(), kIgnore), 0u);
}

TEST(TimerWheel, rearming_moves_and_cancelling_removes) {
  TimerWheel wheel;
  TimerNode a, b;
  wheel.arm(a, micros(10));
  wheel.arm(a, micros(30));
  wheel.arm(b, micros(20));
  wheel.cancel(b);
  wheel.cancel(b);
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(wheel.advance(micros(29), kIgnore), 0u);
  EXPECT_EQ(wheel.next_deadline(), micros(30));
  EXPECT_EQ(wheel.advance(micros(30), kIgnore), 1u);
}

TEST(TimerWheel, a_deadline_in_the_past_fires_at_the_next_advance) {
  TimerWheel wheel;
  TimerNode node;
  wheel.advance(seconds(10), kIgnore);
  wheel.arm(node, seconds(1));
  EXPECT_EQ(wheel.next_deadline(), seconds(1));
  EXPECT_EQ(wheel.advance(seconds(10), kIgnore), 1u);
}

TEST(TimerWheel, a_clock_that_steps_back_fires_nothing_early) {
  TimerWheel wheel;
  TimerNode node, past;
  wheel.arm(node, seconds(9));
  wheel.advance(seconds(9), kIgnore);
  wheel.arm(node, seconds(11));
  wheel.arm(past, seconds(7));
  EXPECT_EQ(wheel.advance(seconds(6), kIgnore), 0u);
  EXPECT_EQ(wheel.advance(seconds(7), kIgnore), 1u);
  EXPECT_EQ(wheel.advance(seconds(10), kIgnore), 0u);
  EXPECT_EQ(wheel.advance(seconds(11), kIgnore), 1u);
}

TEST(TimerWheel, a_callback_may_cancel_and_rearm_others_that_are_due) {
  TimerWheel wheel;
  TimerNode a(1), b(2), c(3);
  wheel.arm(a, micros(5));
  wheel.arm(b, micros(5));
  wheel.arm(c, micros(5));
  std::vector<uint32_t> fired;
  wheel.advance(micros(6), [&](TimerNode& node) {
    fired.push_back(node.kind);
    wheel.cancel(b);
    wheel.arm(c, micros(8));
  });
  EXPECT_EQ(fired, std::vector<uint32_t>{1});
  EXPECT_EQ(wheel.next_deadline(), micros(8));
  wheel.advance(micros(8), [&](TimerNode& node) { fired.push_back(node.kind); });
  EXPECT_EQ(fired, (std::vector<uint32_t>{1, 3}));
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheel, a_callback_that_rearms_itself_does_not_loop) {
  TimerWheel wheel;
  TimerNode node;
  wheel.arm(node, micros(1));
  const auto again = [&](TimerNode& fired) { wheel.arm(fired, micros(1)); };
  EXPECT_EQ(wheel.advance(micros(2), again), 1u);
  EXPECT_EQ(wheel.next_deadline(), micros(1));
  EXPECT_EQ(wheel.advance(micros(2), again), 1u);
  wheel.cancel(node);
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheel, the_armed_state_stays_with_the_address) {
  struct Owner {
    int value = 0;
    TimerNode timer{7};
  };
  TimerWheel wheel;
  Owner owner;
  wheel.arm(owner.timer, micros(1));
  const Owner copy = owner;
  EXPECT_FALSE(copy.timer.linked());
  EXPECT_EQ(copy.timer.kind, 7u);
  owner = Owner();
  EXPECT_TRUE(owner.timer.linked());
  wheel.advance(micros(1),
                [&](TimerNode& node) { EXPECT_EQ(container_of(&node, &Owner::timer), &owner); });
}

struct Bench {
  explicit Bench(uint64_t seed)
      : prng(seed),
        start(prng.next_u64() >> (2 + prng.uniform(40))),
        now(start),
        wheel(static_cast<uint32_t>(prng.uniform(16)), start),
        nodes(64) {}

  // A delay of any magnitude, short ones as often as long ones.
  Nanos random_delay() { return Nanos(prng.next_u64() >> (20 + prng.uniform(44))); }

  void arm_one() {
    const uint32_t i = static_cast<uint32_t>(prng.uniform(nodes.size()));
    const Nanos deadline =
        prng.chance_ppm(50'000) ? Nanos(now.value() - now.value() / 8) : after(now, random_delay());
    wheel.arm(nodes[i], deadline);
    model[i] = deadline;
  }

  void cancel_one() {
    const uint32_t i = static_cast<uint32_t>(prng.uniform(nodes.size()));
    wheel.cancel(nodes[i]);
    model.erase(i);
  }

  void advance_to(Nanos to) {
    now = to;
    std::map<uint32_t, Nanos> due;
    for (const auto& [i, deadline] : model) {
      if (deadline <= now) due[i] = deadline;
    }
    wheel.advance(now, [&](TimerNode& node) {
      const uint32_t i = static_cast<uint32_t>(&node - nodes.data());
      ASSERT_EQ(due.count(i), 1u);
      ASSERT_EQ(node.deadline(), due[i]);
      due.erase(i);
      model.erase(i);
      if (prng.chance_ppm(300'000)) {
        const Nanos deadline = after(now, random_delay());
        wheel.arm(node, deadline);
        model[i] = deadline;
      }
    });
    ASSERT_TRUE(due.empty());
  }

  void check() {
    ASSERT_EQ(wheel.size(), model.size());
    Nanos earliest = Nanos::max();
    for (const auto& [i, deadline] : model) {
      ASSERT_TRUE(nodes[i].linked());
      earliest = std::min(earliest, deadline);
    }
    ASSERT_LE(wheel.next_deadline(), earliest);
    ASSERT_EQ(wheel.next_deadline() == Nanos::max(), model.empty());
  }

  Prng prng;
  Nanos start;
  Nanos now;
  TimerWheel wheel;
  std::vector<TimerNode> nodes;
  std::map<uint32_t, Nanos> model;
};

TEST(TimerWheel, matches_a_model_under_random_use) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Bench bench(seed);
    for (int step = 0; step < 2'000; ++step) {
      const uint64_t choice = bench.prng.uniform(8);
      if (choice < 4) {
        bench.arm_one();
      } else if (choice == 4) {
        bench.cancel_one();
      } else if (choice == 5 && bench.wheel.next_deadline() != Nanos::max()) {
        bench.advance_to(std::max(bench.now, bench.wheel.next_deadline()));
      } else {
        bench.advance_to(after(bench.now, bench.random_delay()));
      }
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed << " step " << step;
      ASSERT_NO_FATAL_FAILURE(bench.check()) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace sluice::base
