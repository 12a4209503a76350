// SPDX-License-Identifier: Apache-2.0
//
// TLS 1.3 and certificates as the module offers them: plain functions over opaque handles, and no
// header of BoringSSL. All of it allocates, and is for control threads; an object is used by one
// thread at a time, different ones by several. Nothing here does I/O or reads a clock; the
// randomness is the TLS library's own.
#ifndef SLUICE_CRYPTO_BORINGSSL_TLS_FUNCTIONS_H_
#define SLUICE_CRYPTO_BORINGSSL_TLS_FUNCTIONS_H_

#include <cstddef>
#include <cstdint>

#include "crypto/handshake.h"
#include "crypto/primitives.h"

namespace sluice::crypto {

inline constexpr size_t kMaxCertificateIssuers = 3;  // Between a certificate and its anchor.
inline constexpr size_t kMaxTrustAnchors = 64;
inline constexpr size_t kMaxAllowedNames = 4096;
inline constexpr size_t kTlsSecretSize = 32;
inline constexpr size_t kMaxNameText = 256;  // With a zero at the end.
inline constexpr size_t kMaxDetailText = 768;

// Takes bytes out of the module, in order; may be called several times for one result.
struct ByteSink {
  void (*put)(void* context, ByteView bytes);
  void* context;
};

enum class KeyKind : uint8_t { kEcdsaP256 = 0, kEd25519 = 1, kOther = 255 };

// As people call it.
inline const char* key_kind_name(KeyKind kind) {
  if (kind == KeyKind::kEcdsaP256) return "ECDSA P-256";
  return kind == KeyKind::kEd25519 ? "Ed25519" : "of another type";
}

// --- Identities ----------------------------------------------------------------------------------

// A certificate with its chain, its private key, and who is trusted. Used for any number of
// connections in both roles, and outlives them.
struct TlsIdentity;

// Certificates that are trusted to vouch for names at and below `suffix` (empty: for any).
struct TrustInput {
  ByteView pem;
  ByteView suffix;
};

struct IdentityInput {
  ByteView certificate_pem;  // The own one first, then its issuers.
  ByteView key_pem;
  const TrustInput* trust;
  size_t trust_count;
  const ByteView* allowed;  // Names that clients may have; none: any that an anchor vouches for.
  size_t allowed_count;
};

enum class IdentityProblem : uint8_t {
  kNone = 0,
  kCertificateUnreadable,
  kCertificateNames,  // Names that no peer would accept: `reason` says why.
  kKeyUnreadable,
  kKeyType,
  kKeyMismatch,  // The key is not the certificate's.
  kTrustUnreadable,
  kTrustNoIssuer,  // An anchor that is no self-signed CA certificate.
  kTrustSuffix,
  kAllowedName,
  kTooMany,
  kLibrary,
};

struct IdentityError {
  IdentityProblem problem;
  RefuseReason reason;
  size_t index;  // Of the trust input or the allowed name in question.
};

// What is known of a certificate, for reports. Texts end with a zero.
struct CertificateFacts {
  char name[kMaxNameText];  // The first DNS name, or the common name of a CA.
  char issuer[kMaxNameText];
  char subject[kMaxNameText];
  uint64_t not_before_ns;  // Since 1970, UTC.
  uint64_t not_after_ns;
  KeyKind key;
  bool is_ca;
  uint8_t fingerprint[kSha256Size];  // SHA-256 of the DER form.
};

// --- Connections ---------------------------------------------------------------------------------

struct TlsConnection;

// The values are on the wire (PROTOCOL.md section 7.6).
enum class TlsLevel : uint8_t { kInitial = 0, kEarly = 1, kHandshake = 2, kApplication = 3 };

// What a connection says while it is being driven. Pointers are valid for the call only.
struct TlsCallbacks {
  void* context;
  // Handshake bytes for the peer, to be carried at this level.
  void (*write)(void* context, TlsLevel level, ByteView bytes);
  // The traffic secret of a level, in the direction named.
  void (*secret)(void* context, TlsLevel level, bool from_client, ByteView secret);
  // A server has the client's parameters. Writes its own into the sink, or refuses.
  RefuseReason (*answer)(void* context, ByteView peer_parameters, ByteSink own_parameters);
};

struct TlsClientInput {
  ByteView parameters;  // Sent in the QUIC transport parameters extension.
  ByteView peer_name;   // Normalised; empty: any name that an anchor vouches for.
  uint64_t wall_ns;
  bool resume;  // By a ticket, where one is held.
  bool early;   // Early data is to be offered, where the ticket allows it.
};

enum class TlsStep : uint8_t {
  kMore,     // Waits for the peer.
  kEarly,    // The same. A server has accepted early data: the client is known by its ticket, and
             // export_secret() and peer() say what they will say at the end.
  kDone,     // Both sides are authenticated, as far as this one can know.
  kRefused,  // refusal() says why. The connection is over.
};

// What became of early data (RFC 8446 section 2.3).
enum class TlsEarly : uint8_t {
  kNone,      // Not offered, or refused.
  kOffered,   // As client: its secret was told, and the server has not answered yet.
  kAccepted,  // By the server, whichever side this is.
};

struct TlsRefusal {
  RefuseReason reason;
  char detail[kMaxDetailText];
};

struct TlsPeer {
  char name[kMaxNameText];  // Verified.
  uint64_t expires_ns;      // The first end of validity in its chain.
  bool resumed;             // By a ticket of an earlier handshake.
  // Who answers for it, the anchor first and the peer last: a line each. No name holds a line's
  // end.
  char chain[kMaxDetailText];
  uint8_t key_id[kSha256Size];  // SHA-256 of its public key (SubjectPublicKeyInfo).
};

// --- Issuing -------------------------------------------------------------------------------------

struct IssueInput {
  ByteView ca_certificate_pem;  // Both empty: self-signed.
  ByteView ca_key_pem;
  ByteView key_pem;  // The subject's; empty: a new one of `key_kind`.
  KeyKind key_kind;
  bool ca;  // A CA's own certificate, with `path_length` further CAs allowed below.
  uint8_t path_length;
  ByteView common_name;
  const ByteView* names;  // DNS names; of a CA, the only suffixes that it may issue for.
  size_t name_count;
  uint64_t not_before_ns;
  uint64_t not_after_ns;
};

struct TlsFunctions {
  uint32_t size;           // sizeof(TlsFunctions).
  const char* key_groups;  // Static string for the start-up report: "X25519, P-256".
  bool hybrid;  // Whether the library has ML-KEM hybrid key exchange, which is then used.

