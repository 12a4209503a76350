// SPDX-License-Identifier: Apache-2.0
#include "sim/message_log.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

TEST(MessageLog, a_delivery_finds_its_submission) {
  MessageLog log;
  EXPECT_EQ(log.submitted(1, 2, 0, 100, picos(10)), 0u);
  EXPECT_EQ(log.submitted(1, 2, 1, 200, picos(20)), 1u);
  EXPECT_EQ(log.submitted(2, 1, 0, 300, picos(30)), 2u);
  EXPECT_EQ(log.outstanding(), 3u);
  log.delivered(1, 2, 1, 200, picos(50));
  EXPECT_EQ(log.outstanding(), 2u);
  EXPECT_FALSE(log.records()[0].delivered());
  EXPECT_EQ(log.records()[1].done, picos(50));
}

TEST(MessageLog, a_delivery_tells_whether_it_was_a_pull) {
  MessageLog log;
  log.submitted(1, 2, 0, 100, picos(10));
  log.submitted(1, 2, 1, 100, picos(10), true);
  EXPECT_FALSE(log.delivered(1, 2, 0, 100, picos(20)).pull);
  EXPECT_TRUE(log.delivered(1, 2, 1, 100, picos(20)).pull);
}

TEST(MessageLog, a_number_is_free_again_after_its_delivery) {
  MessageLog log;
  log.submitted(1, 2, 0, 100, picos(10));
  log.delivered(1, 2, 0, 100, picos(20));
  EXPECT_EQ(log.submitted(1, 2, 0, 100, picos(30)), 1u);
}

TEST(MessageLogDeathTest, a_second_delivery_stops_the_run) {
  MessageLog log;
  log.submitted(1, 2, 0, 100, picos(10));
  log.delivered(1, 2, 0, 100, picos(20));
  EXPECT_DEATH(log.delivered(1, 2, 0, 100, picos(21)), "");
}

TEST(MessageLogDeathTest, a_delivery_of_another_size_stops_the_run) {
  MessageLog log;
  log.submitted(1, 2, 0, 100, picos(10));
  EXPECT_DEATH(log.delivered(1, 2, 0, 99, picos(20)), "");
}

TEST(MessageLog, the_hash_knows_every_field) {
  const auto hash_of = [](uint16_t src, uint32_t size, uint64_t start, uint64_t done) {
    MessageLog log;
    log.submitted(src, 9, 0, size, picos(start));
    if (done != 0) log.delivered(src, 9, 0, size, picos(done));
    return log.hash();
  };
  const uint64_t hash = hash_of(1, 100, 10, 20);
  EXPECT_EQ(hash, hash_of(1, 100, 10, 20));
  EXPECT_NE(hash, hash_of(2, 100, 10, 20));
  EXPECT_NE(hash, hash_of(1, 101, 10, 20));
  EXPECT_NE(hash, hash_of(1, 100, 11, 20));
  EXPECT_NE(hash, hash_of(1, 100, 10, 21));
  EXPECT_NE(hash, hash_of(1, 100, 10, 0));
}

}  // namespace
}  // namespace sluice::sim
