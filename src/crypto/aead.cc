// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <cstring>

#include "base/byte_order.h"
#include "crypto/wipe.h"

namespace sluice::crypto {

const char* algorithm_name(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::kNone:
      return "none";
    case AeadAlgorithm::kAes128Gcm:
      return "aes-128-gcm";
    case AeadAlgorithm::kAes256Gcm:
      return "aes-256-gcm";
    case AeadAlgorithm::kChaCha20Poly1305:
      return "chacha20-poly1305";
  }
  return "unknown";
}

void AeadKey::wipe() { wipe_object(this); }

void make_nonce(const AeadKey& key, uint64_t record_number, uint8_t nonce[kNonceSize]) {
  std::memcpy(nonce, key.iv, kNonceSize);
  base::store_be64(nonce + 4, base::load_be64(key.iv + 4) ^ record_number);
}

}  // namespace sluice::crypto
