// SPDX-License-Identifier: Apache-2.0
//
// Packets of Sluice in the form of IPsec's ESP (PROTOCOL.md §18.4), which NICs seal: RFC 4303, with
// AES-GCM as RFC 4106 has it. All integers are big-endian. Nothing here allocates, throws or
// touches a clock.
#ifndef SLUICE_WIRE_ESP_H_
#define SLUICE_WIRE_ESP_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/byte_order.h"
#include "base/limits.h"
#include "wire/header.h"

namespace sluice::wire {

inline constexpr uint8_t kProtocolEsp = 50;
inline constexpr size_t kEspHeaderSize = 16;  // SPI, sequence and IV.
inline constexpr size_t kEspAadSize = 8;      // Of them, the first two.
inline constexpr size_t kEspTrailerMin = 2;   // The length of the padding, and the next header.
inline constexpr size_t kEspTrailerMax = 5;   // With the padding.
// Bytes that a packet has more than the Sluice packet in it, both with their tags, at most.
inline constexpr size_t kEspOverheadMax = kEspHeaderSize + kEspTrailerMax;
inline constexpr size_t kEspPacketMin =
    kEspHeaderSize + kBundleHeaderSize + kEspTrailerMin + 2 + kTagBytes;

// SPIs of a session: its lanes, by four epochs each. A receiver holds keys of three at a time.
inline constexpr uint32_t kEspEpochs = 4;
inline constexpr uint32_t kEspSpis = kEspEpochs * base::limits::kMaxLanesPerSession;

// Whether a receiver may choose this base (PROTOCOL MUST-S1): SPIs below 256 are reserved.
constexpr bool esp_base_valid(uint32_t base) { return base != 0 && base % kEspSpis == 0; }

constexpr uint32_t esp_spi(uint32_t base, uint8_t lane, uint8_t epoch_low) {  // PROTOCOL MUST-S2
  return base + kEspEpochs * lane + epoch_low % kEspEpochs;
}
// The base and the lane of an SPI, which name its receiver, as one number.
constexpr uint32_t esp_lane_key(uint32_t spi) { return spi / kEspEpochs; }
constexpr uint8_t esp_lane(uint32_t spi) {
  return static_cast<uint8_t>(spi / kEspEpochs % base::limits::kMaxLanesPerSession);
}

// What stands before what is sealed. The first two are its AAD.
struct EspHeader {
  uint32_t spi = 0;
  uint32_t sequence = 0;  // Of the SPI's key, from 1; no receiver judges by it.
  uint64_t iv = 0;        // The last 8 bytes of the nonce.

  static constexpr size_t kSize = kEspHeaderSize;

  void emit(uint8_t* out) const {
    base::store_be32(out, spi);
    base::store_be32(out + 4, sequence);
    base::store_be64(out + 8, iv);
  }

  friend bool operator==(const EspHeader&, const EspHeader&) = default;
};

// A packet of a length that ESP can have. Nothing of it is authentic before it was opened.
class EspView {
 public:
  // nullopt when it is too short for a BUNDLE without frames, or its sealed part is no multiple of
  // 4 bytes (PROTOCOL MUST-S3).
  static std::optional<EspView> parse(const uint8_t* data, size_t size) {
    if (size < kEspPacketMin || (size - kEspHeaderSize - kTagBytes) % 4 != 0) return std::nullopt;
    return EspView(data, size);
  }

  uint32_t spi() const { return base::load_be32(data_); }
  uint32_t sequence() const { return base::load_be32(data_ + 4); }
  uint64_t iv() const { return base::load_be64(data_ + 8); }
  EspHeader value() const { return {spi(), sequence(), iv()}; }
  // Bytes sealed, behind the header; the tag follows.
  uint32_t sealed_length() const {
    return static_cast<uint32_t>(size_ - kEspHeaderSize - kTagBytes);
  }

 private:
  EspView(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  const uint8_t* data_;
  size_t size_;
};

// Writes padding, its length and the next header behind `length` bytes of plaintext, which begin at
// `plaintext`; returns their number, kEspTrailerMin to kEspTrailerMax.
uint32_t write_esp_trailer(uint8_t* plaintext, uint32_t length, uint8_t next_header);

// Of a plaintext of `length` bytes, with its trailer: how many bytes are before that. nullopt when
// the trailer is not the one that write_esp_trailer() would have written.
std::optional<uint32_t> esp_content(const uint8_t* plaintext, uint32_t length, uint8_t next_header);

static_assert(kEspPacketMin % 4 == 0);
static_assert(kEspSpis >= 256, "the lowest base is none of the reserved SPIs");

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_ESP_H_
