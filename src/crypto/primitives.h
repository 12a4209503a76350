// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_PRIMITIVES_H_
#define SLUICE_CRYPTO_PRIMITIVES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::crypto {

inline constexpr size_t kSha256Size = 32;  // Bytes of a SHA-256 or HMAC-SHA-256 result.
inline constexpr size_t kX25519Size = 32;  // Bytes of an X25519 private, public or shared value.

// A stretch of bytes owned by the caller. A plain structure, because it crosses the boundary of a
// separately loaded module.
struct ByteView {
  const uint8_t* data;
  size_t size;
};

// Both borrow their argument.
inline ByteView view_of(std::span<const uint8_t> bytes) { return {bytes.data(), bytes.size()}; }
inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What the handshake and the key schedule need beside the AEAD, as plain function pointers so that
// the TLS library stays in its own module. Every function is thread-safe, takes no lock, allocates
// nothing and reads no randomness: private keys are injected. Pointers are never null.
struct Primitives {
  const char* name;  // Static string, for the start-up report.

  // SHA-256 over the concatenation of `count` parts.
  void (*sha256)(const ByteView* parts, size_t count, uint8_t out[kSha256Size]);

  // HMAC-SHA-256 over the concatenation of `count` parts.
  void (*hmac_sha256)(ByteView key, const ByteView* parts, size_t count, uint8_t out[kSha256Size]);

  // The public value of a private key (32 uniformly random bytes, clamped inside).
  void (*x25519_public)(const uint8_t private_key[kX25519Size], uint8_t out[kX25519Size]);

  // The shared secret. False, with `out` zeroed, when the peer sent a point of small order.
  bool (*x25519_shared)(const uint8_t private_key[kX25519Size],
                        const uint8_t peer_public[kX25519Size], uint8_t out[kX25519Size]);
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_PRIMITIVES_H_
