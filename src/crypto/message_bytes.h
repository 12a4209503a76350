// SPDX-License-Identifier: Apache-2.0
//
// What the codecs of all handshake messages are written with.
#ifndef SLUICE_CRYPTO_MESSAGE_BYTES_H_
#define SLUICE_CRYPTO_MESSAGE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_order.h"
#include "base/check.h"

namespace sluice::crypto {

inline std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline void append(std::vector<uint8_t>* out, std::span<const uint8_t> bytes) {
  out->insert(out->end(), bytes.begin(), bytes.end());
}

// `value` fits 16 bits; big-endian.
inline void append_u16(std::vector<uint8_t>* out, size_t value) {
  SLUICE_CHECK(value <= UINT16_MAX);
  uint8_t bytes[2];
  base::store_be16(bytes, static_cast<uint16_t>(value));
  append(out, bytes);
}

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_MESSAGE_BYTES_H_
