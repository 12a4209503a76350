// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/connection.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "tls_support.h"

namespace sluice::crypto {
namespace {

using test::issue_pair;
using test::kTlsToday;
using test::PemPair;

// One side, driven without anything of Sluice around it.
struct Side {
  TlsCallbacks callbacks() {
    return {.context = this,
            .write =
                [](void* context, TlsLevel level, ByteView bytes) {
                  auto& out = static_cast<Side*>(context)->said[level];
                  out.insert(out.end(), bytes.data, bytes.data + bytes.size);
                },
            .secret =
                [](void* context, TlsLevel level, bool from_client, ByteView secret) {
                  static_cast<Side*>(context)->secrets[{level, from_client}].assign(
                      secret.data, secret.data + secret.size);
                },
            .answer =
                [](void* context, ByteView peer, ByteSink own) {
                  auto* self = static_cast<Side*>(context);
                  self->heard.assign(peer.data, peer.data + peer.size);
                  const uint8_t answer[] = {7, 7};
                  own.put(own.context, {answer, sizeof(answer)});
                  return self->refuse;
                }};
  }
  ~Side() {
    if (connection != nullptr) tls_free(connection);
  }
  TlsStep provide(TlsLevel level, const std::vector<uint8_t>& bytes) {
    return tls_provide(connection, level, {bytes.data(), bytes.size()}, kTlsToday);
  }

  TlsConnection* connection = nullptr;
  std::map<TlsLevel, std::vector<uint8_t>> said;
  std::map<std::pair<TlsLevel, bool>, std::vector<uint8_t>> secrets;
  std::vector<uint8_t> heard;
  RefuseReason refuse = RefuseReason::kNone;
};

struct Both {
  Both() {
    const PemPair ca = issue_pair(nullptr, {});
    IdentityError error;
    identity.reset(
        test::read_pair(issue_pair(&ca, {"a.example"}), {{ca.certificate, ""}}, {}, &error));
    const uint8_t parameters[] = {1, 2, 3};
    const TlsClientInput input = {.parameters = {parameters, sizeof(parameters)},
                                  .peer_name = test::text_view("a.example"),
                                  .wall_ns = kTlsToday,
                                  .resume = true,
                                  .early = false};
    TlsCallbacks callbacks = client.callbacks();
    client.connection = tls_connect(identity.get(), &input, &callbacks);
    callbacks = server.callbacks();
    server.connection = tls_accept(identity.get(), {nullptr, 0}, &callbacks);
  }

  std::unique_ptr<TlsIdentity> identity;
  Side client;
  Side server;
};

TEST(TlsConnection, a_handshake_and_what_it_yields) {
  Both both;
  ASSERT_EQ(both.server.provide(TlsLevel::kInitial, both.client.said[TlsLevel::kInitial]),
            TlsStep::kMore);
  EXPECT_EQ(both.server.heard, (std::vector<uint8_t>{1, 2, 3}));
  ASSERT_EQ(both.client.provide(TlsLevel::kInitial, both.server.said[TlsLevel::kInitial]),
            TlsStep::kMore);
  ASSERT_EQ(both.client.provide(TlsLevel::kHandshake, both.server.said[TlsLevel::kHandshake]),
            TlsStep::kDone);
  ASSERT_EQ(both.server.provide(TlsLevel::kHandshake, both.client.said[TlsLevel::kHandshake]),
            TlsStep::kDone);
  for (const bool from_client : {true, false}) {
    const auto key = std::pair{TlsLevel::kHandshake, from_client};
    EXPECT_FALSE(both.client.secrets[key].empty());
    EXPECT_EQ(both.client.secrets[key], both.server.secrets[key]);
  }
  uint8_t of_client[kTlsSecretSize];
  uint8_t of_server[kTlsSecretSize];
  uint8_t other[kTlsSecretSize];
  ASSERT_TRUE(tls_export(both.client.connection, "EXPORTER a", {nullptr, 0}, of_client));
  ASSERT_TRUE(tls_export(both.server.connection, "EXPORTER a", {nullptr, 0}, of_server));
  ASSERT_TRUE(tls_export(both.server.connection, "EXPORTER b", {nullptr, 0}, other));
  EXPECT_TRUE(std::equal(of_client, of_client + kTlsSecretSize, of_server));
  EXPECT_FALSE(std::equal(of_client, of_client + kTlsSecretSize, other));
  const ByteView parameters = tls_peer_parameters(both.client.connection);
  EXPECT_EQ(std::vector<uint8_t>(parameters.data, parameters.data + parameters.size),
            (std::vector<uint8_t>{7, 7}));
  TlsPeer peer;
  tls_peer(both.server.connection, &peer);
  EXPECT_STREQ(peer.name, "a.example");
}

TEST(TlsConnection, a_server_may_refuse_the_parameters) {
  Both both;
  both.server.refuse = RefuseReason::kVersion;
  ASSERT_EQ(both.server.provide(TlsLevel::kInitial, both.client.said[TlsLevel::kInitial]),
            TlsStep::kRefused);
  TlsRefusal refusal;
  tls_refusal(both.server.connection, &refusal);
  EXPECT_EQ(refusal.reason, RefuseReason::kVersion);
  EXPECT_TRUE(both.server.said[TlsLevel::kInitial].empty());
  // It stays over.
  EXPECT_EQ(both.server.provide(TlsLevel::kInitial, both.client.said[TlsLevel::kInitial]),
            TlsStep::kRefused);
}

TEST(TlsConnection, nothing_is_exported_before_the_end) {
  Both both;
  uint8_t secret[kTlsSecretSize];
  EXPECT_FALSE(tls_export(both.client.connection, "EXPORTER a", {nullptr, 0}, secret));
}

// A client without a certificate, which is no part of this library, shows an empty list.
TEST(TlsConnection, a_client_without_a_certificate_is_refused_by_name) {
  Both both;
  ASSERT_EQ(both.server.provide(TlsLevel::kInitial, both.client.said[TlsLevel::kInitial]),
            TlsStep::kMore);
  const std::vector<uint8_t> empty_certificate = {11, 0, 0, 4, 0, 0, 0, 0};
  ASSERT_EQ(both.server.provide(TlsLevel::kHandshake, empty_certificate), TlsStep::kRefused);
  TlsRefusal refusal;
  tls_refusal(both.server.connection, &refusal);
  EXPECT_EQ(refusal.reason, RefuseReason::kNoCertificate);
}

TEST(TlsConnection, garbage_is_refused_with_the_librarys_word) {
  Both both;
  ASSERT_EQ(both.server.provide(TlsLevel::kInitial, {1, 0, 0, 2, 0, 0}), TlsStep::kRefused);
  TlsRefusal refusal;
  tls_refusal(both.server.connection, &refusal);
  EXPECT_EQ(refusal.reason, RefuseReason::kTls);
  EXPECT_STRNE(refusal.detail, "");
}

TEST(TlsConnection, the_report_says_whether_key_exchange_is_hybrid) {
  EXPECT_EQ(std::string(tls_key_groups()).find("ML-KEM") != std::string::npos, tls_is_hybrid());
}

}  // namespace
}  // namespace sluice::crypto
