// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_INLINE_CRYPTO_H_
#define SLUICE_CRYPTO_INLINE_CRYPTO_H_

#include <cstdint>
#include <span>

#include "crypto/aead.h"

namespace sluice::crypto {

inline constexpr uint32_t kNoInlineContext = UINT32_MAX;

// Ports that seal at transmit: they keep keys in contexts of their own, and are handed records, or
// packets of ESP, in plaintext. One object serves the lanes of one lcore, on that lcore alone.
// Called where keys change, never per packet; allocates nothing.
class InlineCrypto {
 public:
  virtual ~InlineCrypto() = default;

  // Gives the port that `route` (InstallLane::route) leaves by a key of key_size(algorithm) bytes;
  // the bytes are copied. kNoInlineContext where that port does not seal, lacks the algorithm or
  // has no context left, which is counted: the CPU seals then. `spi`: of the packets of ESP that
  // are sealed so (PROTOCOL.md §18.4), or 0 for records (§18.3).
  virtual uint32_t open(uint32_t route, AeadAlgorithm algorithm, std::span<const uint8_t> key,
                        std::span<const uint8_t, kNonceSize> iv, uint32_t spi) = 0;

  // Wipes the key. Nothing that names the context is on its way to the port any more, or may be
  // lost.
  virtual void close(uint32_t context) = 0;
};

// Where the keys of one lane may go, beside the CPU's backend; without `ports` nowhere.
struct InlinePlace {
  InlineCrypto* ports = nullptr;
  uint32_t route = 0;
  uint32_t spi = 0;  // Of epoch 0; 0: the lane sends no ESP.
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_INLINE_CRYPTO_H_
