// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_HASH_H_
#define SLUICE_BASE_HASH_H_

#include <bit>
#include <cstdint>

namespace sluice::base {

// The two halves of a 128-bit product, folded: each bit of both factors reaches the whole result.
constexpr uint64_t folded_multiply(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// A keyed 64-bit mixer for hash tables: whoever does not know the seed cannot aim keys at one
// bucket by simple means. It is not a cryptographic hash.
constexpr uint64_t mix64(uint64_t value, uint64_t seed) {
  const uint64_t first = folded_multiply(value ^ seed, 0x9E3779B97F4A7C15u);
  return folded_multiply(first ^ std::rotl(seed, 32), 0xD6E8FEB86659FD93u);
}

}  // namespace sluice::base

#endif  // SLUICE_BASE_HASH_H_
