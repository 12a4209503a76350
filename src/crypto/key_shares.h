// SPDX-License-Identifier: Apache-2.0
//
// X25519 key pairs made ahead of the handshakes that use them, while there is nothing else to do.
#ifndef SLUICE_CRYPTO_KEY_SHARES_H_
#define SLUICE_CRYPTO_KEY_SHARES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/limits.h"
#include "crypto/handshake.h"
#include "crypto/primitives.h"
#include "crypto/wipe.h"

namespace sluice::crypto {

// A key pair for one handshake; the private half is wiped when dropped.
class KeyShare {
 public:
  KeyShare(const Primitives& primitives, const RandomSource& random);
  ~KeyShare() { forget(); }
  KeyShare(KeyShare&& other) noexcept;
  KeyShare& operator=(KeyShare&& other) noexcept;

  void forget() { wipe(private_key_.data(), private_key_.size()); }
  const std::array<uint8_t, kX25519Size>& private_key() const { return private_key_; }
  const std::array<uint8_t, kX25519Size>& public_key() const { return public_key_; }

 private:
  std::array<uint8_t, kX25519Size> private_key_;
  std::array<uint8_t, kX25519Size> public_key_;
};

// Holds up to base::limits::kMaxKeyShares of them, and gives each out once. One thread at a time.
class KeyShares {
 public:
  // `primitives` and the random source's context outlive the object.
  KeyShares(const Primitives* primitives, RandomSource random);

  // Makes one more (some 0.1 ms); false when there are enough.
  bool prepare();
  // One that was made ahead, or else now.
  KeyShare take();
  size_t ready() const { return ready_.size(); }

 private:
  const Primitives* primitives_;
  RandomSource random_;
  std::vector<KeyShare> ready_;
};

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_KEY_SHARES_H_
