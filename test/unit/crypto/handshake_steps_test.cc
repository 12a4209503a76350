// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake_steps.h"

#include <gtest/gtest.h>

#include "handshake_support.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::sample_parameters;

HandshakeResult own() {
  HandshakeResult result;
  result.local = sample_parameters(0x20002, 2);
  return result;
}

TEST(HandshakeSteps, outcomes_say_what_they_are) {
  EXPECT_EQ(ignored(IgnoreCause::kMalformed).step, HandshakeStep::kIgnored);
  EXPECT_EQ(ignored(IgnoreCause::kMalformed).cause, IgnoreCause::kMalformed);
  const HandshakeOutcome no = refused(RefuseReason::kBusy, "why");
  EXPECT_EQ(no.step, HandshakeStep::kRefused);
  EXPECT_EQ(no.reason, RefuseReason::kBusy);
  EXPECT_EQ(no.detail, "why");
  const HandshakeOutcome yes =
      answer(HandshakeStep::kNeedMore, HandshakeType::kServerHello, {1, 2});
  ASSERT_EQ(yes.send.size(), 1u);
  EXPECT_EQ(yes.send[0].bytes, (std::vector<uint8_t>{1, 2}));
}

// Verifies MUST-H13
TEST(HandshakeSteps, parameters_are_accepted_or_the_reason_is_told) {
  const SessionParameters peer = sample_parameters(0x10001, 1);
  HandshakeResult result = own();
  EXPECT_EQ(accept_parameters(encode_parameters(peer, nullptr), false, &result),
            RefuseReason::kNone);
  EXPECT_EQ(result.peer, peer);
  EXPECT_EQ(result.agreement.aead, AeadAlgorithm::kAes128Gcm);

  const SessionParameters self = sample_parameters(0x10001, 2);
  EXPECT_EQ(accept_parameters(encode_parameters(self, nullptr), false, &result),
            RefuseReason::kSelf);
  EXPECT_EQ(accept_parameters(encode_parameters(self, nullptr), true, &result),
            RefuseReason::kNone);

  SessionParameters other = peer;
  other.aeads = {AeadAlgorithm::kChaCha20Poly1305};
  HandshakeResult untouched = own();
  EXPECT_EQ(accept_parameters(encode_parameters(other, nullptr), false, &untouched),
            RefuseReason::kAead);
  EXPECT_EQ(untouched.peer, SessionParameters()) << "a refusal leaves nothing behind";
  // Who answers has chosen; who asks has not.
  EXPECT_EQ(accept_parameters(encode_parameters(peer, &result.agreement), false, &untouched),
            RefuseReason::kMalformed);
  EXPECT_EQ(accept_parameters({}, false, &untouched), RefuseReason::kMalformed);
}

TEST(HandshakeSteps, reset_tokens_follow_from_the_secret_and_the_id) {
  std::array<uint8_t, kSha256Size> key{};
  const auto token = [&](uint32_t id) {
    return derive_reset_token(test::primitives(), key, base::SessionId(id));
  };
  const ResetToken first = token(1);
  EXPECT_EQ(first, token(1));
  EXPECT_NE(first, token(2));
  key[31] = 1;
  EXPECT_NE(first, token(1));
}

// Verifies MUST-H16
TEST(HandshakeSteps, reset_tokens_are_told_in_the_name_of_an_address) {
  const auto told = [](const ResetToken& token, const char* from) {
    return told_reset_token(test::primitives(), token, *wire::parse_ip_address(from));
  };
  ResetToken token;
  token.fill(0x11);
  const ResetToken first = told(token, "10.0.0.1");
  EXPECT_EQ(first, told(token, "10.0.0.1"));
  EXPECT_NE(first, told(token, "10.0.0.2"));
  EXPECT_NE(first, told(token, "fd00::1"));
  EXPECT_NE(first, token);
  token[0] ^= 1;
  EXPECT_NE(first, told(token, "10.0.0.1"));
}

}  // namespace
}  // namespace sluice::crypto
