// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_LIMITS_H_
#define SLUICE_CRYPTO_LIMITS_H_

#include <cstdint>

#include "base/limits.h"
#include "crypto/aead.h"

namespace sluice::crypto {

// Cipher blocks (16 bytes) that may be sealed under one key. RFC 9001 appendix B.1.1 derives
// packets * blocks per packet <= 2^35 for AES-GCM at an attacker's advantage of 2^-57. The same
// bound serves ChaCha20-Poly1305, which would allow more, so that one rule holds for all.
inline constexpr uint64_t kMaxSealedBlocks = base::limits::kMaxSealedBlocksPerKey;
static_assert(kMaxSealedBlocks <= uint64_t{1} << 35);

// Sealed blocks after which the sender asks for a key update; half the limit leaves the peer as
// much traffic again to acknowledge the epoch before sealing would have to stop.
inline constexpr uint64_t kUpdateSealedBlocks = kMaxSealedBlocks / 2;

// Blocks that a packet of ESP is charged besides: two for its trailer and its AAD, and two so that
// a key has fewer packets than ESP has numbers for them (2^32).
inline constexpr uint32_t kEspExtraBlocks = 4;

// Failed openings that one AES-GCM key may see: RFC 9001 section 6.6 and appendix B.1.2 give 2^52
// for packets up to 2^16 bytes, which covers every Sluice record.
inline constexpr uint64_t kMaxFailedOpensAesGcm = uint64_t{1} << 52;

// Failed openings that one ChaCha20-Poly1305 key may see: RFC 9001 section 6.6 gives 2^36.
inline constexpr uint64_t kMaxFailedOpensChaCha20Poly1305 = uint64_t{1} << 36;

// Failed openings under one key after which the receiver must stop using it. Plaintext has no
// tag to fail, so its limit is never reached.
constexpr uint64_t max_failed_opens(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::kChaCha20Poly1305:
      return kMaxFailedOpensChaCha20Poly1305;
    case AeadAlgorithm::kAes128Gcm:
    case AeadAlgorithm::kAes256Gcm:
      return kMaxFailedOpensAesGcm;
    case AeadAlgorithm::kNone:
      break;
  }
  return UINT64_MAX;
}

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_LIMITS_H_
