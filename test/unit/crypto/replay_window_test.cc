// SPDX-License-Identifier: Apache-2.0
#include "crypto/replay_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/prng.h"
#include "wire/record_number.h"

namespace sluice::crypto {
namespace {

// The same rules over an unbounded set.
class Model {
 public:
  bool check(uint64_t counter) const {
    if (!used_.empty() && counter + ReplayWindow::kBits <= *used_.rbegin()) return false;
    return used_.count(counter) == 0;
  }
  void commit(uint64_t counter) { used_.insert(counter); }

 private:
  std::set<uint64_t> used_;
};

// Verifies MUST-C10
TEST(ReplayWindow, accepts_once_in_any_order) {
  ReplayWindow::Bits bits{};
  ReplayWindow window;
  window.attach(&bits);
  for (uint64_t n : {5, 3, 9, 0, 4}) {
    EXPECT_TRUE(window.check(n));
    EXPECT_TRUE(window.check(n)) << "check must not change anything";
    window.commit(n);
    EXPECT_FALSE(window.check(n));
  }
  EXPECT_EQ(window.next(), 10u);
  EXPECT_TRUE(window.check(8));
}

// Verifies MUST-C10
TEST(ReplayWindow, the_oldest_counter_still_told_apart_is_one_window_back) {
  ReplayWindow::Bits bits{};
  ReplayWindow window;
  window.attach(&bits);
  window.commit(ReplayWindow::kBits);
  EXPECT_FALSE(window.check(0));
  EXPECT_TRUE(window.check(1));
  window.commit(1);
  EXPECT_FALSE(window.check(1));
}

TEST(ReplayWindow, a_leap_forgets_the_old_bits) {
  ReplayWindow::Bits bits{};
  ReplayWindow window;
  window.attach(&bits);
  for (uint64_t n = 0; n < ReplayWindow::kBits; ++n) window.commit(n);
  window.commit(10 * ReplayWindow::kBits + 17);
  for (uint64_t n = 9 * ReplayWindow::kBits + 18; n < 10 * ReplayWindow::kBits + 17; ++n) {
    ASSERT_TRUE(window.check(n)) << n;
  }
  window.commit(wire::kMaxCounter);
  EXPECT_FALSE(window.check(wire::kMaxCounter));
  EXPECT_TRUE(window.check(wire::kMaxCounter - ReplayWindow::kBits + 1));
  EXPECT_FALSE(window.check(wire::kMaxCounter - ReplayWindow::kBits));
}

TEST(ReplayWindow, behaves_as_the_model_does) {
  base::Prng prng(42);
  for (uint64_t reach : {10, 100, 1000, 5000, 100000}) {
    ReplayWindow::Bits bits{};
    ReplayWindow window;
    window.attach(&bits);
    Model model;
    uint64_t centre = 0;
    for (int i = 0; i < 20000; ++i) {
      centre += prng.uniform(reach / 10 + 2);
      const uint64_t n = centre - std::min(centre, prng.uniform(reach)) + prng.uniform(reach);
      ASSERT_EQ(window.check(n), model.check(n)) << n << " reach " << reach;
      // Some packets pass the check and then fail their tag.
      if (window.check(n) && prng.uniform(4) != 0) {
        window.commit(n);
        model.commit(n);
      }
    }
  }
}

// Verifies MUST-C10 where a lane rested.
TEST(ReplayWindow, what_it_knew_before_a_rest_is_refused_after_it) {
  ReplayWindow::Bits bits{};
  ReplayWindow window;
  EXPECT_TRUE(window.check(0)) << "without bits too";
  window.attach(&bits);
  window.commit(7);
  EXPECT_TRUE(window.check(5));
  window.detach();
  EXPECT_FALSE(window.check(5)) << "may have come, for all that is known";
  EXPECT_FALSE(window.check(7));
  EXPECT_TRUE(window.check(8));
  ReplayWindow::Bits others;
  others.fill(UINT64_MAX);
  window.attach(&others);
  EXPECT_FALSE(window.check(5));
  EXPECT_TRUE(window.check(9));
  window.commit(12);
  EXPECT_TRUE(window.check(8)) << "what was in the bits before means nothing";
  EXPECT_TRUE(window.check(11));
  window.commit(8);
  EXPECT_FALSE(window.check(8));
  EXPECT_FALSE(window.check(12));
  EXPECT_FALSE(window.check(7));
}

}  // namespace
}  // namespace sluice::crypto
