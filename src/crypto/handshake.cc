// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake.h"

namespace sluice::crypto {
namespace {

const char* certificate_reason_text(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kNoCertificate:
      return "no certificate was presented";
    case RefuseReason::kCertificateGarbage:
      return "the certificate presented cannot be read";
    case RefuseReason::kCertificateKeyType:
      return "the certificate presented has a key or signature that is neither ECDSA P-256 nor "
             "Ed25519";
    case RefuseReason::kCertificateSanType:
      return "the certificate presented names something else than DNS names (a URI, an IP address)";
    case RefuseReason::kCertificateWildcard:
      return "the certificate presented has a wildcard in a name";
    case RefuseReason::kCertificateNoDnsName:
      return "the certificate presented has no DNS name in its subject alternative names (the "
             "common name does not count)";
    case RefuseReason::kCertificateChainLength:
      return "the certificate presented has too long a chain of issuers";
    case RefuseReason::kCertificateAnchor:
      return "the certificate presented is issued by none of the trust anchors";
    case RefuseReason::kCertificateNameSpace:
      return "the certificate presented is for a name outside what its trust anchor is trusted for";
    case RefuseReason::kCertificateIssuer:
      return "the certificate presented is issued by a certificate that may not issue";
    case RefuseReason::kCertificateConstraints:
      return "the certificate presented is for a name that its issuer may not issue for";
    case RefuseReason::kCertificateExpired:
      return "the certificate presented has expired";
    case RefuseReason::kCertificateNotYetValid:
      return "the certificate presented is not valid yet";
    case RefuseReason::kCertificateUsage:
      return "the certificate presented is not for this side of a connection";
    case RefuseReason::kCertificateName:
      return "the certificate presented is for another name";
    default:
      return "no known reason was given";
  }
}

}  // namespace

const char* refuse_reason_text(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kNone:
      break;
    case RefuseReason::kKey:
      return "the two sides do not hold the same pre-shared key";
    case RefuseReason::kVersion:
      return "no protocol version in common";
    case RefuseReason::kAead:
      return "no AEAD algorithm in common";
    case RefuseReason::kBusy:
      return "the server has reached a limit of sessions or handshakes";
    case RefuseReason::kMalformed:
      return "the hello was malformed";
    case RefuseReason::kNotAccepting:
      return "the endpoint accepts no sessions";
    case RefuseReason::kSelf:
      return "the endpoint was asked to connect to itself";
    case RefuseReason::kParameters:
      return "the session parameters do not go together";
    case RefuseReason::kMechanism:
      return "the server requires another handshake mechanism: certificates or a pre-shared key, "
             "the same on both sides";
    case RefuseReason::kTls:
      return "the TLS handshake failed";
    case RefuseReason::kPolicy:
      return "the policy does not let this name connect";
    case RefuseReason::kAudit:
      return "the audit log cannot be written, and without it no session begins";
    default:
      return certificate_reason_text(reason);
  }
  return "no known reason was given";
}

}  // namespace sluice::crypto
