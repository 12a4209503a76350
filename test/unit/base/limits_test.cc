// SPDX-License-Identifier: Apache-2.0
#include "base/limits.h"

#include <gtest/gtest.h>

#include <bit>

namespace sluice::base {
namespace {

TEST(Limits, sizes_fit_together) {
  EXPECT_LT(limits::kMinPathMtu, limits::kMaxPathMtu);
  EXPECT_LT(limits::kMaxBundledMessageBytes, limits::kMinPathMtu);
  EXPECT_LT(limits::kMaxBundleClearBytes, limits::kMinPathMtu);
  EXPECT_LE(limits::kMaxHandshakeBytes, limits::kMaxHandshakeFragments * limits::kMinPathMtu);
  EXPECT_GE(limits::kDefaultLandingBytes, limits::kDefaultUnscheduledBytes);
  EXPECT_TRUE(std::has_single_bit(limits::kDefaultLandingBytes));
  EXPECT_TRUE(std::has_single_bit(limits::kReplayWindowBits));
  EXPECT_LT(limits::kMaxLanesPerSession, 255u);
}

TEST(Limits, times_are_ordered) {
  EXPECT_LT(limits::kMinRetransmitTimeout, limits::kMaxRetransmitTimeout);
  EXPECT_LT(limits::kMaxRetransmitTimeout, limits::kDefaultPeerTimeout);
  EXPECT_LE(limits::kDefaultHandshakeTimeout, limits::kCookieLifetime);
}

}  // namespace
}  // namespace sluice::base
