// SPDX-License-Identifier: Apache-2.0
#include "sim/event_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "sim/random.h"

namespace sluice::sim {
namespace {

std::vector<uint32_t> drain(EventQueue* queue) {
  std::vector<uint32_t> subjects;
  for (Event event; queue->pop(Picos::max(), &event);) subjects.push_back(event.a);
  return subjects;
}

TEST(EventQueue, comes_in_the_order_of_time) {
  EventQueue queue;
  queue.push(Picos(3'000'000'000), 0, 4, 0);  // Far away.
  queue.push(Picos(300), 0, 1, 0);            // In the first bucket.
  queue.push(Picos(5'000), 0, 2, 0);
  queue.push(Picos(0), 0, 0, 0);
  queue.push(Picos(16'000'000), 0, 3, 0);
  EXPECT_EQ(queue.pending(), 5u);
  EXPECT_EQ(drain(&queue), (std::vector<uint32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(queue.pending(), 0u);
  EXPECT_EQ(queue.now(), Picos(3'000'000'000));
}

TEST(EventQueue, what_happens_at_the_same_time_happens_in_the_order_of_pushing) {
  for (const uint64_t time : {0ull, 100ull, 50'000ull, 9'000'000'000ull}) {
    EventQueue queue;
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < 100; ++i) {
      queue.push(Picos(time), 0, i, 0);
      expected.push_back(i);
    }
    EXPECT_EQ(drain(&queue), expected) << time;
  }
}

TEST(EventQueue, a_tie_between_near_and_far_goes_to_the_one_pushed_first) {
  EventQueue queue;
  const Picos time(40'000'000);  // Beyond the buckets' reach from time zero.
  queue.push(time, 0, 1, 0);     // Into the heap.
  queue.push(Picos(35'000'000), 0, 0, 0);
  Event event;
  ASSERT_TRUE(queue.pop(Picos::max(), &event));
  queue.push(time, 0, 2, 0);  // Now within reach.
  queue.push(time, 0, 3, 0);
  EXPECT_EQ(drain(&queue), (std::vector<uint32_t>{1, 2, 3}));
}

TEST(EventQueue, carries_kind_and_both_subjects) {
  EventQueue queue;
  queue.push(Picos(7), 255, UINT32_MAX, UINT64_MAX);
  Event event;
  ASSERT_TRUE(queue.pop(Picos(7), &event));
  EXPECT_EQ(event.time, Picos(7));
  EXPECT_EQ(event.kind(), 255);
  EXPECT_EQ(event.a, UINT32_MAX);
  EXPECT_EQ(event.b, UINT64_MAX);
}

TEST(EventQueue, keeps_what_is_due_later) {
  EventQueue queue;
  queue.push(Picos(2'000), 0, 1, 0);
  queue.push(Picos(20'000'000'000), 0, 2, 0);
  Event event;
  EXPECT_FALSE(queue.pop(Picos(1'999), &event));
  EXPECT_TRUE(queue.pop(Picos(2'000), &event));
  EXPECT_FALSE(queue.pop(Picos(19'999'999'999), &event));
  // A time between what was refused and what is due next is not the past.
  queue.push(Picos(2'500), 0, 3, 0);
  queue.push(Picos(19'999'999'999), 0, 4, 0);
  EXPECT_EQ(drain(&queue), (std::vector<uint32_t>{3, 4, 2}));
}

TEST(EventQueue, nothing_goes_into_the_past) {
  EventQueue queue;
  queue.push(Picos(5'000), 0, 1, 0);
  Event event;
  ASSERT_TRUE(queue.pop(Picos::max(), &event));
  queue.push(Picos(5'000), 0, 2, 0);
  EXPECT_DEATH(queue.push(Picos(4'999), 0, 3, 0), "");
}

TEST(EventQueue, next_time_is_that_of_the_next_event) {
  EventQueue queue;
  EXPECT_EQ(queue.next_time(), Picos::max());
  queue.push(Picos(90'000'000'000), 0, 0, 0);
  EXPECT_EQ(queue.next_time(), Picos(90'000'000'000));
  for (uint32_t i = 9; i > 0; --i) queue.push(Picos(50'000 + i), 0, i, 0);
  EXPECT_EQ(queue.next_time(), Picos(50'001));
  Event event;
  ASSERT_TRUE(queue.pop(Picos::max(), &event));
  EXPECT_EQ(queue.next_time(), Picos(50'002));
}

// Random pushes and pops, of all distances, beside an ordered set.
void compare_with_a_set(uint64_t seed, uint32_t steps) {
  EventQueue queue;
  Random random(seed, Stream::kFirstFree, 0);
  std::set<std::pair<uint64_t, uint32_t>> expected;
  const uint64_t reach[] = {1, 900, 5'000, 2'000'000, 17'000'000, 5'000'000'000};
  uint64_t now = 0;
  for (uint32_t i = 0; i < steps; ++i) {
    const uint64_t count = random.below(4);
    for (uint64_t k = 0; k < count; ++k) {
      const uint64_t time = now + random.below(reach[random.below(6)]);
      const uint32_t id = i * 4 + static_cast<uint32_t>(k);
      queue.push(Picos(time), 0, id, 0);
      expected.insert({time, id});
    }
    ASSERT_EQ(queue.next_time(), expected.empty() ? Picos::max() : Picos(expected.begin()->first));
    const uint64_t until = now + random.below(reach[random.below(6)]);
    Event event;
    const bool due = !expected.empty() && expected.begin()->first <= until;
    ASSERT_EQ(queue.pop(Picos(until), &event), due) << i;
    if (!due) continue;
    ASSERT_EQ(event.time.value(), expected.begin()->first) << i;
    ASSERT_EQ(event.a, expected.begin()->second) << i;
    expected.erase(expected.begin());
    now = event.time.value();
    ASSERT_EQ(queue.pending(), expected.size());
  }
  for (const uint32_t id : drain(&queue)) {
    ASSERT_EQ(id, expected.begin()->second);
    expected.erase(expected.begin());
  }
  EXPECT_TRUE(expected.empty());
}

TEST(EventQueue, agrees_with_an_ordered_set) {
  for (uint64_t seed = 1; seed <= 20; ++seed) compare_with_a_set(seed, 5'000);
}

TEST(EventQueue, many_events_in_one_bucket_are_sorted) {
  EventQueue queue;
  Random random(3, Stream::kFirstFree, 0);
  std::vector<std::pair<uint64_t, uint32_t>> expected;
  for (uint32_t i = 0; i < 5'000; ++i) {
    const uint64_t time = 1'000'000 + random.below(1'000);
    queue.push(Picos(time), 0, i, 0);
    expected.push_back({time, i});
  }
  std::sort(expected.begin(), expected.end());
  std::vector<uint32_t> order;
  for (const auto& [time, id] : expected) order.push_back(id);
  EXPECT_EQ(drain(&queue), order);
}

}  // namespace
}  // namespace sluice::sim
