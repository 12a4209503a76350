// SPDX-License-Identifier: Apache-2.0
#include "engine/mechanism.h"

#include <time.h>

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/utc.h"
#include "crypto/boringssl/module.h"
#include "crypto/psk_handshake.h"
#include "crypto/tls_handshake.h"

namespace sluice::engine {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

// One sentence that names the file at fault and says what to change.
std::string explain(const TlsConfig& tls, const crypto::IdentityError& error) {
  const std::string& certificate = tls.certificate.file;
  const std::string& key = tls.key_file;
  const std::string trust =
      error.index < tls.trust.size() ? tls.trust[error.index].text.file : std::string("trust");
  switch (error.problem) {
    case crypto::IdentityProblem::kCertificateUnreadable:
      return absl::StrCat(certificate,
                          " holds no readable certificate: give a PEM file with the "
                          "own certificate first, then its issuers");
    case crypto::IdentityProblem::kCertificateNames:
      return absl::StrCat(certificate, " would be refused by every peer (",
                          crypto::refuse_reason_text(error.reason), "): issue it anew");
    case crypto::IdentityProblem::kKeyUnreadable:
      return absl::StrCat(key,
                          " holds no readable private key: give a PEM file without a pass "
                          "phrase");
    case crypto::IdentityProblem::kKeyType:
      return absl::StrCat(key,
                          " holds a key that is neither ECDSA P-256 nor Ed25519: issue the "
                          "certificate anew with one of these");
    case crypto::IdentityProblem::kKeyMismatch:
      return absl::StrCat(key, " is not the private key of ", certificate,
                          ": give the two that belong together");
    case crypto::IdentityProblem::kTrustUnreadable:
      return tls.trust.empty()
                 ? std::string(
                       "no trust anchor is given: name the CA certificates that peers are "
                       "issued by")
                 : absl::StrCat(trust,
                                " holds no readable certificate: give a PEM file with the CA "
                                "certificates to trust");
    case crypto::IdentityProblem::kTrustNoIssuer:
      return absl::StrCat(trust,
                          " holds a certificate that is no self-signed CA's: only such are "
                          "trust anchors");
    case crypto::IdentityProblem::kTrustSuffix:
      return absl::StrCat("'", tls.trust[error.index].suffix,
                          "' is no DNS name that trust could be limited to: write dc.example");
    case crypto::IdentityProblem::kAllowedName:
      return absl::StrCat("'", tls.allowed[error.index],
                          "' is no DNS name of a peer: write a.dc.example, without wildcards");
    case crypto::IdentityProblem::kTooMany:
      return absl::StrCat("too many certificates: a chain has at most ",
                          crypto::kMaxCertificateIssuers,
                          " issuers beside its anchor, and at most ", crypto::kMaxTrustAnchors,
                          " anchors and ", crypto::kMaxAllowedNames, " names are taken");
    case crypto::IdentityProblem::kLibrary:
    case crypto::IdentityProblem::kNone:
      break;
  }
  return absl::StrCat("the TLS library does not take ", certificate, " and ", key);
}

crypto::TlsIdentity* read_identity(const crypto::TlsFunctions& functions, const TlsConfig& tls,
                                   crypto::IdentityError* error) {
  std::vector<crypto::TrustInput> trust;
  for (const TrustConfig& each : tls.trust) {
    trust.push_back({crypto::view_of(each.text.bytes), crypto::view_of(each.suffix)});
  }
  std::vector<crypto::ByteView> allowed;
  for (const std::string& name : tls.allowed) allowed.push_back(crypto::view_of(name));
  const crypto::IdentityInput input = {.certificate_pem = crypto::view_of(tls.certificate.bytes),
                                       .key_pem = crypto::view_of(tls.key.view()),
                                       .trust = trust.data(),
                                       .trust_count = trust.size(),
                                       .allowed = allowed.data(),
                                       .allowed_count = allowed.size()};
  return functions.identity_new(&input, error);
}

std::string trust_text(const TlsConfig& tls) {
  std::string out;
  for (const TrustConfig& each : tls.trust) {
    absl::StrAppend(&out, out.empty() ? "trusts " : ", ", each.text.file);
    if (!each.suffix.empty()) absl::StrAppend(&out, " for ", each.suffix);
  }
  return out;
}

absl::StatusOr<NodeMechanism> make_tls(const NodeConfig& config, const CryptoLibrary& library) {
  absl::StatusOr<NodeIdentity> identity = make_identity(*config.tls, library);
  if (!identity.ok()) return identity.status();
  const crypto::TlsFunctions& functions = *library.module->tls;
  NodeMechanism out;
  out.report.push_back(
      {"identity", identity->text,
       absl::StrCat("issued by ", identity->issuer, "; ", trust_text(*config.tls))});
  out.report.push_back({"key exchange", functions.key_groups,
                        functions.hybrid ? "resists quantum computers where both sides have it"
                                         : "this TLS library has no ML-KEM hybrid"});
  auto mechanism = std::make_unique<crypto::TlsMechanism>(
      library.module, std::move(identity->owner), system_wall_clock(), false, system_random());
  out.tls = mechanism.get();
  out.mechanism = std::move(mechanism);
  return out;
}

uint64_t now_of_kernel(void* /*context*/) {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

crypto::WallClock system_wall_clock() { return {.now = now_of_kernel, .context = nullptr}; }

absl::StatusOr<NodeIdentity> make_identity(const TlsConfig& tls, const CryptoLibrary& library) {
  const crypto::TlsFunctions& functions = *library.module->tls;
  crypto::IdentityError error{};
  crypto::TlsIdentityOwner owner(&functions, read_identity(functions, tls, &error));
  if (owner.get() == nullptr) return absl::InvalidArgumentError(explain(tls, error));
  crypto::CertificateFacts facts;
  functions.identity_facts(owner.get(), &facts);
  if (facts.not_after_ns <= system_wall_clock()()) {
    return absl::InvalidArgumentError(
        absl::StrCat(tls.certificate.file, " has expired (", facts.name, ", until ",
                     base::utc_text(facts.not_after_ns), "): renew it"));
  }
  return NodeIdentity{std::move(owner),
                      absl::StrCat(facts.name, ", ", crypto::key_kind_name(facts.key), ", until ",
                                   base::utc_text(facts.not_after_ns)),
                      facts.issuer};
}

absl::Status check_credentials(const NodeConfig& config) {
  if (config.tls.has_value() && !config.psks.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.name,
                     ": a pre-shared key and a certificate exclude each other: give "
                     "one of them"));
  }
  if (!config.tls.has_value() && config.psks.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(config.name,
                     ": a pre-shared key or a certificate is needed: give a file with "
                     "--psk-file, or --cert, --key and --trust"));
  }
  return absl::OkStatus();
}

absl::StatusOr<NodeMechanism> make_mechanism(const NodeConfig& config,
                                             const CryptoLibrary& library) {
  if (auto status = check_credentials(config); !status.ok()) return status;
  if (config.tls.has_value()) return make_tls(config, library);
  NodeMechanism out;
  out.mechanism = std::make_unique<crypto::PskMechanism>(config.psks, library.primitives,
                                                         system_random(), false);
  return out;
}

}  // namespace sluice::engine
