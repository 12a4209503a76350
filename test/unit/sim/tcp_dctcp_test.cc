// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_dctcp.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

// A round trip of 16 segments, `marked` of them marked.
void round_trip(TcpDctcp* dctcp, int marked) {
  for (int i = 0; i < 16; ++i) dctcp->on_ack(1, i < marked);
  dctcp->on_round();
}

TEST(TcpDctcp, the_share_of_marks_is_learnt_slowly) {
  TcpDctcp dctcp;
  EXPECT_DOUBLE_EQ(dctcp.marked_share(), 1);
  round_trip(&dctcp, 0);
  EXPECT_DOUBLE_EQ(dctcp.marked_share(), 15.0 / 16);
  for (int i = 0; i < 200; ++i) round_trip(&dctcp, 4);
  EXPECT_NEAR(dctcp.marked_share(), 0.25, 1e-3);
}

TEST(TcpDctcp, a_window_shrinks_by_half_the_share) {
  TcpDctcp dctcp;
  for (int i = 0; i < 200; ++i) round_trip(&dctcp, 4);
  const double before = dctcp.window();
  for (int i = 0; i < 16; ++i) dctcp.on_ack(1, true);
  EXPECT_DOUBLE_EQ(dctcp.window(), before) << "once in a round trip";
  dctcp.on_round();
  EXPECT_NEAR(dctcp.window() / before, 1 - dctcp.marked_share() / 2, 1e-9);
}

TEST(TcpDctcp, without_marks_it_grows_as_reno_and_a_loss_halves) {
  TcpDctcp dctcp;
  round_trip(&dctcp, 0);
  EXPECT_DOUBLE_EQ(dctcp.window(), 26);
  dctcp.on_loss();
  EXPECT_DOUBLE_EQ(dctcp.window(), 13);
  dctcp.on_round();
  EXPECT_DOUBLE_EQ(dctcp.window(), 13) << "nothing was acknowledged since";
}

}  // namespace
}  // namespace sluice::sim
