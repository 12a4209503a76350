// SPDX-License-Identifier: Apache-2.0
#include "wire/padding.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/byte_order.h"

namespace sluice::wire {

uint64_t padded_length(uint32_t content) {
  const uint64_t least = uint64_t{content} + kLengthPrefix;
  if (least <= kLeastBucket) return kLeastBucket;
  if (least <= kPowerBuckets) return std::bit_ceil(least);
  // Padmé keeps the exponent of the length, and of its mantissa as many bits as the exponent has:
  // the rest is rounded up to zeros.
  const auto exponent = static_cast<unsigned>(std::bit_width(least)) - 1;
  const auto kept = static_cast<unsigned>(std::bit_width(exponent));
  const uint64_t rest = (uint64_t{1} << (exponent - kept)) - 1;
  return (least + rest) & ~rest;
}

void copy_padded(std::span<const uint8_t> content, uint32_t offset, std::span<uint8_t> out) {
  uint8_t prefix[kLengthPrefix];
  base::store_be32(prefix, static_cast<uint32_t>(content.size()));
  size_t at = 0;
  while (at < out.size() && offset + at < kLengthPrefix) {
    out[at] = prefix[offset + at];
    ++at;
  }
  const size_t begin = offset + at - std::min<size_t>(kLengthPrefix, offset + at);
  if (at < out.size() && begin < content.size()) {
    const size_t size = std::min(out.size() - at, content.size() - begin);
    std::memcpy(out.data() + at, content.data() + begin, size);
    at += size;
  }
  if (at < out.size()) std::memset(out.data() + at, 0, out.size() - at);
}

std::vector<uint8_t> padded_message(std::span<const uint8_t> content) {
  std::vector<uint8_t> out(padded_length(static_cast<uint32_t>(content.size())));
  copy_padded(content, 0, out);
  return out;
}

// A block at a time, so that the compiler may compare many bytes at once.
bool all_zeros(std::span<const uint8_t> bytes) {
  constexpr size_t kBlock = 64;
  while (!bytes.empty()) {
    const size_t size = std::min(kBlock, bytes.size());
    uint8_t any = 0;
    for (const uint8_t byte : bytes.first(size)) any |= byte;
    if (any != 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

}  // namespace sluice::wire
