// SPDX-License-Identifier: Apache-2.0
#include "sluice/thread_client.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

#include "test/unit/api/test_engine.h"

namespace sluice {
namespace {

using testing_support::Echo;
using testing_support::kPatience;
using testing_support::Running;

TEST(ThreadClient, several_threads_call_through_one_client) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  auto client = ThreadClient::create(*run.engine, {.capacity = 8});
  ASSERT_TRUE(client.ok()) << client.status();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<uint8_t> bytes(300 + 100 * t, static_cast<uint8_t>(t));
      for (int i = 0; i < 50; ++i) {
        const CallResult result = (*client)->call_and_wait(
            run.session, {}, Buffer::borrow(bytes.data(), static_cast<uint32_t>(bytes.size())));
        const auto got = result.response.bytes();
        if (std::equal(got.begin(), got.end(), bytes.begin(), bytes.end())) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 150);
}

TEST(ThreadClient, completions_wake_an_epoll_loop) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  auto client = ThreadClient::create(*run.engine, {});
  ASSERT_TRUE(client.ok()) << client.status();
  const std::vector<uint8_t> bytes(64, 1);
  size_t started = 0;
  size_t completed = 0;
  while (completed < 500) {
    while (started - completed < 10 && started < 500) {
      ASSERT_EQ((*client)->call(run.session, {}, Buffer::borrow(bytes.data(), 64), started),
                StatusCode::kOk);
      ++started;
    }
    if ((*client)->arm()) {
      pollfd entry{(*client)->event_fd(), POLLIN, 0};
      ASSERT_EQ(poll(&entry, 1, 60'000), 1);
    }
    Completion batch[16];
    const size_t count = (*client)->poll(batch);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(batch[i].result.code, StatusCode::kOk);
    completed += count;
  }
  EXPECT_FALSE((*client)->wait(1'000'000));
}

TEST(ThreadClient, leaving_with_calls_in_flight_waits_for_them) {
  Handler silent;
  Running run(&silent);
  ASSERT_TRUE(run.good());
  auto client = ThreadClient::create(*run.engine, {.capacity = 16});
  ASSERT_TRUE(client.ok()) << client.status();
  const std::vector<uint8_t> bytes(64, 1);
  for (uint64_t i = 0; i < 16; ++i) {
    (*client)->call(run.session, {}, Buffer::borrow(bytes.data(), 64), i);
  }
  client->reset();
  EXPECT_TRUE(run.engine->drain(kPatience).ok());
}

TEST(ThreadClient, a_closed_engine_closes_the_client) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  auto client = ThreadClient::create(*run.engine, {});
  ASSERT_TRUE(client.ok()) << client.status();
  ASSERT_TRUE(run.engine->close().ok());
  const uint8_t byte = 1;
  EXPECT_EQ((*client)->call(run.session, {}, Buffer::borrow(&byte, 1), 0), StatusCode::kClosed);
  EXPECT_EQ((*client)->call_and_wait(run.session, {}, Buffer::borrow(&byte, 1)).code,
            StatusCode::kClosed);
}

TEST(ThreadClient, creation_is_checked) {
  Echo echo;
  Running run(&echo);
  ASSERT_TRUE(run.good());
  EXPECT_FALSE(ThreadClient::create(*run.engine, {.node = 9}).ok());
  EXPECT_FALSE(ThreadClient::create(*run.engine, {.lcore = 9}).ok());
  EXPECT_FALSE(ThreadClient::create(*run.engine, {.capacity = 0}).ok());
}

}  // namespace
}  // namespace sluice
