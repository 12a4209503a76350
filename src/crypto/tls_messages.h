// SPDX-License-Identifier: Apache-2.0
//
// Bytes and keys of the TLS handshake's messages: their codecs, their integrity and their sealing,
// without any state. The layouts are in tls_handshake.h.
#ifndef SLUICE_CRYPTO_TLS_MESSAGES_H_
#define SLUICE_CRYPTO_TLS_MESSAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/boringssl/module.h"
#include "crypto/handshake.h"
#include "crypto/primitives.h"
#include "crypto/wipe.h"

namespace sluice::crypto {

inline constexpr uint8_t kTlsFormat = 1;
inline constexpr size_t kTlsCheckSize = kSha256Size;
// A flight of at most so many bytes fits a message, with all that is put around it.
inline constexpr size_t kMaxTlsFlight = kMaxHandshakeMessage - 128;

using TlsCheck = std::array<uint8_t, kTlsCheckSize>;

// A CLIENT_HELLO taken apart; the spans borrow the message.
struct TlsClientHelloView {
  uint64_t attempt = 0;
  std::span<const uint8_t> tls;
  std::span<const uint8_t> core;
  std::span<const uint8_t> padding;
  std::span<const uint8_t> early;  // Sealed early requests; empty without any.
  std::span<const uint8_t> check;
};

std::vector<uint8_t> encode_tls_core(uint64_t attempt, std::span<const uint8_t> tls);
// The whole message, padded up to `min_bytes`. `early`: sealed early requests, or nothing.
std::vector<uint8_t> join_tls_hello(const Primitives& primitives, std::span<const uint8_t> core,
                                    std::span<const uint8_t> token, size_t min_bytes,
                                    std::span<const uint8_t> early = {});
std::optional<TlsClientHelloView> decode_tls_hello(std::span<const uint8_t> message);
// Whether the message arrived as it was sent, with this token.
bool tls_hello_intact(const Primitives& primitives, const TlsClientHelloView& hello,
                      std::span<const uint8_t> token);

struct TlsServerHelloView {
  std::span<const uint8_t> tls;     // The TLS ServerHello.
  std::span<const uint8_t> sealed;  // The rest of the flight.
  std::span<const uint8_t> body;    // All but the check.
  std::span<const uint8_t> check;
};

// `core` is that of the hello which is answered.
std::vector<uint8_t> join_tls_server_hello(const Primitives& primitives,
                                           std::span<const uint8_t> core,
                                           std::span<const uint8_t> tls,
                                           std::span<const uint8_t> sealed);
std::optional<TlsServerHelloView> decode_tls_server_hello(std::span<const uint8_t> message);
bool tls_server_hello_intact(const Primitives& primitives, std::span<const uint8_t> core,
                             const TlsServerHelloView& hello);

// The plaintext of early requests, which keep the limits of base/limits.h; nullopt for bytes that
// do not.
std::vector<uint8_t> encode_early(std::span<const EarlyRequest> requests);
std::optional<std::vector<EarlyRequest>> decode_early(std::span<const uint8_t> bytes);
// How many of the requests, from the first on, fit one hello.
size_t early_that_fit(std::span<const EarlyRequest> requests);

// What the client says sealed: its reset token and handshake messages of TLS.
std::vector<uint8_t> encode_client_flight(const ResetToken& token, std::span<const uint8_t> tls);

// What the server says sealed beside TLS: the codec of its flight's head.
struct TlsServerFlight {
  ResetToken reset_token{};
  uint8_t early_taken = 0;
  std::span<const uint8_t> address_token;  // At most kMaxTokenSize bytes.
  std::span<const uint8_t> tls;
};
std::vector<uint8_t> encode_server_flight(const TlsServerFlight& flight);
std::optional<TlsServerFlight> decode_server_flight(std::span<const uint8_t> bytes);

// Seals and opens the one message of its kind under a secret: what is sealed twice under the same
// label must be the same bytes. Wipes what it derived.
class TlsSeal {
 public:
  // `secret`: a TLS traffic secret or an exported one.
  TlsSeal(const BoringsslModule* module, std::span<const uint8_t> secret, std::string_view label);
  ~TlsSeal();
  TlsSeal(const TlsSeal&) = delete;
  TlsSeal& operator=(const TlsSeal&) = delete;

  // Ciphertext and tag; empty when the library fails.
  std::vector<uint8_t> seal(uint64_t attempt, std::span<const uint8_t> plain) const;
  std::optional<std::vector<uint8_t>> open(uint64_t attempt, std::span<const uint8_t> sealed) const;

 private:
  const BoringsslModule* module_;
  bool usable_ = false;
  std::array<uint8_t, kNonceSize> nonce_{};
  alignas(64) std::array<uint8_t, kExpandedKeyMax> state_{};
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_TLS_MESSAGES_H_
