// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_control.h"

#include <gtest/gtest.h>

namespace sluice::sim {
namespace {

TEST(TcpControl, each_kind_is_made_and_says_whether_it_heeds_marks) {
  EXPECT_FALSE(make_tcp_control(TcpKind::kReno)->wants_marks());
  EXPECT_TRUE(make_tcp_control(TcpKind::kDctcp)->wants_marks());
}

TEST(TcpControl, a_kind_that_is_none_stops_the_process) {
  EXPECT_DEATH(make_tcp_control(TcpKind::kNone), "");
}

}  // namespace
}  // namespace sluice::sim
