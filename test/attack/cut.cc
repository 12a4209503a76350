// SPDX-License-Identifier: Apache-2.0
#include "cut.h"

#include <algorithm>

namespace sluice::attack {
namespace {

constexpr size_t kAround = 24;  // Lengths about an interesting place that are all tried.
constexpr size_t kStride = 97;  // Between the others.
constexpr size_t kLonger = 20;

}  // namespace

std::vector<Forgery> cut_and_lengthen(const Packet& packet) {
  std::vector<Forgery> out;
  const size_t size = packet.bytes.size();
  const size_t clear = clear_size(packet);
  for (size_t length = 0; length < size; ++length) {
    const bool near = length < clear + kAround || size - length <= kAround;
    if (!near && length % kStride != 0) continue;
    Forgery forged{packet, "cut to " + std::to_string(length)};
    forged.packet.bytes.resize(length);
    out.push_back(std::move(forged));
  }
  for (size_t more = 1; more <= kLonger; ++more) {
    Forgery forged{packet, "longer by " + std::to_string(more)};
    forged.packet.bytes.resize(size + more);
    out.push_back(std::move(forged));
  }
  return out;
}

std::vector<Forgery> flip_bits(const Packet& packet, size_t count, base::Prng* prng) {
  std::vector<Forgery> out;
  const size_t size = packet.bytes.size();
  const auto flip = [&](size_t at) {
    Forgery forged{packet, "a bit of byte " + std::to_string(at)};
    forged.packet.bytes[at] ^= static_cast<uint8_t>(1u << prng->uniform(8));
    out.push_back(std::move(forged));
  };
  const size_t clear = clear_size(packet);
  if (!packet.esp && is_type(packet.bytes, wire::PacketType::kBundle)) {
    for (size_t at = wire::kBundleHeaderSize; at < clear; ++at) flip(at);
  }
  for (size_t i = 0; i < count && clear < size; ++i) flip(clear + prng->uniform(size - clear));
  for (size_t at = size - std::min(size - clear, wire::kTagBytes); at < size; ++at) flip(at);
  return out;
}

}  // namespace sluice::attack
