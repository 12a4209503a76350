// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_BYTE_ORDER_H_
#define SLUICE_BASE_BYTE_ORDER_H_

#include <bit>
#include <cstdint>
#include <cstring>

namespace sluice::base {

static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big,
              "mixed-endian machines are not supported");

// Loads and stores of big-endian integers at any alignment.

constexpr uint16_t to_be16(uint16_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(v) : v;
}
constexpr uint32_t to_be32(uint32_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(v) : v;
}
constexpr uint64_t to_be64(uint64_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(v) : v;
}

inline uint16_t load_be16(const uint8_t* p) {
  uint16_t v;
  std::memcpy(&v, p, sizeof(v));
  return to_be16(v);
}
inline uint32_t load_be32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, sizeof(v));
  return to_be32(v);
}
inline uint64_t load_be64(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof(v));
  return to_be64(v);
}

inline void store_be16(uint8_t* p, uint16_t v) {
  v = to_be16(v);
  std::memcpy(p, &v, sizeof(v));
}
inline void store_be32(uint8_t* p, uint32_t v) {
  v = to_be32(v);
  std::memcpy(p, &v, sizeof(v));
}
inline void store_be64(uint8_t* p, uint64_t v) {
  v = to_be64(v);
  std::memcpy(p, &v, sizeof(v));
}

}  // namespace sluice::base

#endif  // SLUICE_BASE_BYTE_ORDER_H_
