// SPDX-License-Identifier: Apache-2.0
#include "wire/esp.h"

namespace sluice::wire {
namespace {

// As many as fill up to a multiple of 4 bytes.
constexpr uint32_t padding_of(uint32_t length) {
  return (4 - (length + static_cast<uint32_t>(kEspTrailerMin)) % 4) % 4;
}

}  // namespace

uint32_t write_esp_trailer(uint8_t* plaintext, uint32_t length, uint8_t next_header) {
  uint8_t* at = plaintext + length;
  const uint32_t padding = padding_of(length);
  for (uint32_t i = 1; i <= padding; ++i) *at++ = static_cast<uint8_t>(i);  // RFC 4303 §2.4
  *at++ = static_cast<uint8_t>(padding);
  *at = next_header;
  return padding + static_cast<uint32_t>(kEspTrailerMin);
}

std::optional<uint32_t> esp_content(const uint8_t* plaintext, uint32_t length,
                                    uint8_t next_header) {  // PROTOCOL MUST-S3
  if (length < kEspTrailerMin || plaintext[length - 1] != next_header) return std::nullopt;
  const uint32_t trailer = plaintext[length - 2] + static_cast<uint32_t>(kEspTrailerMin);
  if (trailer > kEspTrailerMax || trailer > length || length % 4 != 0) return std::nullopt;
  const uint8_t* const padding = plaintext + (length - trailer);
  for (uint32_t i = 0; i + kEspTrailerMin < trailer; ++i) {
    if (padding[i] != i + 1) return std::nullopt;
  }
  return length - trailer;
}

}  // namespace sluice::wire
