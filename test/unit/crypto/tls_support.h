// SPDX-License-Identifier: Apache-2.0
//
// Two sides with certificates of one CA, as the handshake's tests need them.
#ifndef SLUICE_TEST_UNIT_CRYPTO_TLS_SUPPORT_H_
#define SLUICE_TEST_UNIT_CRYPTO_TLS_SUPPORT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/boringssl/module.h"
#include "crypto/tls_handshake.h"
#include "handshake_support.h"

// The module under test; programs that load it at run time say how before they include this.
#ifndef SLUICE_TEST_TLS_MODULE
#define SLUICE_TEST_TLS_MODULE sluice_boringssl_v1()
#endif

namespace sluice::crypto::test {

inline constexpr uint64_t kTlsSecond = 1'000'000'000;
inline constexpr uint64_t kTlsToday = 1'800'000'000 * kTlsSecond;

// The time of day, as the test sets it.
struct SetClock {
  uint64_t now = kTlsToday;
  WallClock clock() {
    return {[](void* context) { return static_cast<SetClock*>(context)->now; }, this};
  }
};

struct PemPair {
  std::string certificate;
  std::string key;
};

inline ByteView text_view(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline ByteSink sink_of(std::string* text) {
  return {[](void* context, ByteView bytes) {
            static_cast<std::string*>(context)->append(reinterpret_cast<const char*>(bytes.data),
                                                       bytes.size);
          },
          text};
}

// A CA without `issuer`, else a certificate of the names.
inline PemPair issue_pair(const PemPair* issuer, const std::vector<std::string>& names,
                          uint64_t not_after = kTlsToday + 3600 * kTlsSecond,
                          uint64_t not_before = kTlsToday - 3600 * kTlsSecond,
                          KeyKind kind = KeyKind::kEcdsaP256) {
  std::vector<ByteView> views;
  for (const std::string& name : names) views.push_back(text_view(name));
  const std::string common = names.empty() ? "test CA" : names.front();
  IssueInput input{};
  if (issuer != nullptr) {
    input.ca_certificate_pem = text_view(issuer->certificate);
    input.ca_key_pem = text_view(issuer->key);
  }
  input.key_kind = kind;
  input.ca = issuer == nullptr;
  input.common_name = text_view(common);
  input.names = views.data();
  input.name_count = views.size();
  input.not_before_ns = not_before;
  input.not_after_ns = not_after;
  PemPair out;
  SLUICE_TEST_TLS_MODULE->tls->issue(&input, sink_of(&out.certificate), sink_of(&out.key));
  return out;
}

struct TrustText {
  std::string pem;
  std::string suffix;
};

inline TlsIdentity* read_pair(const PemPair& own, const std::vector<TrustText>& trust,
                              const std::vector<std::string>& allowed, IdentityError* error) {
  std::vector<TrustInput> anchors;
  for (const TrustText& each : trust) {
    anchors.push_back({text_view(each.pem), text_view(each.suffix)});
  }
  std::vector<ByteView> names;
  for (const std::string& name : allowed) names.push_back(text_view(name));
  const IdentityInput input = {.certificate_pem = text_view(own.certificate),
                               .key_pem = text_view(own.key),
                               .trust = anchors.data(),
                               .trust_count = anchors.size(),
                               .allowed = names.data(),
                               .allowed_count = names.size()};
  return SLUICE_TEST_TLS_MODULE->tls->identity_new(&input, error);
}

inline std::unique_ptr<TlsMechanism> make_tls(const PemPair& own,
                                              const std::vector<TrustText>& trust, SetClock* clock,
                                              const std::vector<std::string>& allowed = {}) {
  IdentityError error;
  TlsIdentityOwner identity(SLUICE_TEST_TLS_MODULE->tls, read_pair(own, trust, allowed, &error));
  if (identity.get() == nullptr) return nullptr;
  // Each mechanism draws other secrets, as each process does.
  static SeededRandom random(1);
  return std::make_unique<TlsMechanism>(SLUICE_TEST_TLS_MODULE, std::move(identity), clock->clock(),
                                        false, random.source());
}

}  // namespace sluice::crypto::test

#endif  // SLUICE_TEST_UNIT_CRYPTO_TLS_SUPPORT_H_
