// SPDX-License-Identifier: Apache-2.0
#include "engine/security_port.h"

#if __has_include(<rte_security_driver.h>)
#include <rte_security_driver.h>
#endif

#include "inline_test_util.h"

namespace sluice::engine {
namespace {

class SecurityPortTest : public InlineTest {};

TEST_F(SecurityPortTest, has_the_ciphers_that_the_device_advertises) {
  EXPECT_TRUE(security->supports(crypto::AeadAlgorithm::kAes128Gcm));
  EXPECT_TRUE(security->supports(crypto::AeadAlgorithm::kAes256Gcm));
  EXPECT_FALSE(security->supports(crypto::AeadAlgorithm::kChaCha20Poly1305));
  EXPECT_FALSE(security->supports(crypto::AeadAlgorithm::kNone));
  const std::array<uint8_t, 32> key_bytes{};
  EXPECT_EQ(security->open_context(crypto::AeadAlgorithm::kChaCha20Poly1305, key_bytes, kInlineIv),
            nullptr);
  void* const context =
      security->open_context(crypto::AeadAlgorithm::kAes256Gcm, key_bytes, kInlineIv);
  EXPECT_NE(context, nullptr);
  security->close_context(context);
}

TEST_F(SecurityPortTest, marks_frames_for_sealing) {
  void* const context = open_context();
  ASSERT_NE(context, nullptr);
  rte_mbuf* const whole = frame(1, 0);
  EXPECT_EQ(whole->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD, 0u);
  EXPECT_TRUE(security->mark(context, whole, nullptr));
  EXPECT_NE(whole->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD, 0u);
  rte_pktmbuf_free(whole);
  security->close_context(context);
}

TEST_F(SecurityPortTest, its_own_room_is_a_bound_as_well) {
  make_model(100);
  std::vector<void*> contexts;
  for (void* each = open_context(); each != nullptr; each = open_context()) {
    contexts.push_back(each);
    ASSERT_LE(contexts.size(), 100u);
  }
  EXPECT_GE(contexts.size(), 8u);
  EXPECT_LT(contexts.size(), 100u);
  for (void* each : contexts) security->close_context(each);
}

#if __has_include(<rte_security_driver.h>)
TEST_F(SecurityPortTest, a_device_without_tls_records_is_refused_by_what_it_has) {
  static const std::array<rte_security_capability, 3> capabilities = [] {
    std::array<rte_security_capability, 3> out{};
    out[0].action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
    out[0].protocol = RTE_SECURITY_PROTOCOL_IPSEC;
    out[1].action = RTE_SECURITY_ACTION_TYPE_INLINE_PROTOCOL;
    out[1].protocol = RTE_SECURITY_PROTOCOL_MACSEC;
    out[2].action = RTE_SECURITY_ACTION_TYPE_NONE;
    return out;
  }();
  rte_security_ops operations{};
  operations.capabilities_get = [](void*) { return capabilities.data(); };
  rte_security_ctx instance{};
  instance.ops = &operations;
  const auto port = SecurityPort::open(&instance, 1, -1);
  ASSERT_FALSE(port.ok());
  EXPECT_EQ(port.status().message(), "the device seals no TLS records, but IPsec, MACsec");
}
#endif

}  // namespace
}  // namespace sluice::engine
