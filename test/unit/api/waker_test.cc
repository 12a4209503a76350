// SPDX-License-Identifier: Apache-2.0
#include "api/waker.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

namespace sluice::internal {
namespace {

bool readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(Waker, nobody_asleep_costs_no_wake_up) {
  Waker waker;
  ASSERT_TRUE(waker.open().ok());
  waker.notify();
  EXPECT_FALSE(readable(waker.fd()));
}

TEST(Waker, an_armed_descriptor_becomes_readable_once) {
  Waker waker;
  ASSERT_TRUE(waker.open().ok());
  EXPECT_FALSE(waker.arm([] { return true; }));
  ASSERT_TRUE(waker.arm([] { return false; }));
  waker.notify();
  EXPECT_TRUE(readable(waker.fd()));
  ASSERT_TRUE(waker.arm([] { return false; }));
  EXPECT_FALSE(readable(waker.fd()));
}

TEST(Waker, waiting_ends_with_its_time) {
  Waker waker;
  ASSERT_TRUE(waker.open().ok());
  EXPECT_FALSE(waker.wait(2'000'000, [] { return false; }));
  EXPECT_TRUE(waker.wait(0, [] { return true; }));
}

TEST(Waker, work_wakes_every_sleeper) {
  Waker waker;
  ASSERT_TRUE(waker.open().ok());
  std::atomic<bool> work{false};
  std::atomic<int> woken{0};
  auto sleep = [&] {
    if (waker.wait(5'000'000'000, [&work] { return work.load(); })) ++woken;
  };
  std::thread first(sleep);
  std::thread second(sleep);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  work = true;
  waker.notify();
  first.join();
  second.join();
  EXPECT_EQ(woken.load(), 2);
}

TEST(Waker, announcements_taken_back_leave_no_tokens_behind) {
  Waker waker;
  ASSERT_TRUE(waker.open().ok());
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(waker.wait(1000, [] { return false; }));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(waker.arm([] { return false; }));
  waker.notify();
  EXPECT_TRUE(readable(waker.fd()));
  EXPECT_TRUE(waker.arm([] { return false; }));
  EXPECT_FALSE(readable(waker.fd()));
}

TEST(Waker, no_wake_up_is_lost_between_busy_threads) {
  Waker waker;
  ASSERT_TRUE(waker.open().ok());
  constexpr int kItems = 2000;
  std::atomic<int> produced{0};
  std::atomic<int> taken{0};
  auto consume = [&] {
    while (taken.load() < kItems) {
      const bool ready = waker.wait(
          20'000'000'000, [&] { return taken.load() < produced.load() || taken.load() >= kItems; });
      ASSERT_TRUE(ready);
      int mine = taken.load();
      while (mine < produced.load() && !taken.compare_exchange_weak(mine, mine + 1)) {
      }
    }
    waker.notify();
  };
  std::thread first(consume);
  std::thread second(consume);
  for (int i = 0; i < kItems; ++i) {
    ++produced;
    waker.notify();
    if (i % 64 == 0) std::this_thread::yield();
  }
  first.join();
  second.join();
  EXPECT_EQ(taken.load(), kItems);
}

}  // namespace
}  // namespace sluice::internal
