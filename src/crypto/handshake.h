// SPDX-License-Identifier: Apache-2.0
//
// A handshake as the connector sees it, whatever proves the identities: messages in, messages
// out, one shared secret and the peer's authenticated parameters at the end. No object here does
// I/O, keeps time or retransmits; the connector does. All of it runs on the control thread and
// may allocate. A message that does not verify changes nothing.
//
// The course is the same for every mechanism:
//   client: begin(token) -> hello; on_message() until kEstablished
//   server: on_hello(token, hello) -> answer; on_message() until kEstablished
// The token is the server's proof-of-address cookie (handshake_cookie.h), empty in the first
// hello. It belongs to the connector; a mechanism may bind it into its own proof.
// A repeated message is answered by the same bytes again: the connector's client side repeats its
// last flight until the server's next one is complete, and the server only ever answers. A client
// therefore says kEstablished only on the server's last message.
#ifndef SLUICE_CRYPTO_HANDSHAKE_H_
#define SLUICE_CRYPTO_HANDSHAKE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/limits.h"
#include "crypto/key_schedule.h"
#include "crypto/session_parameters.h"

namespace sluice::crypto {

// A handshake message, fragments joined, is never longer.
inline constexpr size_t kMaxHandshakeMessage = base::limits::kMaxHandshakeBytes;
inline constexpr size_t kResetTokenSize = 16;
using ResetToken = std::array<uint8_t, kResetTokenSize>;

// First byte of a HANDSHAKE packet's body. Further flights of other mechanisms take 0x10 to 0x1f
// (from the client) and 0x20 to 0x2f (from the server); all else is ignored and counted.
enum class HandshakeType : uint8_t {
  kClientHello = 1,
  kHelloRetry = 2,
  kServerHello = 3,
  kClientFinished = 4,
  kServerDone = 5,
  kRefuse = 6,
  kTlsClientRefuse = 0x10,  // TLS: an authentic refusal, to a peer that has its keys.
  kTlsServerRefuse = 0x20,
};

constexpr bool sent_by_client(HandshakeType type) {
  const auto value = static_cast<uint8_t>(type);
  return type == HandshakeType::kClientHello || type == HandshakeType::kClientFinished ||
         (value >= 0x10 && value <= 0x1f);
}

constexpr bool sent_by_server(HandshakeType type) {
  const auto value = static_cast<uint8_t>(type);
  return type == HandshakeType::kHelloRetry || type == HandshakeType::kServerHello ||
         type == HandshakeType::kServerDone || type == HandshakeType::kRefuse ||
         (value >= 0x20 && value <= 0x2f);
}

// First byte of a ClientHello.
enum class HandshakeMechanismId : uint8_t { kPsk = 1, kTls13 = 2 };

// Body of a Refuse. Unauthenticated, so to a client it is only a hint.
enum class RefuseReason : uint8_t {
  kNone = 0,
  kKey = 1,           // Unknown pre-shared key, or the proof of holding it is wrong.
  kVersion = 2,       // No wire version in common.
  kAead = 3,          // No AEAD algorithm in common.
  kBusy = 4,          // A limit of the server is reached; a later attempt may succeed.
  kMalformed = 5,     // The hello breaks the format.
  kNotAccepting = 6,  // The endpoint accepts no sessions (not a server, or shutting down).
  kSelf = 7,          // The hello came from this very endpoint (reflection).
  kParameters = 8,    // Parameters that do not go together (lanes).
  kMechanism = 9,     // Another handshake mechanism is required.
  kTls = 10,          // The TLS handshake failed, for no reason below.
  kPolicy = 11,       // The policy of the refusing side does not let this name connect.
  kAudit = 12,        // The refusing side cannot record the session, as it has to.

