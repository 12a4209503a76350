// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_HKDF_H_
#define SLUICE_CRYPTO_HKDF_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/primitives.h"

namespace sluice::crypto {

// HKDF of RFC 5869 over HMAC-SHA-256. Nothing here allocates; intermediate values are wiped.

inline constexpr size_t kHkdfMaxOutput = 255 * kSha256Size;  // Bytes, RFC 5869 section 2.3.
inline constexpr size_t kHkdfMaxLabel = 255 - 7;  // Bytes of label after the fixed prefix.
inline constexpr size_t kHkdfMaxContext = 255;    // Bytes of context of an expanded label.
inline constexpr std::string_view kHkdfLabelPrefix = "sluice ";

// PRK = HMAC(salt, input).
void hkdf_extract(const Primitives& primitives, std::span<const uint8_t> salt,
                  std::span<const uint8_t> input, std::span<uint8_t, kSha256Size> prk);

// Fills `out` from the PRK. At most kHkdfMaxOutput bytes: asking for more is a checked bug.
void hkdf_expand(const Primitives& primitives, std::span<const uint8_t, kSha256Size> prk,
                 std::span<const uint8_t> info, std::span<uint8_t> out);

// HKDF-Expand-Label of RFC 8446 section 7.1 with the prefix "sluice " in place of "tls13 ":
//   info = u16 length of out || u8 length of prefix and label || prefix || label
//          || u8 length of context || context
void hkdf_expand_label(const Primitives& primitives, std::span<const uint8_t, kSha256Size> secret,
                       std::string_view label, std::span<const uint8_t> context,
                       std::span<uint8_t> out);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_HKDF_H_
