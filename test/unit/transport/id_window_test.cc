// SPDX-License-Identifier: Apache-2.0
#include "transport/id_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "base/prng.h"

namespace sluice::transport {
namespace {

// Either half with words of its own.
template <class Ids>
struct Lent : Ids {
  explicit Lent(uint32_t window) : Ids(window), words(window / 32) {
    this->lend(words.data(), words.data() + window / 64);
  }
  std::vector<uint64_t> words;
};

TEST(IdBits, is_a_ring_over_its_size) {
  IdBits bits(64);
  EXPECT_FALSE(bits.test(3)) << "without words";
  uint64_t word = 0;
  bits.lend(&word);
  bits.set(3);
  EXPECT_TRUE(bits.test(3));
  EXPECT_TRUE(bits.test(67)) << "the same place, one turn on";
  bits.clear(67);
  EXPECT_FALSE(bits.test(3));
  bits.set(5);
  bits.clear_all();
  EXPECT_FALSE(bits.test(5));
}

// Verifies MUST-T11 on the caller's side.
TEST(OwnIds, are_dense_and_bounded_above_the_floor) {
  Lent<OwnIds> ids(64);
  for (uint64_t id = 1; id <= 64; ++id) {
    ASSERT_FALSE(ids.full());
    EXPECT_EQ(ids.take(), id);
  }
  EXPECT_TRUE(ids.full());
  ids.release(2);
  EXPECT_TRUE(ids.full()) << "only the floor makes room";
  ids.release(1);
  EXPECT_EQ(ids.floor(), 3u);
  EXPECT_EQ(ids.take(), 65u);
  EXPECT_EQ(ids.take(), 66u);
  EXPECT_TRUE(ids.full());
  ids.reset();
  EXPECT_EQ(ids.take(), 1u);
}

TEST(OwnIds, tell_each_released_run_once_until_told_again) {
  Lent<OwnIds> ids(64);
  for (int i = 0; i < 10; ++i) ids.take();
  for (const uint64_t id : {3, 4, 7}) ids.release(id);
  EXPECT_TRUE(ids.has_news(1));
  OwnIds::Run run = ids.next_untold(1);
  EXPECT_EQ(run.first, 3u);
  EXPECT_EQ(run.count, 2u);
  run = ids.next_untold(run.first + run.count);
  EXPECT_EQ(run.first, 7u);
  EXPECT_EQ(run.count, 1u);
  EXPECT_EQ(ids.next_untold(1).count, 0u);
  ids.tell_again();
  EXPECT_EQ(ids.next_untold(4).first, 4u) << "from the middle of a run";
  ids.release(1);
  ids.release(2);
  EXPECT_EQ(ids.floor(), 5u);
  EXPECT_FALSE(ids.has_news(5) && ids.next_untold(8).count != 0);
}

TEST(OwnIds, tell_of_every_released_run_wherever_it_lies_in_the_ring) {
  Lent<OwnIds> ids(256);
  base::Prng prng(17);
  std::set<uint64_t> outstanding, untold;
  for (int turn = 0; turn < 20'000; ++turn) {
    while (!ids.full() && prng.uniform(3) != 0) outstanding.insert(ids.take());
    if (!outstanding.empty()) {
      auto gone = outstanding.begin();
      std::advance(gone, prng.uniform(std::min<uint64_t>(outstanding.size(), 200)));
      untold.insert(*gone);
      ids.release(*gone);
      outstanding.erase(gone);
    }
    untold.erase(untold.begin(), untold.lower_bound(ids.floor()));
    if (prng.uniform(4) != 0) continue;
    const uint64_t from = ids.floor() + prng.uniform(100);
    const auto first = untold.lower_bound(from);
    const OwnIds::Run run = ids.next_untold(from);
    if (first == untold.end()) {
      ASSERT_EQ(run.count, 0u);
      continue;
    }
    ASSERT_EQ(run.first, *first);
    for (uint64_t id = run.first; id < run.first + run.count; ++id) ASSERT_EQ(untold.erase(id), 1u);
    ASSERT_EQ(untold.count(run.first + run.count), 0u) << "the run goes on";
  }
}

// Verifies MUST-T11 and MUST-T12: an id is new once, and never again.
TEST(PeerIds, each_id_is_new_once) {
  Lent<PeerIds> ids(64);
  EXPECT_EQ(ids.classify(0), PeerIds::Class::kBelow);
  EXPECT_EQ(ids.classify(64), PeerIds::Class::kNew);
  EXPECT_EQ(ids.classify(65), PeerIds::Class::kTooFar);
  ids.commit(5);
  EXPECT_EQ(ids.classify(5), PeerIds::Class::kSeen);
  EXPECT_EQ(ids.classify(4), PeerIds::Class::kNew) << "ids arrive in any order";
  EXPECT_EQ(ids.highest(), 5u);
}

// Verifies MUST-T13: seen ids are forgotten by the floor alone, and the floor never falls.
TEST(PeerIds, only_the_floor_forgets) {
  Lent<PeerIds> ids(64);
  for (const uint64_t id : {2, 5, 9}) ids.commit(id);
  std::vector<uint64_t> released;
  EXPECT_TRUE(ids.raise_floor(6, [&](uint64_t id) { released.push_back(id); }));
  EXPECT_EQ(released, (std::vector<uint64_t>{2, 5}));
  EXPECT_EQ(ids.classify(5), PeerIds::Class::kBelow);
  EXPECT_EQ(ids.classify(9), PeerIds::Class::kSeen);
  EXPECT_TRUE(ids.raise_floor(3, [&](uint64_t id) { released.push_back(id); }));
  EXPECT_EQ(ids.floor(), 6u);
  EXPECT_EQ(released.size(), 2u);
  ids.reset();
  EXPECT_EQ(ids.floor(), 1u);
  EXPECT_EQ(ids.classify(9), PeerIds::Class::kNew);
}

// Verifies MUST-T13. Each id is looked at for a release once, however often the peer repeats it.
TEST(PeerIds, releases_mark_their_ids_and_tell_each_once) {
  base::Prng prng(5);
  Lent<PeerIds> ids(128);
  std::set<uint64_t> seen, released;
  uint64_t floor = 1;
  for (int i = 0; i < 20000; ++i) {
    const uint64_t first = floor + prng.uniform(140) - std::min<uint64_t>(floor, prng.uniform(9));
    if (prng.uniform(3) == 0 && ids.classify(first) == PeerIds::Class::kNew) {
      ids.commit(first);
      seen.insert(first);
      continue;
    }
    const auto count = static_cast<uint32_t>(prng.uniform(200));
    std::set<uint64_t> expected, told;
    for (uint64_t id = std::max(first, floor); id < first + count && id < floor + 128; ++id) {
      if (seen.count(id) != 0 && released.count(id) == 0) expected.insert(id);
      seen.insert(id);
      released.insert(id);
    }
    ids.release(first, count, [&](uint64_t id) { ASSERT_TRUE(told.insert(id).second); });
    ASSERT_EQ(told, expected);
    for (uint64_t id = floor; id < floor + 128; ++id) {
      ASSERT_EQ(ids.classify(id) == PeerIds::Class::kSeen, seen.count(id) != 0) << id;
    }
    if (prng.uniform(10) != 0) continue;
    floor += prng.uniform(prng.uniform(20) == 0 ? 300 : 20);
    ids.raise_floor(floor, [&](uint64_t id) { ASSERT_EQ(seen.count(id), 1u); });
  }
  ids.release(UINT64_MAX - 5, 100, [](uint64_t) { FAIL(); });
  ids.release(0, 1, [](uint64_t) { FAIL(); });
}

// A caller whose calls all ended in a long silence comes back with a floor far beyond.
TEST(PeerIds, a_floor_may_leap_over_the_whole_window) {
  Lent<PeerIds> ids(64);
  for (const uint64_t id : {2, 50, 64}) ids.commit(id);
  std::vector<uint64_t> released;
  EXPECT_TRUE(ids.raise_floor(1000, [&](uint64_t id) { released.push_back(id); }));
  EXPECT_EQ(released, (std::vector<uint64_t>{2, 50, 64}));
  EXPECT_EQ(ids.floor(), 1000u);
  EXPECT_EQ(ids.highest(), 999u);
  for (uint64_t id = 1000; id < 1064; ++id) {
    EXPECT_EQ(ids.classify(id), PeerIds::Class::kNew) << id;
  }
  EXPECT_EQ(ids.classify(1064), PeerIds::Class::kTooFar);
}

// Verifies MUST-T13: a floor beyond any id that can be is refused.
TEST(PeerIds, an_impossible_floor_is_refused) {
  Lent<PeerIds> ids(64);
  ids.commit(2);
  EXPECT_FALSE(ids.raise_floor(PeerIds::kMaxId + 1, [](uint64_t) { FAIL(); }));
  EXPECT_FALSE(ids.raise_floor(UINT64_MAX, [](uint64_t) { FAIL(); }));
  EXPECT_EQ(ids.floor(), 1u);
  EXPECT_TRUE(ids.raise_floor(PeerIds::kMaxId, [](uint64_t) {}));
  EXPECT_EQ(ids.classify(PeerIds::kMaxId), PeerIds::Class::kNew);
}

TEST(PeerIds, agrees_with_an_unbounded_memory) {
  base::Prng prng(11);
  Lent<PeerIds> ids(64);
  std::set<uint64_t> seen;
  uint64_t floor = 1;
  for (int i = 0; i < 50000; ++i) {
    const uint64_t id = floor + prng.uniform(80) - std::min<uint64_t>(floor, prng.uniform(10));
    const PeerIds::Class got = ids.classify(id);
    if (id < floor) {
      ASSERT_EQ(got, PeerIds::Class::kBelow);
    } else if (id >= floor + 64) {
      ASSERT_EQ(got, PeerIds::Class::kTooFar);
    } else {
      ASSERT_EQ(got, seen.count(id) != 0 ? PeerIds::Class::kSeen : PeerIds::Class::kNew);
      if (got == PeerIds::Class::kNew) {
        ids.commit(id);
        seen.insert(id);
      }
    }
    if (prng.uniform(20) == 0) {
      floor += prng.uniform(prng.uniform(30) == 0 ? 200 : 5);
      ASSERT_TRUE(ids.raise_floor(floor, [&](uint64_t gone) { ASSERT_EQ(seen.count(gone), 1u); }));
    }
  }
}

TEST(OwnIds, at_rest_leave_no_bit_behind) {
  Lent<OwnIds> ids(64);
  for (uint64_t id = 1; id <= 40; ++id) ids.take();
  for (uint64_t id = 40; id > 1; --id) {
    ids.release(id);
    ids.next_untold(1);
    EXPECT_FALSE(ids.at_rest());
  }
  ids.release(1);
  EXPECT_TRUE(ids.at_rest());
  EXPECT_EQ(ids.words, std::vector<uint64_t>(2));
}

TEST(PeerIds, at_rest_leave_no_bit_behind) {
  Lent<PeerIds> ids(64);
  for (uint64_t id = 1; id <= 20; ++id) ids.commit(id);
  ids.release(5, 30, [](uint64_t) {});
  EXPECT_FALSE(ids.at_rest());
  ids.raise_floor(34, [](uint64_t) {});
  EXPECT_FALSE(ids.at_rest()) << "the release of 34 was heard of";
  ids.raise_floor(35, [](uint64_t) {});
  EXPECT_TRUE(ids.at_rest());
  EXPECT_EQ(ids.words, std::vector<uint64_t>(2));
  ids.raise_floor(1000, [](uint64_t) {});
  EXPECT_TRUE(ids.at_rest());
}

}  // namespace
}  // namespace sluice::transport