  // What a certificate was refused for.
  kNoCertificate = 16,
  kCertificateGarbage = 17,  // No X.509, or parts of it that cannot be read.
  kCertificateKeyType = 18,  // Neither ECDSA P-256 nor Ed25519.
  kCertificateSanType = 19,  // A subject alternative name that is no DNS name.
  kCertificateWildcard = 20,
  kCertificateNoDnsName = 21,    // Only a common name, which is never looked at.
  kCertificateChainLength = 22,  // Too many issuers, or more than one of them allows.
  kCertificateAnchor = 23,       // Issued by nobody who is trusted here.
  kCertificateNameSpace = 24,    // Its anchor is not trusted for names like this.
  kCertificateIssuer = 25,       // An issuer in the chain may not issue.
  kCertificateConstraints = 26,  // Outside the names that an issuer may issue for.
  kCertificateExpired = 27,
  kCertificateNotYetValid = 28,
  kCertificateUsage = 29,  // Not for this side of a TLS handshake.
  kCertificateName = 30,   // Another name than the expected one.
};

// A sentence for error messages, for any value (also one this version does not know).
const char* refuse_reason_text(RefuseReason reason);

constexpr bool is_certificate_reason(RefuseReason reason) {
  return reason >= RefuseReason::kNoCertificate && reason <= RefuseReason::kCertificateName;
}

// Fills `size` bytes at `out` with cryptographically strong randomness. A plain pair, because
// floors 0 to 4 have no randomness of their own; `context` must outlive every user of the source.
struct RandomSource {
  void (*fill)(void* context, uint8_t* out, size_t size) = nullptr;
  void* context = nullptr;

  void operator()(uint8_t* out, size_t size) const { fill(context, out, size); }
};

// The time of day in nanoseconds since 1970 (UTC), for the validity of certificates. Injected, like
// randomness; `context` must outlive every user.
struct WallClock {
  uint64_t (*now)(void* context) = nullptr;
  void* context = nullptr;

