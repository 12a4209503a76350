// SPDX-License-Identifier: Apache-2.0
//
// Certificates made by the tests themselves, good ones and bad ones.
#ifndef SLUICE_TEST_UNIT_CRYPTO_BORINGSSL_CERTIFICATES_H_
#define SLUICE_TEST_UNIT_CRYPTO_BORINGSSL_CERTIFICATES_H_

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/boringssl/certificate.h"
#include "crypto/boringssl/issue.h"
#include "crypto/boringssl/x509_support.h"

namespace sluice::crypto::test {

// Every test happens then, in nanoseconds since 1970.
inline constexpr uint64_t kToday = 1'800'000'000ull * kNanosPerSecond;
inline constexpr uint64_t kHour = 3600 * kNanosPerSecond;
inline constexpr Validity kThisDay = {kToday - 12 * kHour, kToday + 12 * kHour};

struct Holder {
  bssl::UniquePtr<EVP_PKEY> key;
  bssl::UniquePtr<X509> certificate;

  std::vector<uint8_t> der() const { return certificate_der(certificate.get()); }
};

using Touch = std::function<void(X509*)>;  // Changes a certificate before it is signed.

inline Holder make_holder(const CertificateRequest& request, const Holder* issuer,
                          KeyKind kind = KeyKind::kEcdsaP256, const Touch& touch = {}) {
  Holder out;
  out.key = make_key(kind);
  out.certificate = build_certificate(request, out.key.get(),
                                      issuer == nullptr ? nullptr : issuer->certificate.get());
  if (touch) touch(out.certificate.get());
  sign_certificate(out.certificate.get(), issuer == nullptr ? out.key.get() : issuer->key.get());
  return out;
}

inline Holder make_ca(const std::string& name, const Holder* issuer = nullptr,
                      std::vector<std::string> suffixes = {}, uint8_t path_length = 9,
                      Validity validity = kThisDay, KeyKind kind = KeyKind::kEcdsaP256) {
  return make_holder({.common_name = name,
                      .names = std::move(suffixes),
                      .ca = true,
                      .path_length = path_length,
                      .validity = validity},
                     issuer, kind);
}

inline Holder make_leaf(std::vector<std::string> names, const Holder& issuer,
                        Validity validity = kThisDay, KeyKind kind = KeyKind::kEcdsaP256,
                        const Touch& touch = {}) {
  return make_holder({.common_name = "leaf", .names = std::move(names), .validity = validity},
                     &issuer, kind, touch);
}

inline void remove_extension(X509* certificate, int nid) {
  const int at = X509_get_ext_by_NID(certificate, nid, -1);
  if (at >= 0) X509_EXTENSION_free(X509_delete_ext(certificate, at));
}

// In the library's configuration form: "DNS:a.example,URI:spiffe://example/a".
inline void set_extension(X509* certificate, int nid, const std::string& value) {
  remove_extension(certificate, nid);
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str()));
  X509_add_ext(certificate, extension.get(), -1);
}

inline std::string pem_of(const X509* certificate) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), const_cast<X509*>(certificate));
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  BIO_mem_contents(bio.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

inline std::string pem_of(EVP_PKEY* key) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  BIO_mem_contents(bio.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace sluice::crypto::test

#endif  // SLUICE_TEST_UNIT_CRYPTO_BORINGSSL_CERTIFICATES_H_
