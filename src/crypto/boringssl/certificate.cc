// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/certificate.h"

#include <openssl/mem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "crypto/boringssl/x509_support.h"
#include "crypto/dns_name.h"

namespace sluice::crypto {
namespace {

using Certificates = std::vector<bssl::UniquePtr<X509>>;

CertificateVerdict refused(RefuseReason reason, std::string detail = {}) {
  CertificateVerdict out;
  out.reason = reason;
  out.detail = std::move(detail);
  return out;
}

// Strangers choose these texts, and they go to logs.
std::string printable(std::string text) {
  constexpr size_t kShown = 80;
  if (text.size() > kShown) text.resize(kShown);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  std::string out;
  for (size_t i = 0; i < names.size() && i < kShown; ++i) {
    if (i > 0) out += ", ";
    out += printable(names[i]);
  }
  if (names.size() > kShown) out += ", ...";
  return out;
}

CertificateVerdict check_usage(X509* leaf, bool of_server) {
  const uint32_t flags = X509_get_extension_flags(leaf);
  if ((flags & EXFLAG_INVALID) != 0) return refused(RefuseReason::kCertificateGarbage);
  if ((flags & EXFLAG_CA) != 0) {
    return refused(RefuseReason::kCertificateUsage, "it is a CA's own");
  }
  if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) {
    return refused(RefuseReason::kCertificateUsage, "its key may not sign");
  }
  const uint32_t wanted = of_server ? XKU_SSL_SERVER : XKU_SSL_CLIENT;
  if ((flags & EXFLAG_XKUSAGE) != 0 &&
      (X509_get_extended_key_usage(leaf) & (wanted | XKU_ANYEKU)) == 0) {
    return refused(RefuseReason::kCertificateUsage,
                   of_server ? "not for servers" : "not for clients");
  }
  return {};
}

CertificateVerdict parse(std::span<const ByteView> chain, Certificates* out) {
  if (chain.empty()) return refused(RefuseReason::kNoCertificate);
  // The anchor itself may have been sent along.
  if (chain.size() > 1 + kMaxCertificateIssuers + 1) {
    return refused(RefuseReason::kCertificateChainLength);
  }
  for (const ByteView der : chain) {
    out->push_back(parse_certificate(der));
    if (out->back() == nullptr) return refused(RefuseReason::kCertificateGarbage);
  }
  for (const auto& each : *out) {
    const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(each.get()));
    if (!key_allowed(key.get()) || !signature_allowed(each.get())) {
      return refused(RefuseReason::kCertificateKeyType);
    }
  }
  return {};
}

// The reason for what the library found wrong with a path.
RefuseReason reason_of(int error) {
  switch (error) {
    case X509_V_OK:
      return RefuseReason::kNone;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return RefuseReason::kCertificateExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return RefuseReason::kCertificateNotYetValid;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return RefuseReason::kCertificateIssuer;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return RefuseReason::kCertificateChainLength;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
    case X509_V_ERR_NAME_CONSTRAINTS_WITHOUT_SANS:
      return RefuseReason::kCertificateConstraints;
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
    case X509_V_ERR_INVALID_EXTENSION:
    case X509_V_ERR_INVALID_POLICY_EXTENSION:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
      return RefuseReason::kCertificateGarbage;
    case X509_V_ERR_INVALID_PURPOSE:
      return RefuseReason::kCertificateUsage;
    default:
      return RefuseReason::kCertificateAnchor;
  }
}

// The validity of each certificate of a path, to the nanosecond where they state it.
CertificateVerdict check_times(const STACK_OF(X509) * path, uint64_t now_ns) {
  CertificateVerdict out;
  for (size_t i = 0; i < sk_X509_num(path); ++i) {
    Validity validity;
    if (!read_validity(sk_X509_value(path, i), &validity)) {
      return refused(RefuseReason::kCertificateGarbage, "its validity");
    }
    const std::string whose = i == 0 ? "" : "an issuer's";
    if (now_ns < validity.not_before_ns) {
      return refused(RefuseReason::kCertificateNotYetValid, whose);
    }
    if (now_ns >= validity.not_after_ns) return refused(RefuseReason::kCertificateExpired, whose);
    out.valid_from_ns = std::max(out.valid_from_ns, validity.not_before_ns);
    out.expires_ns = std::min(out.expires_ns, validity.not_after_ns);
  }
  return out;
}

// Of people: a CA need not have a name, and who answers for a peer has to be called something.
std::string issuer_text(const X509* certificate) {
  const std::string name = printable(common_name(certificate));
  return name.empty() ? "a CA without a name" : name;
}

std::vector<std::string> issuers_of(const STACK_OF(X509) * path) {
  std::vector<std::string> out;
  for (size_t i = sk_X509_num(path); i > 1; --i) {
    out.push_back(issuer_text(sk_X509_value(path, i - 1)));
  }
  return out;
}

std::array<uint8_t, kSha256Size> key_id_of(X509* certificate) {
  std::array<uint8_t, kSha256Size> out{};
  uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size > 0) SHA256(der, static_cast<size_t>(size), out.data());
  OPENSSL_free(der);
  return out;
}

// How many issuers may stand below each. The library does not hold a self-signed one to it.
bool lengths_kept(const STACK_OF(X509) * path) {
  for (size_t i = 1; i < sk_X509_num(path); ++i) {
    const long allowed = X509_get_pathlen(sk_X509_value(path, i));
    if (allowed >= 0 && i - 1 > static_cast<size_t>(allowed)) return false;
  }
  return sk_X509_num(path) <= 1 + kMaxCertificateIssuers + 1;
}

