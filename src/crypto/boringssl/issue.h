// SPDX-License-Identifier: Apache-2.0
//
// Makes keys and certificates: for the identity commands, and for tests. Only what this module
// also accepts; tests make the rest themselves from what build_certificate() returns.
#ifndef SLUICE_CRYPTO_BORINGSSL_ISSUE_H_
#define SLUICE_CRYPTO_BORINGSSL_ISSUE_H_

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "crypto/boringssl/tls_functions.h"
#include "crypto/boringssl/x509_support.h"

namespace sluice::crypto {

// A fresh private key; null for kOther.
bssl::UniquePtr<EVP_PKEY> make_key(KeyKind kind);

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> names;  // DNS names; of a CA, the suffixes it is constrained to.
  bool ca = false;
  uint8_t path_length = 0;  // Of a CA: CAs allowed below it.
  Validity validity;
};

// A certificate for `key` without a signature; null when memory is short. Its X.509 validity is
// widened to whole seconds, with the exact one in the extension of x509_support.h where it differs.
// `issuer` null: the subject itself. Extensions may be added before sign_certificate().
bssl::UniquePtr<X509> build_certificate(const CertificateRequest& request, EVP_PKEY* key,
                                        const X509* issuer);
bool sign_certificate(X509* certificate, EVP_PKEY* issuer_key);

// The function of the module's table.
bool issue_pem(const IssueInput* input, ByteSink certificate_pem, ByteSink key_pem);
size_t inspect_pem(ByteView pem,
                   void (*visit)(void* context, const CertificateFacts* facts, ByteView names),
                   void* context);

// The same for one certificate. Names: of a CA, its permitted suffixes.
void read_facts(const X509* certificate, CertificateFacts* out, std::vector<std::string>* names);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_ISSUE_H_
