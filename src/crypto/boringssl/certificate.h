// SPDX-License-Identifier: Apache-2.0
//
// Who a chain of certificates proves its holder to be. A pure function: the time is an argument,
// and nothing is kept.
#ifndef SLUICE_CRYPTO_BORINGSSL_CERTIFICATE_H_
#define SLUICE_CRYPTO_BORINGSSL_CERTIFICATE_H_

#include <openssl/base.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crypto/handshake.h"
#include "crypto/primitives.h"

namespace sluice::crypto {

// A self-signed CA certificate, trusted for names at and below `suffix` (normalised; empty: any).
struct TrustAnchor {
  std::vector<uint8_t> der;
  std::string suffix;
};

struct CertificateExpectation {
  bool of_server = false;            // The peer is the handshake's server.
  std::string name;                  // The one name that is accepted, normalised; empty: any.
  std::vector<std::string> allowed;  // Where not empty: one of these, normalised.
};

struct CertificateVerdict {
  RefuseReason reason = RefuseReason::kNone;  // kNone: accepted.
  std::string detail;                         // Of a refusal: the name or the time in question.
  std::string name;                           // Proved; normalised.
  // Accepted: common names from the anchor's to the last issuer's, and `name`.
  std::vector<std::string> chain;
  std::array<uint8_t, kSha256Size> key_id{};  // SHA-256 of the own SubjectPublicKeyInfo.
  // Of the chain, the anchor too: where the last validity begins, and the first ends.
  uint64_t valid_from_ns = 0;
  uint64_t expires_ns = kNeverExpires;
};

// `chain` holds DER, the peer's own certificate first, then issuers in any order; the anchor need
// not be among them. `now_ns` is wall-clock time since 1970. What is demanded, in the order in
// which the first breach is reported:
//   a certificate; of at most kMaxCertificateIssuers issuers and the anchor; readable X.509;
//   keys and signatures of ECDSA P-256 with SHA-256 or Ed25519 only; DNS names only, none with a
//   wildcard, one at least; a key that may sign, for this side of TLS, of no CA; issuers that are
//   CAs; an anchor that is trusted for each of the names (chosen before the path is built, so that
//   another's cannot vouch for them); the path of RFC 5280 with name constraints and lengths; the
//   validity of every certificate in it; the expected name.
// PROTOCOL MUST-I8
CertificateVerdict verify_certificates(std::span<const ByteView> chain,
                                       std::span<const TrustAnchor> anchors,
                                       const CertificateExpectation& expected, uint64_t now_ns);

// The part of it that a certificate alone answers: fills `names`, normalised, or says what is wrong
// with them.
CertificateVerdict check_names(const X509* leaf, std::vector<std::string>* names);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_CERTIFICATE_H_
