// SPDX-License-Identifier: Apache-2.0
//
// Sealing for simulations of scale: the sizes and the bookkeeping of AES-128-GCM, and no
// cryptography. Payload bytes are never touched, so messages need no memory behind them; what is
// sealed in place (control frames, bundled messages) stays as it is. The fault machine uses real
// backends instead.
#ifndef SLUICE_SIM_VIRTUAL_CRYPTO_H_
#define SLUICE_SIM_VIRTUAL_CRYPTO_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/aead.h"
#include "crypto/primitives.h"

namespace sluice::sim {

// Supports kAes128Gcm, so that every record carries a tag's 16 bytes. Opening always succeeds:
// no simulation that uses it may corrupt packets.
class VirtualBackend final : public crypto::AeadBackend {
 public:
  const char* name() const override { return "virtual"; }
  const char* detail() const override { return "sizes only"; }
  bool supports(crypto::AeadAlgorithm algorithm) const override {
    return algorithm == crypto::AeadAlgorithm::kAes128Gcm;
  }
  bool expand_key(crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                  std::span<const uint8_t, crypto::kNonceSize> iv, crypto::AeadKey* out) override;
  void submit_seal(std::span<crypto::AeadJob> jobs) override;
  void submit_open(std::span<crypto::AeadJob> jobs) override;
  size_t poll(std::span<crypto::AeadJob*>) override { return 0; }
  bool completes_at_once() const override { return true; }
  void discard_key(crypto::AeadKey*) override {}
};

// Primitives whose "hashes" are a few multiplications: deterministic, and of no strength at all.
// X25519 is absent from simulations, whose lanes are installed; its entries stop the process.
const crypto::Primitives& virtual_primitives();

}  // namespace sluice::sim

#endif  // SLUICE_SIM_VIRTUAL_CRYPTO_H_
