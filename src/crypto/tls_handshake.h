// SPDX-License-Identifier: Apache-2.0
//
// The TLS 1.3 handshake with certificates on both sides: TLS makes the keys and proves the names,
// and its bytes travel in Sluice's own handshake messages, as in those of QUIC.
//
// === Course ======================================================================================
//   client                                                                server
//   CLIENT_HELLO (no token)                                --->
//                                                          <---   HELLO_RETRY (token)   stateless
//   CLIENT_HELLO (token; ClientHello)                      --->
//                                                          <---   SERVER_HELLO (ServerHello; sealed
//                                                                 EncryptedExtensions .. Finished)
//   CLIENT_FINISHED (sealed Certificate .. Finished)       --->   session established
//   session established                                    <---   SERVER_DONE (sealed)
// With a ticket of an earlier session CLIENT_HELLO may bring requests, sealed under the early
// secret of TLS. A server that takes them has a session as soon as it has its own secrets, before
// CLIENT_FINISHED; the client has it with SERVER_HELLO, which says that they were taken.
// A side that refuses the other says so with its reason, sealed: CLIENT_REFUSE or SERVER_REFUSE.
//
// === Messages ====================================================================================
// 1 CLIENT_HELLO     u8 mechanism = 2 | u8 format = 1 | u64 attempt id | u16 length | ClientHello
//                    (= the core) | u16 length | padding (zero bytes) | u16 length | early requests
//                    sealed under the client's early secret, "tls client early", or nothing | 32
//                    check
// 3 SERVER_HELLO     u8 format = 1 | u16 length | ServerHello | flight sealed under the server's
//                    handshake secret, label "tls server flight" | 32 check
// 4 CLIENT_FINISHED  flight sealed under the client's handshake secret, "tls client flight"
// 5 SERVER_DONE      TLS NewSessionTicket messages or nothing, sealed under the exported done
//                    secret, "tls server done"
// 0x10 CLIENT_REFUSE u8 reason sealed under the client's handshake secret, "tls refuse"
// 0x20 SERVER_REFUSE u8 reason sealed under the server's handshake secret, "tls refuse"
// The client's flight is 16 bytes of reset token (for the session id of its sender) and TLS
// handshake messages; the server's has between them u8 early requests taken | u8 length | address
// token. Early requests are u8 count, then for each u16 service | u16 length | bytes.
//
// === Keys ========================================================================================
//   hello key       = HKDF-Extract("sluice tls hello 1", core of CLIENT_HELLO)
//   CLIENT_HELLO check = HMAC(Expand-Label(hello key, "tls client hello", "", 32),
//                             u8 token length || token || u16 padding length || padding ||
//                             u16 early length || early)
//   SERVER_HELLO check = HMAC(Expand-Label(hello key, "tls server hello", "", 32), all before it)
//   sealing under a secret and a label: AES-256-GCM, AAD = u64 attempt id,
//     root = Expand-Label(HKDF-Extract("sluice tls seal 1", secret), label, "", 32)
//     key = Expand-Label(root, "key", "", 32), nonce = Expand-Label(root, "iv", "", 12)
//   session secret  = TLS-Exporter("EXPORTER sluice session 1", "", 32)   RFC 8446 section 7.5
//   done secret     = TLS-Exporter("EXPORTER sluice server done 1", "", 32)
//   reset token of a session id, chosen by the sender of the RESET
//                   = Expand-Label(Expand-Label(identity secret, "tls reset", "", 32),
//                                  "reset token", u32 session id, 16)
// where the identity secret follows from the private key.
//
// The attempt id and the client's parameter block are the client's QUIC transport parameters
// extension, the server's block is the server's: both are in the transcript that certificates sign.
// The token is bound to the address and the attempt id by the server's own key.
#ifndef SLUICE_CRYPTO_TLS_HANDSHAKE_H_
#define SLUICE_CRYPTO_TLS_HANDSHAKE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "crypto/boringssl/module.h"
#include "crypto/handshake.h"
#include "crypto/strike_register.h"

namespace sluice::crypto {

// A TLS identity of the module, released when dropped.
class TlsIdentityOwner {
 public:
  // `identity` may be null; `functions` outlives the object.
  TlsIdentityOwner(const TlsFunctions* functions, TlsIdentity* identity)
      : functions_(functions), identity_(identity) {}
  TlsIdentityOwner(TlsIdentityOwner&& other) noexcept
      : functions_(other.functions_), identity_(std::exchange(other.identity_, nullptr)) {}
  TlsIdentityOwner& operator=(TlsIdentityOwner&&) = delete;
  ~TlsIdentityOwner() {
    if (identity_ != nullptr) functions_->identity_free(identity_);
  }

  TlsIdentity* get() const { return identity_; }

 private:
  const TlsFunctions* functions_;
  TlsIdentity* identity_;
};

// What one identity brings into handshakes. Those under way keep theirs when it is renewed.
struct TlsCredentials {
  TlsCredentials(const BoringsslModule* module, TlsIdentityOwner identity);
  ~TlsCredentials();
  TlsCredentials(const TlsCredentials&) = delete;
  TlsCredentials& operator=(const TlsCredentials&) = delete;

  ResetToken reset_token(const BoringsslModule& module, base::SessionId local) const;

  TlsIdentityOwner identity;
  uint64_t expiry_ns = 0;  // When the own certificate ends.
  std::array<uint8_t, kSha256Size> reset_key{};
};

// Used by one thread at a time, but for the identity's functions.
class TlsMechanism : public HandshakeMechanism {
 public:
  // `identity` holds one. The module and the clock's context must outlive this object. `allow_self`
  // admits hellos of this very endpoint (loopback within one process). `random` is used here only.
  TlsMechanism(const BoringsslModule* module, TlsIdentityOwner identity, WallClock clock,
               bool allow_self, RandomSource random);

  HandshakeMechanismId id() const override { return HandshakeMechanismId::kTls13; }
  // A hybrid key share comes to 1.2 KB, a ticket to 4, early requests to 8.
  uint8_t max_hello_fragments() const override { return 14; }
  void advance(base::Nanos now) override { strikes_.advance(now); }
  std::unique_ptr<ClientHandshake> new_client(uint64_t attempt, const SessionParameters& local,
                                              const std::string& peer_name) override;
  std::unique_ptr<ServerHandshake> new_server(uint64_t attempt,
                                              const SessionParameters& local) override;
  ResetToken reset_token(base::SessionId local) const override;

  // Handshakes that begin from now on prove this identity, and judge peers by its anchors. Tickets
  // of the identity before it are forgotten.
  void renew(TlsIdentityOwner identity);
  // Whether the peer of a session would still be accepted by its certificates, with the anchors and
  // names of the identity of now. `initiator`: this side began it.
  bool still_trusts(const HandshakeResult& peer, bool initiator) const;
  // Before the first handshake; without one every peer that proves a trusted name is accepted.
  void set_judge(PeerJudge judge) { judge_ = judge; }

  const BoringsslModule& module() const { return *module_; }
  std::shared_ptr<const TlsCredentials> credentials() const { return credentials_; }
  uint64_t wall_ns() const { return clock_(); }
  bool allow_self() const { return allow_self_; }
  const PeerJudge& judge() const { return judge_; }
  StrikeRegister* strikes() { return &strikes_; }

 private:
  const BoringsslModule* module_;
  std::shared_ptr<const TlsCredentials> credentials_;
  WallClock clock_;
  bool allow_self_;
  PeerJudge judge_;
  StrikeRegister strikes_;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_TLS_HANDSHAKE_H_
