// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

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

}  // namespace sluice::crypto
