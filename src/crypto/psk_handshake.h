// SPDX-License-Identifier: Apache-2.0
//
// The pre-shared-key handshake: both sides prove that they hold the same key, agree on parameters,
// and derive a session secret that stays secret when the key leaks later (ephemeral X25519).
//
// === Packets =====================================================================================
// Every message travels in HANDSHAKE packets (type 3, PROTOCOL.md): the 24-byte common header with
// sequence 0, session 0, lane 0xFF, epoch 0 and, as record number, the client's random 64-bit
// attempt id; then the 4-byte handshake header (u8 message type, u8 fragment index, u8 fragment
// count, u8 reserved 0); then the fragment. In packets of type CLIENT_HELLO alone, a token comes
// before the fragment: u8 token length (0 to 64) and the token. A packet is at most 1200 bytes
// from the common header on. The fragments of a message, joined in order of their index, are the
// message; every fragment but the last has the same, full length; at most 16 fragments and 16384
// bytes. A packet is answered to the address and port it came from; client and server both send
// from their own base UDP port.
//
// === Course ======================================================================================
//   client                                                                server
//   CLIENT_HELLO (no token, packet padded to 1200 bytes)   --->
//                                                          <---   HELLO_RETRY (token)   stateless
//   CLIENT_HELLO (token, padded; binder)                   --->   proves the key; state from here
//                                                          <---   SERVER_HELLO (MAC)
//   CLIENT_FINISHED (MAC)                                  --->   session established
//   session established                                    <---   SERVER_DONE (MAC)
// Only the client repeats by timer; the server answers each repetition with the same bytes.
// REFUSE may stand in place of any server message. It is not authenticated.
//
// === Messages ====================================================================================
// Integers are big-endian. `block` is a parameter block (session_parameters.h).
// 1 CLIENT_HELLO     u8 mechanism = 1 | u8 format = 1 | u64 attempt id | 32 random
//                    | 32 X25519 public value | 16 key id | u16 length | block       (= the core)
//                    | u16 length | padding (zero bytes) | 32 binder
// 2 HELLO_RETRY      u8 length (1 to 64) | token
// 3 SERVER_HELLO     u8 format = 1 | 32 random | 32 X25519 public value | u16 length | block
//                    (all of this = the core) | 32 MAC
// 4 CLIENT_FINISHED  32 MAC
// 5 SERVER_DONE      32 MAC
// 6 REFUSE           u8 reason (RefuseReason)
// A message with bytes left over, or too short for its fields, is malformed.
//
// === Keys ========================================================================================
// Hash is SHA-256; HMAC, HKDF-Extract(salt, input) and Expand-Label(secret, label, context, length)
// are those of hkdf.h (labels carry the prefix "sluice "). || joins bytes.
//   psk_prk          = HKDF-Extract("sluice psk 1", psk)
//   key id           = Expand-Label(psk_prk, "psk key id", "", 16)
//   binder key       = Expand-Label(psk_prk, "psk binder", "", 32)
//   handshake salt   = Expand-Label(psk_prk, "psk salt", "", 32)
//   T1               = Hash("sluice psk transcript 1" || u8 1 || u32 length of core || hello core)
//   binder           = HMAC(binder key, T1 || u8 token length || token || u16 padding length
//                           || padding)
//   T2               = Hash(T1 || u8 3 || u32 length of core || SERVER_HELLO core)
//   handshake secret = HKDF-Extract(handshake salt, X25519(own private, peer public))
//   SERVER_HELLO     MAC = HMAC(Expand-Label(handshake secret, "psk server hello", T2, 32), T2)
//   CLIENT_FINISHED  MAC = HMAC(Expand-Label(handshake secret, "psk client finished", T2, 32), T2)
//   SERVER_DONE      MAC = HMAC(Expand-Label(handshake secret, "psk server done", T2, 32), T2)
//   session secret   = Expand-Label(handshake secret, "psk session", T2, 32)
//   reset token of a session id, chosen by the sender of the RESET
//                    = Expand-Label(Expand-Label(psk_prk, "psk reset", "", 32),
//                                   "reset token", u32 session id, 16)
//
// === Rules =======================================================================================
// - A pre-shared key MUST have at least 32 bytes.
// - Randoms, private values, attempt ids and instances MUST come from a cryptographic source and
//   MUST be fresh for every attempt (the instance: for every process).
// - A server MUST answer a hello without a valid token by HELLO_RETRY or REFUSE at most, MUST keep
//   no state for it, and MUST NOT answer at all when the packet is shorter than 1200 bytes: what
//   an unproved address is sent stays below 3 times what came from it.
// - The token MUST bind the client's address and port, the attempt id and a time, under a key
//   that only the server knows; it MUST expire.
// - The attempt id in the hello's core MUST equal the packet's, and the server MUST verify the
//   binder before it keeps state.
// - MACs and binders MUST be compared in constant time. A message that does not verify changes
//   nothing and is counted.
// - X25519 results of small order MUST be refused.
// - A repeated hello of an attempt (same core, valid binder) MUST be answered with the very same
//   SERVER_HELLO, a repeated CLIENT_FINISHED with the same SERVER_DONE.
// - A hello that carries the server's own INSTANCE MUST be refused (reflection), unless the
//   endpoint was told to talk to itself.
// - The client MUST check that SELECTION lies within what both sides offered.
// - The client MUST take REFUSE as a hint: it goes on until its deadline and only then reports it.
// - Secrets MUST be wiped when dropped and never be logged.
#ifndef SLUICE_CRYPTO_PSK_HANDSHAKE_H_
#define SLUICE_CRYPTO_PSK_HANDSHAKE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "crypto/handshake.h"
#include "crypto/key_shares.h"
#include "crypto/primitives.h"
#include "crypto/psk.h"
#include "crypto/psk_messages.h"

namespace sluice::crypto {

// Makes PSK handshakes. A client uses the first key; a server accepts any of them, so that keys
// can be replaced without an outage: add the new one to the servers, then move it to the front.
class PskMechanism : public HandshakeMechanism {
 public:
  // `keys` holds at least one, as made by make_psk() or parse_psk(). `primitives` and the random
  // source's context must outlive this object. `allow_self` admits hellos of this very endpoint
  // (loopback within one process).
  PskMechanism(const std::vector<Psk>& keys, const Primitives* primitives, RandomSource random,
               bool allow_self);

  HandshakeMechanismId id() const override { return HandshakeMechanismId::kPsk; }
  uint8_t max_hello_fragments() const override { return 1; }
  bool prepare() override { return shares_.prepare(); }
  std::unique_ptr<ClientHandshake> new_client(uint64_t attempt, const SessionParameters& local,
                                              const std::string& peer_name) override;
  std::unique_ptr<ServerHandshake> new_server(uint64_t attempt,
                                              const SessionParameters& local) override;
  ResetToken reset_token(base::SessionId local) const override;

 private:
  const Primitives* primitives_;
  RandomSource random_;
  bool allow_self_;
  KeyShares shares_;
  std::vector<PskKeys> keys_;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_PSK_HANDSHAKE_H_