// The path from the first certificate to one of the anchors, by RFC 5280.
CertificateVerdict check_path(const Certificates& chain,
                              std::span<const TrustAnchor* const> anchors, uint64_t now_ns) {
  const bssl::UniquePtr<X509_STORE> store(X509_STORE_new());
  const bssl::UniquePtr<STACK_OF(X509)> issuers(sk_X509_new_null());
  const bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!store || !issuers || !context) return refused(RefuseReason::kTls, "out of memory");
  for (const TrustAnchor* anchor : anchors) {
    const auto certificate = parse_certificate({anchor->der.data(), anchor->der.size()});
    if (certificate) X509_STORE_add_cert(store.get(), certificate.get());
  }
  for (size_t i = 1; i < chain.size(); ++i) {
    if (!bssl::PushToStack(issuers.get(), bssl::UpRef(chain[i]))) {
      return refused(RefuseReason::kTls, "out of memory");
    }
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), issuers.get()) != 1) {
    return refused(RefuseReason::kTls, "out of memory");
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(now_ns / kNanosPerSecond));
  X509_VERIFY_PARAM_set_depth(parameters, 2 * static_cast<int>(kMaxCertificateIssuers) + 2);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_TRUSTED_FIRST);
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    const std::string whose =
        X509_STORE_CTX_get_error_depth(context.get()) > 0 &&
                (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
            ? "an issuer's"
            : "";
    return refused(error == X509_V_OK ? RefuseReason::kTls : reason_of(error), whose);
  }
  const STACK_OF(X509)* path = X509_STORE_CTX_get0_chain(context.get());
  if (!lengths_kept(path)) {
    return refused(RefuseReason::kCertificateChainLength);
  }
  CertificateVerdict verdict = check_times(path, now_ns);
  if (verdict.reason != RefuseReason::kNone) return verdict;
  verdict.chain = issuers_of(path);
  verdict.key_id = key_id_of(chain.front().get());
  return verdict;
}

// By the anchors that are trusted for all of the names. Where only others would do, that is said.
CertificateVerdict check_trust(const Certificates& chain, std::span<const TrustAnchor> anchors,
                               const std::vector<std::string>& names, uint64_t now_ns) {
  std::vector<const TrustAnchor*> all;
  std::vector<const TrustAnchor*> trusted;
  for (const TrustAnchor& anchor : anchors) {
    all.push_back(&anchor);
    const bool covers = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      return dns_name_below(name, anchor.suffix);
    });
    if (covers) trusted.push_back(&anchor);
  }
  CertificateVerdict verdict = check_path(chain, trusted, now_ns);
  if (verdict.reason != RefuseReason::kCertificateAnchor) return verdict;
  const X509* last = chain.back().get();
  if (trusted.size() < all.size() &&
      check_path(chain, all, now_ns).reason != RefuseReason::kCertificateAnchor) {
    return refused(RefuseReason::kCertificateNameSpace, joined(names));
  }
  const std::string issuer = issuer_common_name(last);
  return refused(RefuseReason::kCertificateAnchor,
                 issuer.empty() ? "" : "issuer: " + printable(issuer));
}

CertificateVerdict choose_name(CertificateVerdict verdict, const std::vector<std::string>& names,
                               const CertificateExpectation& expected) {
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (!expected.name.empty()) {
    if (!has(names, expected.name)) {
      return refused(RefuseReason::kCertificateName, joined(names) + ", not " + expected.name);
    }
    verdict.name = expected.name;
    return verdict;
  }
  verdict.name = names.front();
  if (expected.allowed.empty()) return verdict;
  const auto allowed = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return has(expected.allowed, name);
  });
  if (allowed == names.end()) {
    return refused(RefuseReason::kCertificateName,
                   joined(names) + " is not among the allowed names");
  }
  verdict.name = *allowed;
  return verdict;
}

}  // namespace

CertificateVerdict check_names(const X509* leaf, std::vector<std::string>* names) {
  const SubjectNames found = read_names(leaf);
  if (!found.readable) return refused(RefuseReason::kCertificateGarbage, "its names");
  if (found.other_types) return refused(RefuseReason::kCertificateSanType, joined(found.raw));
  if (found.raw.empty()) return refused(RefuseReason::kCertificateNoDnsName);
  for (const std::string& raw : found.raw) {
    if (raw.find('*') != std::string::npos) {
      return refused(RefuseReason::kCertificateWildcard, printable(raw));
    }
    names->push_back(normalize_dns_name(raw));
    if (names->back().empty()) return refused(RefuseReason::kCertificateGarbage, "its names");
  }
  return {};
}

CertificateVerdict verify_certificates(std::span<const ByteView> chain,
                                       std::span<const TrustAnchor> anchors,
                                       const CertificateExpectation& expected, uint64_t now_ns) {
  const ErrorsOf errors;
  Certificates certificates;
  std::vector<std::string> names;
  CertificateVerdict verdict = parse(chain, &certificates);
  if (verdict.reason != RefuseReason::kNone) return verdict;
  verdict = check_names(certificates.front().get(), &names);
  if (verdict.reason != RefuseReason::kNone) return verdict;
  verdict = check_usage(certificates.front().get(), expected.of_server);
  if (verdict.reason != RefuseReason::kNone) return verdict;
  for (size_t i = 1; i < certificates.size(); ++i) {
    // Said here, since the path is not even looked for through a certificate that may not sign.
    if (X509_check_ca(certificates[i].get()) != 1) {
      return refused(RefuseReason::kCertificateIssuer,
                     printable(common_name(certificates[i].get())));
    }
  }
  verdict = check_trust(certificates, anchors, names, now_ns);
  if (verdict.reason != RefuseReason::kNone) return verdict;
  verdict = choose_name(std::move(verdict), names, expected);
  if (verdict.reason == RefuseReason::kNone) verdict.chain.push_back(verdict.name);
  return verdict;
}

}  // namespace sluice::crypto
