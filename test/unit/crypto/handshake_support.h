// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TEST_UNIT_CRYPTO_HANDSHAKE_SUPPORT_H_
#define SLUICE_TEST_UNIT_CRYPTO_HANDSHAKE_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/prng.h"
#include "crypto/handshake.h"
#include "crypto/psk.h"

namespace sluice::crypto::test {

// Repeatable bytes in the place of randomness.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : prng_(seed) {}
  SeededRandom(const SeededRandom&) = delete;
  SeededRandom& operator=(const SeededRandom&) = delete;

  RandomSource source() { return {&SeededRandom::fill, this}; }

 private:
  static void fill(void* context, uint8_t* out, size_t size) {
    auto* self = static_cast<SeededRandom*>(context);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(self->prng_.next_u64() >> 56);
  }

  base::Prng prng_;
};

inline Psk psk_of(uint8_t first) {
  std::vector<uint8_t> bytes(32);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(first + i);
  return Psk(bytes);
}

inline SessionParameters sample_parameters(uint32_t session, uint8_t instance) {
  SessionParameters out;
  out.session_id = base::SessionId(session);
  out.base_port = 4000;
  out.lanes = 2;
  out.aeads = {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm};
  out.instance.fill(instance);
  out.padding = Padding::kUnable;  // Its byte has tests of its own.
  return out;
}

}  // namespace sluice::crypto::test

#endif  // SLUICE_TEST_UNIT_CRYPTO_HANDSHAKE_SUPPORT_H_
