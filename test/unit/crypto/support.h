// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TEST_UNIT_CRYPTO_SUPPORT_H_
#define SLUICE_TEST_UNIT_CRYPTO_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/aead.h"
#include "crypto/boringssl/module.h"
#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "crypto/key_schedule.h"
#include "crypto/primitives.h"

namespace sluice::crypto::test {

using Buffer = std::vector<uint8_t>;

inline int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

// Reads hexadecimal digits; anything else (spaces, line ends) is passed over.
inline Buffer from_hex(std::string_view text) {
  Buffer out;
  int high = -1;
  for (char c : text) {
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!digit) continue;
    if (high < 0) {
      high = hex_digit(c);
    } else {
      out.push_back(static_cast<uint8_t>(high << 4 | hex_digit(c)));
      high = -1;
    }
  }
  return out;
}

inline std::string to_hex(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (uint8_t b : bytes) {
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

inline const Primitives& primitives() { return sluice_boringssl_v1()->primitives; }

// Null where the processor lacks what the backend needs.
inline AeadBackend* ipsec_mb() {
  static const auto kBackend = make_ipsec_mb_backend();
  return kBackend.get();
}

inline AeadBackend* boringssl() {
  static const auto kBackend = make_boringssl_backend(sluice_boringssl_v1());
  return kBackend.get();
}

// Every encrypting backend that can be had here.
inline std::vector<AeadBackend*> backends() {
  std::vector<AeadBackend*> out = {boringssl()};
  if (ipsec_mb() != nullptr) out.push_back(ipsec_mb());
  return out;
}

inline constexpr AeadAlgorithm kAllAlgorithms[] = {
    AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm, AeadAlgorithm::kChaCha20Poly1305};

inline bool expand(AeadBackend* backend, AeadAlgorithm algorithm, std::span<const uint8_t> key,
                   std::span<const uint8_t> iv, AeadKey* out) {
  return backend->expand_key(algorithm, key, iv.first<kNonceSize>(), out);
}

// Ciphertext and tag.
inline Buffer seal(AeadBackend* backend, const AeadKey& key, uint64_t number,
                   std::span<const uint8_t> aad, std::span<const uint8_t> plain) {
  Buffer out(plain.size() + tag_size(key.algorithm));
  AeadJob job{.key = &key,
              .record_number = number,
              .aad = aad.data(),
              .aad_length = static_cast<uint32_t>(aad.size()),
              .in = plain.data(),
              .out = out.data(),
              .length = static_cast<uint32_t>(plain.size())};
  backend->submit_seal({&job, 1});
  if (!job.ok) out.clear();
  return out;
}

// True when `sealed` (ciphertext and tag) opens; `plain` then holds the plaintext.
inline bool open(AeadBackend* backend, const AeadKey& key, uint64_t number,
                 std::span<const uint8_t> aad, std::span<const uint8_t> sealed, Buffer* plain) {
  plain->resize(sealed.size() - tag_size(key.algorithm));
  AeadJob job{.key = &key,
              .record_number = number,
              .aad = aad.data(),
              .aad_length = static_cast<uint32_t>(aad.size()),
              .in = sealed.data(),
              .out = plain->data(),
              .length = static_cast<uint32_t>(plain->size())};
  backend->submit_open({&job, 1});
  return job.ok;
}

inline Secret secret_of(uint8_t first) {
  Secret out;
  for (size_t i = 0; i < out.bytes.size(); ++i) out.bytes[i] = static_cast<uint8_t>(first + i);
  return out;
}

}  // namespace sluice::crypto::test

#endif  // SLUICE_TEST_UNIT_CRYPTO_SUPPORT_H_
