// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace sluice::crypto {
namespace {

TEST(Handshake, every_refusal_has_a_text_of_its_own) {
  std::set<std::string> texts;
  size_t reasons = 0;
  for (int value = 0; value <= 30; ++value) {
    const auto reason = static_cast<RefuseReason>(value);
    if (value > 10 && !is_certificate_reason(reason)) continue;
    ++reasons;
    texts.insert(refuse_reason_text(reason));
  }
  EXPECT_EQ(reasons, 26u);
  EXPECT_EQ(texts.size(), reasons);
  EXPECT_STREQ(refuse_reason_text(static_cast<RefuseReason>(200)),
               refuse_reason_text(RefuseReason::kNone));
}

TEST(Handshake, every_known_type_has_one_sender) {
  for (int value = 0; value < 256; ++value) {
    const auto type = static_cast<HandshakeType>(value);
    EXPECT_FALSE(sent_by_client(type) && sent_by_server(type)) << value;
  }
  EXPECT_TRUE(sent_by_client(HandshakeType::kClientHello));
  EXPECT_TRUE(sent_by_client(HandshakeType::kClientFinished));
  EXPECT_TRUE(sent_by_client(static_cast<HandshakeType>(0x10)));
  EXPECT_TRUE(sent_by_server(HandshakeType::kHelloRetry));
  EXPECT_TRUE(sent_by_server(HandshakeType::kRefuse));
  EXPECT_TRUE(sent_by_server(static_cast<HandshakeType>(0x2f)));
  EXPECT_FALSE(sent_by_client(static_cast<HandshakeType>(0)));
  EXPECT_FALSE(sent_by_server(static_cast<HandshakeType>(7)));
}

}  // namespace
}  // namespace sluice::crypto
