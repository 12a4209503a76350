// SPDX-License-Identifier: Apache-2.0
#include "engine/sleeper.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "engine/limits.h"
#include "engine_test_util.h"

namespace sluice::engine {
namespace {

using Woken = Sleeper::Woken;

constexpr IdleConfig kSleeping{.mode = IdleMode::kInterrupts, .spin = base::micros(100)};

// A file as a device's driver lends: readable while there are packets.
class File {
 public:
  File() : file_(eventfd(0, EFD_NONBLOCK)) {}
  ~File() { close(file_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int number() const { return file_; }
  void bring() const {
    const uint64_t one = 1;
    EXPECT_EQ(write(file_, &one, sizeof(one)), ssize_t{sizeof(one)});
  }
  void take() const {
    uint64_t count = 0;
    EXPECT_EQ(read(file_, &count, sizeof(count)), ssize_t{sizeof(count)});
  }

 private:
  int file_;
};

TEST(Sleeper, polls_for_a_while_after_the_last_work) {
  Sleeper sleeper(kSleeping);
  EXPECT_FALSE(sleeper.may_sleep(base::micros(1000), 7));
  EXPECT_FALSE(sleeper.may_sleep(base::micros(1099), 7));
  EXPECT_TRUE(sleeper.may_sleep(base::micros(1100), 7));
  EXPECT_TRUE(sleeper.may_sleep(base::micros(5000), 7)) << "once quiet, until there is work";
  EXPECT_FALSE(sleeper.may_sleep(base::micros(5001), 8));
  EXPECT_TRUE(sleeper.may_sleep(base::micros(5101), 8));
}

TEST(Sleeper, without_a_while_it_sleeps_at_once) {
  Sleeper sleeper({.mode = IdleMode::kSteps, .spin = base::Nanos::zero()});
  EXPECT_TRUE(sleeper.may_sleep(base::micros(1), 0));
}

TEST(Sleeper, ends_with_its_time_and_with_its_step) {
  Sleeper sleeper(kSleeping);
  sleeper.prepare();
  EXPECT_EQ(sleeper.sleep(base::micros(100)), Woken::kByTime);
  Sleeper steps({.mode = IdleMode::kSteps, .step = base::millis(1)});
  steps.prepare();
  EXPECT_EQ(steps.sleep(base::Nanos::max()), Woken::kByTime);
}

TEST(Sleeper, who_rings_after_it_is_prepared_wakes_it) {
  Sleeper sleeper(kSleeping);
  sleeper.wake();  // Awake: what it brings is found by the turn after prepare().
  sleeper.prepare();
  EXPECT_EQ(sleeper.sleep(base::micros(100)), Woken::kByTime);
  sleeper.prepare();
  sleeper.wake();
  EXPECT_EQ(sleeper.sleep(kFar), Woken::kByThread);
  sleeper.prepare();
  sleeper.cancel();
  sleeper.wake();
  sleeper.prepare();
  EXPECT_EQ(sleeper.sleep(base::micros(100)), Woken::kByTime) << "it was awake when that rang";
}

TEST(Sleeper, a_packet_wakes_it_for_as_long_as_it_lies_there) {
  const File first;
  const File second;
  Sleeper sleeper(kSleeping);
  sleeper.set_interrupts({RxInterrupt(first.number()), RxInterrupt(second.number())});
  second.bring();
  for (int looks = 0; looks < 2; ++looks) {
    sleeper.prepare();
    EXPECT_EQ(sleeper.sleep(kFar), Woken::kByPort) << "not received yet: told again";
  }
  second.take();
  sleeper.prepare();
  EXPECT_EQ(sleeper.sleep(base::micros(100)), Woken::kByTime);
  sleeper.prepare();
  sleeper.wake();
  first.bring();
  EXPECT_EQ(sleeper.sleep(kFar), Woken::kByPort);
}

TEST(Sleeper, a_packet_it_was_told_of_is_missed_until_a_turn_finds_something) {
  const File file;
  Sleeper sleeper(kSleeping);
  sleeper.set_interrupts({RxInterrupt(file.number())});
  EXPECT_FALSE(sleeper.may_sleep(base::micros(1000), 7));
  EXPECT_TRUE(sleeper.may_sleep(base::micros(1100), 7));
  EXPECT_FALSE(sleeper.misses_packet(7));
  file.bring();
  sleeper.prepare();
  EXPECT_EQ(sleeper.sleep(kFar), Woken::kByPort);
  EXPECT_TRUE(sleeper.misses_packet(7));
  EXPECT_FALSE(sleeper.may_sleep(base::micros(1200), 7));
  EXPECT_TRUE(sleeper.misses_packet(7));
  EXPECT_FALSE(sleeper.may_sleep(base::micros(1210), 8));
  EXPECT_FALSE(sleeper.misses_packet(8));
  file.take();
  EXPECT_TRUE(sleeper.may_sleep(base::micros(1310), 8));
  sleeper.prepare();
  EXPECT_EQ(sleeper.sleep(base::micros(100)), Woken::kByTime);
  EXPECT_FALSE(sleeper.misses_packet(8)) << "nothing was told";
}

// Whatever moment the thread chooses, its work is found by the look after prepare(), or it wakes
// the sleeper; kFar would be the time of one lost wake-up.
TEST(Sleeper, loses_no_wake_up) {
  constexpr uint64_t kItems = 20'000;
  Sleeper sleeper(kSleeping);
  std::atomic<uint64_t> left{0};
  std::atomic<uint64_t> found{0};
  std::thread thread([&] {
    for (uint64_t i = 0; i < kItems; ++i) {
      left.fetch_add(1, std::memory_order_relaxed);
      sleeper.wake();
      // Half of them meet a sleeper that is about to sleep, since it has just found the last one.
      while (i % 2 == 0 && found.load(std::memory_order_relaxed) <= i) {
      }
    }
  });
  uint64_t slept = 0;
  uint64_t in_vain = 0;
  while (found.load(std::memory_order_relaxed) < kItems) {
    sleeper.prepare();
    const uint64_t now = left.load(std::memory_order_relaxed);
    if (now != found.load(std::memory_order_relaxed)) {
      sleeper.cancel();
      found.store(now, std::memory_order_relaxed);
      continue;
    }
    ++slept;
    if (sleeper.sleep(kFar) == Woken::kByTime) ++in_vain;
  }
  thread.join();
  EXPECT_GT(slept, 0u);
  EXPECT_EQ(in_vain, 0u);
}

TEST(Sleeper, mistakes_are_said) {
  const IdleConfig good[] = {{},
                             {.mode = IdleMode::kInterrupts},
                             {.mode = IdleMode::kSteps, .step = limits::kShortestSleep},
                             {.mode = IdleMode::kSteps, .step = limits::kLongestStep},
                             {.mode = IdleMode::kSteps, .spin = limits::kLongestSpin}};
  for (const IdleConfig& config : good) EXPECT_EQ(idle_config_error(config), nullptr);
  const base::Nanos one(1);
  const IdleConfig bad[] = {{.mode = IdleMode::kSteps, .step = limits::kShortestSleep - one},
                            {.mode = IdleMode::kSteps, .step = limits::kLongestStep + one},
                            {.mode = IdleMode::kInterrupts, .spin = limits::kLongestSpin + one}};
  for (const IdleConfig& config : bad) EXPECT_NE(idle_config_error(config), nullptr);
}

TEST(Sleeper, is_reported) {
  EXPECT_EQ(idle_report({}).choice, "poll");
  EXPECT_EQ(idle_report(kSleeping).choice, "sleep");
  EXPECT_NE(idle_report(kSleeping).why.find("after 100 us"), std::string::npos);
  EXPECT_NE(idle_report({.mode = IdleMode::kSteps}).why.find("wait up to 1000 us"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::engine
