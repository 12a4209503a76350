// SPDX-License-Identifier: Apache-2.0
#include "engine/security_port.h"

#if __has_include(<rte_security_driver.h>)
#include <rte_cryptodev.h>
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
  EXPECT_EQ(
      security->open_context(crypto::AeadAlgorithm::kChaCha20Poly1305, key_bytes, kInlineIv, 0),
      nullptr);
  void* const context =
      security->open_context(crypto::AeadAlgorithm::kAes256Gcm, key_bytes, kInlineIv, 0);
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
  const auto port = SecurityPort::open(&instance, SealedForm::kTlsRecord, 1, -1, {});
  ASSERT_FALSE(port.ok());
  EXPECT_EQ(port.status().message(), "the device seals no TLS records, but IPsec, MACsec");
}

// Of IPsec only inline crypto, transport mode, egress: each of them alone makes another thing.
TEST_F(SecurityPortTest, a_device_without_esp_is_refused_by_what_it_has) {
  static std::array<rte_security_capability, 2> capabilities{};
  capabilities[1].action = RTE_SECURITY_ACTION_TYPE_NONE;
  rte_security_ops operations{};
  operations.capabilities_get = [](void*) -> const rte_security_capability* {
    return capabilities.data();
  };
  rte_security_ctx instance{};
  instance.ops = &operations;
  const auto wanted = [] {
    rte_security_capability out{};
    out.action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
    out.protocol = RTE_SECURITY_PROTOCOL_IPSEC;
    out.ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
    out.ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT;
    out.ipsec.direction = RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
    return out;
  };
  const auto refused = [&](void (*change)(rte_security_capability*)) {
    capabilities[0] = wanted();
    change(&capabilities[0]);
    const auto port = SecurityPort::open(&instance, SealedForm::kEsp, 1, -1, {});
    EXPECT_FALSE(port.ok());
    EXPECT_EQ(port.status().message().rfind("the device seals no ESP, but ", 0), 0u);
    return !port.ok();
  };
  EXPECT_TRUE(refused([](auto* c) { c->action = RTE_SECURITY_ACTION_TYPE_INLINE_PROTOCOL; }));
  EXPECT_TRUE(refused([](auto* c) { c->ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_AH; }));
  EXPECT_TRUE(refused([](auto* c) { c->ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL; }));
  EXPECT_TRUE(refused([](auto* c) { c->ipsec.direction = RTE_SECURITY_IPSEC_SA_DIR_INGRESS; }));
  EXPECT_TRUE(refused([](auto* c) { c->protocol = RTE_SECURITY_PROTOCOL_MACSEC; }));
  EXPECT_TRUE(refused([](auto*) {})) << "it names no cipher";
}

// What a device has in its transmit ring when a lane ends is still sealed by that lane's key.
TEST_F(SecurityPortTest, a_context_outlives_what_it_is_to_seal) {
  static int open = 0;
  static rte_cryptodev_capabilities ciphers[2];
  ciphers[0].op = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
  ciphers[0].sym.xform_type = RTE_CRYPTO_SYM_XFORM_AEAD;
  ciphers[0].sym.aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
  ciphers[0].sym.aead.key_size = {.min = 16, .max = 16, .increment = 0};
  ciphers[0].sym.aead.digest_size = {.min = 16, .max = 16, .increment = 0};
  ciphers[1].op = RTE_CRYPTO_OP_TYPE_UNDEFINED;
  static rte_security_capability capabilities[2];
  capabilities[0].action = RTE_SECURITY_ACTION_TYPE_INLINE_CRYPTO;
  capabilities[0].protocol = RTE_SECURITY_PROTOCOL_IPSEC;
  capabilities[0].ipsec.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
  capabilities[0].ipsec.mode = RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT;
  capabilities[0].ipsec.direction = RTE_SECURITY_IPSEC_SA_DIR_EGRESS;
  capabilities[0].crypto_capabilities = ciphers;
  capabilities[1].action = RTE_SECURITY_ACTION_TYPE_NONE;
  rte_security_ops operations{};
  operations.capabilities_get = [](void*) -> const rte_security_capability* {
    return capabilities;
  };
  operations.session_get_size = [](void*) -> unsigned { return 64; };
  operations.session_create = [](void*, rte_security_session_conf*, rte_security_session*) {
    ++open;
    return 0;
  };
  operations.session_destroy = [](void*, rte_security_session*) {
    --open;
    return 0;
  };
  rte_security_ctx instance{};
  instance.ops = &operations;
  for (const bool drains : {true, false}) {
    const auto drain = std::chrono::hours(drains ? 1 : 0);
    auto port = SecurityPort::open(&instance, SealedForm::kEsp, 4, -1, drain);
    ASSERT_TRUE(port.ok()) << port.status();
    void* const context =
        (*port)->open_context(crypto::AeadAlgorithm::kAes128Gcm, kInlineKey, kInlineIv, 512);
    ASSERT_NE(context, nullptr);
    EXPECT_EQ(open, 1);
    rte_mbuf* const frame = rte_pktmbuf_alloc(pool);
    EXPECT_TRUE((*port)->mark(context, frame, nullptr)) << "it knows the context by the SPI";
    EXPECT_NE(frame->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD, 0u);
    rte_pktmbuf_free(frame);
    (*port)->close_context(context);
    EXPECT_EQ(open, drains ? 1 : 0);
    port->reset();
    EXPECT_EQ(open, 0);
  }
}
#endif

}  // namespace
}  // namespace sluice::engine