  // Null with `error` set. Copies what it needs.
  TlsIdentity* (*identity_new)(const IdentityInput* input, IdentityError* error);
  void (*identity_free)(TlsIdentity* identity);
  void (*identity_facts)(const TlsIdentity* identity, CertificateFacts* out);
  // 32 bytes that follow from the private key alone.
  void (*identity_secret)(const TlsIdentity* identity, uint8_t out[kTlsSecretSize]);

  // Null when memory is short. Says its first bytes by `write` during the call.
  TlsConnection* (*connect)(TlsIdentity* identity, const TlsClientInput* input,
                            const TlsCallbacks* callbacks);
  // `early_context`: early data is taken with tickets only that were given under the same bytes;
  // empty: with none. Whether a ticket was used before is for the caller to know.
  TlsConnection* (*accept)(TlsIdentity* identity, ByteView early_context,
                           const TlsCallbacks* callbacks);
  void (*connection_free)(TlsConnection* connection);
  // Handshake bytes of the peer, as the peer's `write` gave them; after kDone a client's tickets,
  // kept with the identity and used by the next connect() to the same name.
  TlsStep (*provide)(TlsConnection* connection, TlsLevel level, ByteView bytes, uint64_t wall_ns);
  void (*refusal)(const TlsConnection* connection, TlsRefusal* out);
  TlsEarly (*early)(const TlsConnection* connection);
  // As server, with the client's hello: the ticket that it offered first. Borrowed from the
  // connection; empty without one.
  ByteView (*ticket)(const TlsConnection* connection);
  // After kDone, or as server kEarly. The exporter of RFC 8446 section 7.5; `label` ends with a
  // zero.
  bool (*export_secret)(TlsConnection* connection, const char* label, ByteView context,
                        uint8_t out[kTlsSecretSize]);
  // Borrowed from the connection; empty before the peer sent them.
  ByteView (*peer_parameters)(const TlsConnection* connection);
  void (*peer)(const TlsConnection* connection, TlsPeer* out);
  // Calls `visit` for each certificate that the peer showed (DER), its own first.
  void (*peer_certificates)(const TlsConnection* connection,
                            void (*visit)(void* context, ByteView der), void* context);
  // As client, after kDone: whether a ticket came that is too long for a hello.
  bool (*ticket_refused)(const TlsConnection* connection);
  // What the identity makes of such certificates today, without a handshake. `of_server`: who
  // showed them was one; `name`: what it had to prove, or empty.
  RefuseReason (*judge)(const TlsIdentity* identity, const ByteView* chain, size_t count,
                        bool of_server, ByteView name, uint64_t wall_ns);

  // False when the input does not go together. Writes PEM texts.
  bool (*issue)(const IssueInput* input, ByteSink certificate_pem, ByteSink key_pem);
  // Calls `visit` for each certificate of a PEM text with its facts and its DNS names (of a CA: the
  // suffixes that it is constrained to), joined by commas; returns how many, 0 when unreadable.
  size_t (*inspect)(ByteView pem,
                    void (*visit)(void* context, const CertificateFacts* facts, ByteView names),
                    void* context);
};

// The table of the module; static, never null.
const TlsFunctions* boringssl_tls_functions();

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_BORINGSSL_TLS_FUNCTIONS_H_
