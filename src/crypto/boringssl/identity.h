// SPDX-License-Identifier: Apache-2.0
//
// One side's credentials, read and checked once, and the TLS library's context made of them.
#ifndef SLUICE_CRYPTO_BORINGSSL_IDENTITY_H_
#define SLUICE_CRYPTO_BORINGSSL_IDENTITY_H_

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "crypto/boringssl/certificate.h"
#include "crypto/boringssl/judged_chains.h"
#include "crypto/boringssl/tls_functions.h"
#include "crypto/wipe.h"

namespace sluice::crypto {

// Tickets that servers gave, by the name that they proved, the oldest first. Each is used once (RFC
// 8446 section C.4), the latest before the others. A server gives two, so that there is one left
// when a session begins before the one before it has got its own.
inline constexpr size_t kMaxTickets = 1024;  // Servers,
inline constexpr size_t kMaxTicketsOfName = 4;
inline constexpr size_t kTicketsGiven = 2;
// A ticket holds the certificates of both sides, some 400 bytes each. A longer one would not fit a
// hello's fragments with all that may stand beside it.
inline constexpr size_t kMaxTicketBytes = 4096;

struct TlsIdentity {
  ~TlsIdentity() { wipe(secret.data(), secret.size()); }

  bssl::UniquePtr<X509> certificate;
  bssl::UniquePtr<EVP_PKEY> key;
  std::array<uint8_t, kTlsSecretSize> secret{};  // Follows from the key alone.
  bssl::UniquePtr<SSL_CTX> context;
  std::vector<TrustAnchor> anchors;
  std::vector<std::string> allowed;
  JudgedChains judged;
  std::map<std::string, std::deque<bssl::UniquePtr<SSL_SESSION>>> tickets;
};

// See TlsFunctions::identity_new. `context` is still empty: connection.h fills it.
TlsIdentity* read_identity(const IdentityInput* input, IdentityError* error);
void identity_facts(const TlsIdentity* identity, CertificateFacts* out);
void identity_secret(const TlsIdentity* identity, uint8_t out[kTlsSecretSize]);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_IDENTITY_H_
