// SPDX-License-Identifier: Apache-2.0
//
// Bytes and keys of the PSK handshake: the codecs of its messages and the derivations of the key
// table in psk_handshake.h, without any state.
#ifndef SLUICE_CRYPTO_PSK_MESSAGES_H_
#define SLUICE_CRYPTO_PSK_MESSAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/handshake.h"
#include "crypto/primitives.h"
#include "crypto/psk.h"

namespace sluice::crypto {

inline constexpr size_t kPskKeyIdSize = 16;
inline constexpr size_t kHandshakeRandomSize = 32;
inline constexpr size_t kPskMacSize = kSha256Size;
inline constexpr uint8_t kPskFormat = 1;

using Digest = std::array<uint8_t, kSha256Size>;

// What is derived from a pre-shared key alone. Wiped when dropped.
struct PskKeys {
  std::array<uint8_t, kPskKeyIdSize> key_id{};
  Digest binder_key{};
  Digest salt{};
  Digest reset_key{};

  PskKeys() = default;
  PskKeys(const PskKeys&) = default;
  PskKeys& operator=(const PskKeys&) = default;
  ~PskKeys();
};

PskKeys derive_psk_keys(const Primitives& primitives, const Psk& psk);

struct PskClientHello {
  uint64_t attempt = 0;
  std::array<uint8_t, kHandshakeRandomSize> random{};
  std::array<uint8_t, kX25519Size> share{};
  std::array<uint8_t, kPskKeyIdSize> key_id{};
  std::span<const uint8_t> block;  // Borrowed.
};

// A hello taken apart; the spans borrow the message.
struct PskClientHelloView {
  PskClientHello fields;
  std::span<const uint8_t> core;
  std::span<const uint8_t> padding;
  std::span<const uint8_t> binder;
};

std::vector<uint8_t> encode_hello_core(const PskClientHello& hello);

// The zeros that bring a hello with a core of `core_size` bytes up to `min_bytes`.
std::vector<uint8_t> hello_padding(size_t core_size, size_t min_bytes);
// Core, padding and binder joined to the message.
std::vector<uint8_t> join_hello(std::span<const uint8_t> core, std::span<const uint8_t> padding,
                                std::span<const uint8_t> binder);

// nullopt when malformed. Does not look into the parameter block.
std::optional<PskClientHelloView> decode_hello(std::span<const uint8_t> message);

struct PskServerHello {
  std::array<uint8_t, kHandshakeRandomSize> random{};
  std::array<uint8_t, kX25519Size> share{};
  std::span<const uint8_t> block;  // Borrowed.
};

struct PskServerHelloView {
  PskServerHello fields;
  std::span<const uint8_t> core;
  std::span<const uint8_t> mac;
};

std::vector<uint8_t> encode_server_core(const PskServerHello& hello);
std::optional<PskServerHelloView> decode_server_hello(std::span<const uint8_t> message);

// T1 and T2.
Digest transcript_hello(const Primitives& primitives, std::span<const uint8_t> core);
Digest transcript_server(const Primitives& primitives, const Digest& t1,
                         std::span<const uint8_t> core);

Digest hello_binder(const Primitives& primitives, const PskKeys& keys, const Digest& t1,
                    std::span<const uint8_t> token, std::span<const uint8_t> padding);

// All that follows from the X25519 exchange; wiped when dropped.
struct PskSecrets {
  Digest server_mac{};
  Digest client_mac{};
  Digest done_mac{};
  Secret session;

  PskSecrets() = default;
  PskSecrets(const PskSecrets&) = default;
  PskSecrets& operator=(const PskSecrets&) = default;
  ~PskSecrets();
};

// nullopt when the peer's public value is of small order.
std::optional<PskSecrets> derive_psk_secrets(const Primitives& primitives, const PskKeys& keys,
                                             std::span<const uint8_t, kX25519Size> private_key,
                                             std::span<const uint8_t, kX25519Size> peer_share,
                                             const Digest& t2);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_PSK_MESSAGES_H_