  uint64_t operator()() const { return now(context); }
};

// A time that never comes.
inline constexpr uint64_t kNeverExpires = UINT64_MAX;

// The shared secret, root of key_schedule.h, and the algorithm it is for.
struct SessionSecrets {
  Secret secret;
  AeadAlgorithm algorithm = AeadAlgorithm::kNone;
};

// A request that travels with the hello, before there is a session. Whoever holds the ticket has
// sent it, and it may have been delivered in an earlier life of the server: it has to be one that
// does no harm when it is executed again.
struct EarlyRequest {
  uint16_t service = 0;
  std::vector<uint8_t> bytes;
};

// What a client asks of its handshake beside the session.
struct ClientOffer {
  std::vector<EarlyRequest> early;
  bool resume = true;  // By a ticket, where there is one.
};

// What became of the early requests of a hello.
enum class EarlyVerdict : uint8_t {
  kNone,      // There were none, or the handshake found no use for them.
  kTaken,     // The server has them.
  kReplayed,  // As server: the ticket had brought early data before.
  kFull,      // As server: the strike register is full.
  kRefused,   // By TLS (ticket, age, context), or as malformed, or by the policy.
};

// What an established handshake leaves behind.
struct HandshakeResult {
  SessionSecrets secrets;
  SessionParameters local;
  SessionParameters peer;  // Authenticated.
  SessionAgreement agreement;
  ResetToken peer_reset_token{};  // What a RESET for the peer's session id has to carry.
  std::string peer_name;          // The DNS name that the peer proved; empty without certificates.
  // Who answers for it: the anchor's name, those of the issuers below it, and peer_name. The first
  // is the responsible party. Empty without certificates.
  std::vector<std::string> peer_chain;
  // The certificates that it showed, its own first; DER.
  std::vector<std::vector<uint8_t>> peer_certificates;
  std::array<uint8_t, 32> peer_key_id{};  // SHA-256 of its public key (SubjectPublicKeyInfo).
  // Wall-clock time from which on either side's certificate is no longer good: the session ends.
  uint64_t expires_ns = kNeverExpires;
  bool own_expires_first = false;
  bool resumed = false;  // By a ticket of an earlier handshake, with a fresh key exchange.
  // As server, the early requests that were taken; as client, how many of those that were offered
  // the server has taken. They are the first exchanges of lane 0, with ids from 1 on.
  std::vector<EarlyRequest> early;
  uint8_t early_taken = 0;
  // As client: proves the own address to the same server in a later hello; may be empty.
  std::vector<uint8_t> address_token;
};

struct HandshakeMessage {
  HandshakeType type = HandshakeType::kClientHello;
  std::vector<uint8_t> bytes;
};

enum class HandshakeStep : uint8_t {
  kNeedMore,     // Progress or a repetition: send `send` and wait.
  kIgnored,      // Unexpected, malformed or not authentic; nothing changed.
  kEstablished,  // Send `send`; result() is valid. Said once.
  kRefused,      // Over, for `reason`: known for certain, no mere hint. Send `send`, if any.
};

enum class IgnoreCause : uint8_t { kNone, kUnexpected, kMalformed, kNotAuthentic };

struct HandshakeOutcome {
  HandshakeStep step = HandshakeStep::kNeedMore;
  RefuseReason reason = RefuseReason::kNone;
  IgnoreCause cause = IgnoreCause::kNone;
  bool by_peer = false;  // kRefused: the peer, proved or proving, said so; else this side did.
  std::string detail;    // kRefused: what exactly, for this side's log; may be empty.
  // kNeedMore: early requests were taken, result() is valid and the session may be used. What still
  // comes says kEstablished, or that there is no session after all.
  bool usable = false;
  EarlyVerdict early = EarlyVerdict::kNone;
  bool ticket_refused = false;  // As client, kEstablished: the server's ticket is too long to use.
  std::vector<HandshakeMessage> send;
};

// Decides whether a peer that has proved its name may have a session: the last of all checks, on
// the thread that drives the handshake. kNone accepts; else `detail` may say more, for this side's
// log. `initiator`: this side began. `context` must outlive every user.
struct PeerJudge {
  RefuseReason (*judge)(void* context, const HandshakeResult& peer, bool initiator,
                        std::string* detail) = nullptr;
  void* context = nullptr;
  // As client: whether early requests may go to the holder of that name, who has not been judged
  // yet. Null: they may.
  bool (*may_send_early)(void* context, const std::string& peer_name) = nullptr;
};

class ClientHandshake {
 public:
  virtual ~ClientHandshake() = default;
  // Before the first begin(): what the hello may bring, if the mechanism can. The result says how
  // many of the requests were taken; the others are the caller's to send in the session.
  virtual void offer(ClientOffer /*offer*/) {}
  // The first flight, carrying or bound to `token`. May be called again with another token as
  // long as nothing but HelloRetry has been received. The ClientHello is padded up to
  // `min_bytes`, so that the server's answer never amplifies.
  virtual HandshakeOutcome begin(std::span<const uint8_t> token, size_t min_bytes) = 0;
  virtual HandshakeOutcome on_message(HandshakeType type, std::span<const uint8_t> bytes) = 0;
  // Valid from kEstablished, or `usable`, on.
  virtual const HandshakeResult& result() const = 0;
};

class ServerHandshake {
 public:
  virtual ~ServerHandshake() = default;
  // Before on_hello(): what the client may return in a later hello; a mechanism without a place for
  // it leaves it out.
  virtual void give_address_token(std::span<const uint8_t> /*token*/) {}
  // The client's hello, with the token that came with it (already verified by the caller).
  virtual HandshakeOutcome on_hello(std::span<const uint8_t> token,
                                    std::span<const uint8_t> hello) = 0;
  virtual HandshakeOutcome on_message(HandshakeType type, std::span<const uint8_t> bytes) = 0;
  virtual const HandshakeResult& result() const = 0;
};

// Makes handshakes of one kind. Must outlive them.
class HandshakeMechanism {
 public:
  virtual ~HandshakeMechanism() = default;
  virtual HandshakeMechanismId id() const = 0;
  // Fragments a ClientHello of this mechanism may have: a server refuses to join more.
  virtual uint8_t max_hello_fragments() const = 0;
  // Tells the time, by a clock that never goes backwards, before a handshake is begun or driven.
  virtual void advance(base::Nanos /*now*/) {}
  // Does a little of what handshakes will need; false when nothing is left to do. For a thread that
  // has nothing else to do.
  virtual bool prepare() { return false; }
  // `attempt` is the client's random 64-bit id of this attempt, in every packet of it. `peer_name`
  // is the DNS name that the server has to prove; a mechanism without names gives it no meaning.
  virtual std::unique_ptr<ClientHandshake> new_client(uint64_t attempt,
                                                      const SessionParameters& local,
                                                      const std::string& peer_name) = 0;
  virtual std::unique_ptr<ServerHandshake> new_server(uint64_t attempt,
                                                      const SessionParameters& local) = 0;
  // What a RESET carries when this endpoint, perhaps restarted, no longer knows a session id that
  // it once chose. The same for the same id, without any state.
  virtual ResetToken reset_token(base::SessionId local) const = 0;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_HANDSHAKE_H_
