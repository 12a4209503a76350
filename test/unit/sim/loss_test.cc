// SPDX-License-Identifier: Apache-2.0
#include "sim/loss.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

struct Counted {
  int lost = 0;
  int corrupt = 0;
  int bursts = 0;  // Losses after a packet that was not lost.
};

Counted pass(LossProcess* process, int packets) {
  Counted counted;
  bool was_lost = false;
  for (int i = 0; i < packets; ++i) {
    const WireFate fate = process->next();
    const bool lost = fate == WireFate::kLost;
    counted.lost += lost ? 1 : 0;
    counted.bursts += lost && !was_lost ? 1 : 0;
    counted.corrupt += fate == WireFate::kCorrupt ? 1 : 0;
    was_lost = lost;
  }
  return counted;
}

TEST(Loss, none_is_inactive) {
  LossProcess process(1, 0);
  EXPECT_FALSE(process.is_active());
  EXPECT_EQ(pass(&process, 1'000).lost, 0);
  process.set_model({.corrupt = 1});
  EXPECT_TRUE(process.is_active());
}

TEST(Loss, bernoulli_loses_its_share_singly) {
  LossProcess process(1, 0);
  process.set_model({.loss = chance(0.01)});
  const Counted counted = pass(&process, 500'000);
  EXPECT_NEAR(counted.lost, 5'000, 250);
  // Of independent losses one in a hundred follows another.
  EXPECT_NEAR(counted.lost - counted.bursts, 50, 25);
  EXPECT_EQ(counted.corrupt, 0);
}

// Gilbert: bad times last 10 packets on average and begin after one packet in 1000, so that a share
// of 10 / 1010 is bad; of those half are lost.
TEST(Loss, gilbert_loses_in_bursts) {
  LossProcess process(2, 0);
  process.set_model(
      {.loss_bad = chance(0.5), .enter_bad = chance(0.001), .leave_bad = chance(0.1)});
  const Counted counted = pass(&process, 2'000'000);
  EXPECT_NEAR(counted.lost, 2'000'000 * (10.0 / 1010) * 0.5, 500);
  // A loss is followed by another with a probability of 0.9 * 0.5.
  EXPECT_NEAR(static_cast<double>(counted.bursts) / counted.lost, 0.55, 0.03);
}

TEST(Loss, corruption_strikes_what_is_not_lost) {
  LossProcess process(3, 0);
  process.set_model({.loss = chance(0.5), .corrupt = chance(0.1)});
  const Counted counted = pass(&process, 100'000);
  EXPECT_NEAR(counted.lost, 50'000, 700);
  EXPECT_NEAR(counted.corrupt, 5'000, 300);
}

TEST(Loss, another_model_begins_in_the_good_state) {
  LossProcess process(4, 0);
  process.set_model({.loss_bad = UINT32_MAX, .enter_bad = UINT32_MAX});
  EXPECT_NE(process.next(), WireFate::kLost);
  EXPECT_EQ(process.next(), WireFate::kLost);
  process.set_model({.loss_bad = UINT32_MAX, .enter_bad = UINT32_MAX});
  EXPECT_NE(process.next(), WireFate::kLost);
}

TEST(Loss, a_link_is_lossy_by_seed_and_entity) {
  const LossModel model{.loss = chance(0.5)};
  LossProcess a(1, 0);
  LossProcess again(1, 0);
  LossProcess other(1, 1);
  a.set_model(model);
  again.set_model(model);
  other.set_model(model);
  int differences = 0;
  for (int i = 0; i < 200; ++i) {
    const WireFate fate = a.next();
    EXPECT_EQ(fate, again.next());
    differences += fate != other.next() ? 1 : 0;
  }
  EXPECT_GT(differences, 50);
}

}  // namespace
}  // namespace sluice::sim
