// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cli/mode.h"

namespace sluice::cli {
namespace {

TEST(HandshakesMode, begins_a_hundred_sessions_with_64_bytes) {
  Options options;
  ASSERT_TRUE(kHandshakesMode.prepare(&options).ok());
  EXPECT_EQ(options.count, 100u);
  EXPECT_EQ(options.size, 64u);
  EXPECT_EQ(kHandshakesMode.longest(options), 64u);
}

TEST(HandshakesMode, a_key_leaves_no_tickets) {
  for (const HandshakeKind kind : {HandshakeKind::kResumed, HandshakeKind::kEarly}) {
    Options options;
    options.handshake = kind;
    const absl::Status status = kHandshakesMode.prepare(&options);
    EXPECT_NE(status.message().find("leaves no tickets"), std::string::npos);
  }
  Options options;
  options.handshake = HandshakeKind::kFull;
  EXPECT_TRUE(kHandshakesMode.prepare(&options).ok());
}

TEST(HandshakesMode, one_size_at_a_time) {
  Options options;
  options.workload = "W1";
  EXPECT_NE(kHandshakesMode.prepare(&options).message().find("--size"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
