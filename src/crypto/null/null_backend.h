// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_NULL_NULL_BACKEND_H_
#define SLUICE_CRYPTO_NULL_NULL_BACKEND_H_

#include "crypto/aead.h"

namespace sluice::crypto {

// Plaintext: copies and adds no tag. Supports AeadAlgorithm::kNone and nothing else, so it is in
// use only where an endpoint was explicitly configured without encryption.
class NullBackend final : public AeadBackend {
 public:
  const char* name() const override { return "plaintext"; }
  const char* detail() const override { return "no encryption, no authentication"; }
  bool supports(AeadAlgorithm algorithm) const override {
    return algorithm == AeadAlgorithm::kNone;
  }
  bool expand_key(AeadAlgorithm algorithm, std::span<const uint8_t> key,
                  std::span<const uint8_t, kNonceSize> iv, AeadKey* out) override;
  void submit_seal(std::span<AeadJob> jobs) override;
  void submit_open(std::span<AeadJob> jobs) override;
  size_t poll(std::span<AeadJob*>) override { return 0; }
  bool completes_at_once() const override { return true; }
  void discard_key(AeadKey* key) override { key->wipe(); }
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_NULL_NULL_BACKEND_H_
