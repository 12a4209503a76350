// SPDX-License-Identifier: Apache-2.0
//
// Certificates and keys as the rest of this module reads and writes them. Only for files that see
// BoringSSL's headers.
#ifndef SLUICE_CRYPTO_BORINGSSL_X509_SUPPORT_H_
#define SLUICE_CRYPTO_BORINGSSL_X509_SUPPORT_H_

#include <openssl/base.h>
#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crypto/boringssl/tls_functions.h"

namespace sluice::crypto {

inline constexpr uint64_t kNanosPerSecond = 1'000'000'000;

// X.509 counts whole seconds. An identity that lives for less carries this extension beside:
//   SEQUENCE { notBefore INTEGER, notAfter INTEGER }     nanoseconds since 1970, UTC
// under an OID of our own (2.25.3878381726078810208), not critical, within the validity that X.509
// states. Who knows the extension obeys it.
inline constexpr uint8_t kPreciseValidityOid[] = {0x69, 0xb5, 0xe9, 0xb1, 0xf4,
                                                  0x99, 0xf2, 0xac, 0xf0, 0x60};

// From not_before on and before not_after, in nanoseconds since 1970.
struct Validity {
  uint64_t not_before_ns = 0;
  uint64_t not_after_ns = 0;
};

// Null when it is no certificate, or more than one.
bssl::UniquePtr<X509> parse_certificate(ByteView der);
std::vector<uint8_t> certificate_der(const X509* certificate);

// False when the times, or the extension above, cannot be read.
bool read_validity(const X509* certificate, Validity* out);

// The names of the subject alternative name extension.
struct SubjectNames {
  bool readable = true;
  bool other_types = false;      // URIs, IP addresses...
  std::vector<std::string> raw;  // DNS names as they stand there.
};
SubjectNames read_names(const X509* certificate);

// The subject's common name, or ""; for people, never for decisions.
std::string common_name(const X509* certificate);
std::string issuer_common_name(const X509* certificate);

// Whether the key is ECDSA P-256 or Ed25519.
bool key_allowed(const EVP_PKEY* key);
KeyKind kind_of(const EVP_PKEY* key);
// Whether the certificate is signed by such a key, with SHA-256 or as Ed25519 has it.
bool signature_allowed(const X509* certificate);

// All certificates of a PEM text, in order; empty when there is none or one cannot be read.
std::vector<bssl::UniquePtr<X509>> read_pem_certificates(ByteView pem);
// The private key of a PEM text, not encrypted; null when there is none.
bssl::UniquePtr<EVP_PKEY> read_pem_key(ByteView pem);

// The library keeps errors per thread; what a call leaves must not confuse the next.
class ErrorsOf {
 public:
  ErrorsOf();
  ~ErrorsOf();
  ErrorsOf(const ErrorsOf&) = delete;
  ErrorsOf& operator=(const ErrorsOf&) = delete;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_X509_SUPPORT_H_
