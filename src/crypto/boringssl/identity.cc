// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/identity.h"

#include <openssl/bytestring.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

#include "crypto/boringssl/connection.h"
#include "crypto/boringssl/issue.h"
#include "crypto/boringssl/x509_support.h"
#include "crypto/dns_name.h"

namespace sluice::crypto {
namespace {

std::string text_of(ByteView view) { return {reinterpret_cast<const char*>(view.data), view.size}; }

IdentityError problem(IdentityProblem what, size_t index = 0,
                      RefuseReason reason = RefuseReason::kNone) {
  return {what, reason, index};
}

bool is_anchor(X509* certificate) {
  return X509_check_ca(certificate) == 1 &&
         X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

IdentityError read_trust(const IdentityInput& input, std::vector<TrustAnchor>* out) {
  for (size_t i = 0; i < input.trust_count; ++i) {
    const std::string text = text_of(input.trust[i].suffix);
    const std::string suffix = normalize_dns_name(text);
    if (suffix.empty() && !text.empty()) return problem(IdentityProblem::kTrustSuffix, i);
    const auto certificates = read_pem_certificates(input.trust[i].pem);
    if (certificates.empty()) return problem(IdentityProblem::kTrustUnreadable, i);
    for (const auto& each : certificates) {
      if (!is_anchor(each.get())) return problem(IdentityProblem::kTrustNoIssuer, i);
      if (out->size() >= kMaxTrustAnchors) return problem(IdentityProblem::kTooMany, i);
      out->push_back({certificate_der(each.get()), suffix});
    }
  }
  if (out->empty()) return problem(IdentityProblem::kTrustUnreadable);
  return {};
}

IdentityError read_allowed(const IdentityInput& input, std::vector<std::string>* out) {
  if (input.allowed_count > kMaxAllowedNames) return problem(IdentityProblem::kTooMany);
  for (size_t i = 0; i < input.allowed_count; ++i) {
    out->push_back(normalize_dns_name(text_of(input.allowed[i])));
    if (out->back().empty()) return problem(IdentityProblem::kAllowedName, i);
  }
  return {};
}

// Over the key's standard form, so that it is the same after every start.
bool derive_secret(const EVP_PKEY* key, std::array<uint8_t, kTlsSecretSize>* out) {
  static_assert(kTlsSecretSize == SHA256_DIGEST_LENGTH);
  static constexpr char kPurpose[] = "sluice tls identity 1";
  bssl::ScopedCBB bytes;
  uint8_t* der = nullptr;
  size_t size = 0;
  if (!CBB_init(bytes.get(), 128) || !EVP_marshal_private_key(bytes.get(), key) ||
      !CBB_finish(bytes.get(), &der, &size)) {
    return false;
  }
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, kPurpose, sizeof(kPurpose));
  SHA256_Update(&context, der, size);
  SHA256_Final(out->data(), &context);
  OPENSSL_cleanse(&context, sizeof(context));
  OPENSSL_cleanse(der, size);
  OPENSSL_free(der);
  return true;
}

IdentityError read_own(const IdentityInput& input, TlsIdentity* out) {
  const auto chain = read_pem_certificates(input.certificate_pem);
  if (chain.empty()) return problem(IdentityProblem::kCertificateUnreadable);
  X509* own = chain.front().get();
  out->key = read_pem_key(input.key_pem);
  if (!out->key) return problem(IdentityProblem::kKeyUnreadable);
  if (!key_allowed(out->key.get())) return problem(IdentityProblem::kKeyType);
  if (X509_check_private_key(own, out->key.get()) != 1) {
    return problem(IdentityProblem::kKeyMismatch);
  }
  // Names that no peer would accept are better found here than by every peer.
  std::vector<std::string> names;
  const RefuseReason reason = check_names(own, &names).reason;
  if (reason != RefuseReason::kNone) {
    return problem(IdentityProblem::kCertificateNames, 0, reason);
  }
  if (chain.size() > 1 + kMaxCertificateIssuers + 1) return problem(IdentityProblem::kTooMany);
  out->context = make_tls_context(chain, out->key.get());
  if (!out->context || !derive_secret(out->key.get(), &out->secret)) {
    return problem(IdentityProblem::kLibrary);
  }
  out->certificate = bssl::UpRef(chain.front());
  return {};
}

}  // namespace

TlsIdentity* read_identity(const IdentityInput* input, IdentityError* error) {
  const ErrorsOf errors;
  auto identity = std::make_unique<TlsIdentity>();
  *error = read_own(*input, identity.get());
  if (error->problem != IdentityProblem::kNone) return nullptr;
  *error = read_trust(*input, &identity->anchors);
  if (error->problem != IdentityProblem::kNone) return nullptr;
  *error = read_allowed(*input, &identity->allowed);
  if (error->problem != IdentityProblem::kNone) return nullptr;
  return identity.release();
}

void identity_facts(const TlsIdentity* identity, CertificateFacts* out) {
  std::vector<std::string> names;
  read_facts(identity->certificate.get(), out, &names);
}

void identity_secret(const TlsIdentity* identity, uint8_t out[kTlsSecretSize]) {
  std::copy(identity->secret.begin(), identity->secret.end(), out);
}

}  // namespace sluice::crypto
