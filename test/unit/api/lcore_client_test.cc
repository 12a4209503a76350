// SPDX-License-Identifier: Apache-2.0
#include "api/lcore_client.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sluice::internal {
namespace {

class Recorder final : public LcoreClient {
 public:
  explicit Recorder(size_t capacity) : LcoreClient(capacity) {}
  std::atomic<int> handled{0};
  std::vector<uint32_t> entries;
  std::atomic<int> flushes{0};

  void flush() override { ++flushes; }

 private:
  void handle(uint32_t entry) override {
    ++handled;
    if (entries.size() < entries.capacity()) entries.push_back(entry);
  }
};

TEST(LcoreClient, the_lcore_takes_what_was_posted_in_order) {
  Recorder client(8);
  client.entries.reserve(8);
  client.post(3);
  client.post(1);
  EXPECT_EQ(client.handled, 0);
  EXPECT_TRUE(client.poll());
  EXPECT_EQ(client.entries, (std::vector<uint32_t>{3, 1}));
  EXPECT_EQ(client.flushes, 1);
  EXPECT_FALSE(client.poll());
}

TEST(LcoreClient, takes_a_bounded_burst_a_turn) {
  Recorder client(64);
  for (uint32_t i = 0; i < 40; ++i) client.post(i);
  EXPECT_TRUE(client.poll());
  EXPECT_EQ(client.handled, 32);
  EXPECT_TRUE(client.poll());
  EXPECT_EQ(client.handled, 40);
}

TEST(LcoreClient, nothing_is_left_behind_when_the_lcore_ends) {
  Recorder client(8);
  client.post(1);
  client.close();
  EXPECT_EQ(client.handled, 1);
  EXPECT_TRUE(client.closed());
  client.post(2);
  EXPECT_EQ(client.handled, 2);
}

TEST(LcoreClient, rings_the_doorbell_of_an_lcore_that_may_sleep) {
  Recorder client(8);
  engine::Doorbell doorbell;
  client.post(1);  // Before it has one.
  client.set_doorbell(&doorbell);
  pollfd file = doorbell.file();
  const auto rung = [&] { return doorbell.wait({&file, 1}, base::Nanos::zero()); };
  doorbell.prepare();
  EXPECT_TRUE(client.waiting()) << "which its lcore sees after prepare()";
  EXPECT_FALSE(rung());
  EXPECT_TRUE(client.poll());
  EXPECT_FALSE(client.waiting());
  doorbell.prepare();
  client.post(2);
  EXPECT_TRUE(rung());
  client.close();
  doorbell.prepare();
  client.post(3);
  EXPECT_FALSE(rung()) << "there is no lcore any more";
}

TEST(LcoreClient, posting_and_closing_race_without_loss) {
  for (int round = 0; round < 200; ++round) {
    Recorder client(128);
    std::thread poster([&client] {
      for (uint32_t i = 0; i < 100; ++i) client.post(i);
    });
    client.close();
    poster.join();
    EXPECT_EQ(client.handled, 100);
  }
}

}  // namespace
}  // namespace sluice::internal
