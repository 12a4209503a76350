// SPDX-License-Identifier: Apache-2.0
//
// One side's credentials, read and checked once, and the TLS library's context made of them.
#ifndef SLUICE_CRYPTO_BORINGSSL_IDENTITY_H_
#define SLUICE_CRYPTO_BORINGSSL_IDENTITY_H_

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "crypto/boringssl/certificate.h"
#include "crypto/boringssl/tls_functions.h"

namespace sluice::crypto {

struct TlsIdentity {
  bssl::UniquePtr<X509> certificate;
  bssl::UniquePtr<EVP_PKEY> key;
  bssl::UniquePtr<SSL_CTX> context;
  std::vector<TrustAnchor> anchors;
  std::vector<std::string> allowed;
};

// See TlsFunctions::identity_new. `context` is still empty: connection.h fills it.
TlsIdentity* read_identity(const IdentityInput* input, IdentityError* error);
void identity_facts(const TlsIdentity* identity, CertificateFacts* out);
void identity_secret(const TlsIdentity* identity, uint8_t out[kTlsSecretSize]);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_IDENTITY_H_
