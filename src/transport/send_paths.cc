// SPDX-License-Identifier: Apache-2.0
#include "transport/send_paths.h"

#include <algorithm>
#include <bit>

namespace sluice::transport {

void SendPaths::start(base::Prng* prng) {
  replace(UINT16_MAX, prng);
  turn_ = 0;
}

uint8_t SendPaths::next(base::Prng* prng) {
  static_assert(std::has_single_bit(kCount));
  if (turn_ == 0) {
    const uint64_t drawn = prng->next_u64();
    stride_ = static_cast<uint8_t>(drawn | 1);
    offset_ = static_cast<uint8_t>(drawn >> 8);
  }
  const auto path = static_cast<uint8_t>((offset_ + turn_ * stride_) % kCount);
  turn_ = static_cast<uint8_t>((turn_ + 1) % kCount);
  return path;
}

uint32_t SendPaths::replace(uint16_t paths, base::Prng* prng) {
  static_assert(kCount == 16, "a set of paths has 16 bits");
  for (uint32_t i = 0; i < kCount; ++i) {
    if ((paths >> i & 1) != 0) entropies_[i] = static_cast<uint16_t>(prng->next_u64());
  }
  return static_cast<uint32_t>(std::popcount(paths));
}

uint16_t PathTrail::taken(uint32_t first, uint32_t end, uint32_t newest) const {
  static_assert(SendPaths::kCount == 16, "four bits a path, 64 for all");
  first = std::max(first, newest < SendPaths::kCount ? 0 : newest - SendPaths::kCount + 1);
  uint32_t taken = 0;
  for (uint32_t record = first; record < end && record <= newest; ++record) {
    taken |= 1u << (paths_ >> 4 * (record % SendPaths::kCount) & 0xf);
  }
  return static_cast<uint16_t>(taken);
}

}  // namespace sluice::transport
