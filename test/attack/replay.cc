// SPDX-License-Identifier: Apache-2.0
#include "replay.h"

#include <algorithm>
#include <optional>

namespace sluice::attack {
namespace {

using namespace wire::offsets;

// With a header in clear.
bool is_sealed(const Packet& packet) {
  return !packet.esp && (is_type(packet.bytes, wire::PacketType::kData) ||
                         is_type(packet.bytes, wire::PacketType::kBundle) ||
                         is_type(packet.bytes, wire::PacketType::kRecord));
}

void copy_field(const Bytes& from, size_t at, size_t size, Bytes* to) {
  std::copy_n(from.begin() + static_cast<ptrdiff_t>(at), size,
              to->begin() + static_cast<ptrdiff_t>(at));
}

}  // namespace

std::vector<Forgery> replay(const std::vector<Packet>& recorded, base::Prng* prng) {
  std::vector<Forgery> out;
  for (const Packet& packet : recorded) out.push_back({packet, "once more"});
  for (auto it = recorded.rbegin(); it != recorded.rend(); ++it) {
    out.push_back({*it, "once more, backwards"});
  }
  std::vector<size_t> order(recorded.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[prng->uniform(i)]);
  for (const size_t i : order) out.push_back({recorded[i], "once more, in any order"});
  return out;
}

std::vector<Forgery> transplant(const std::vector<Packet>& recorded, const Packet& into) {
  std::vector<Forgery> out;
  for (const Packet& packet : recorded) {
    if (packet.way != into.way || !is_sealed(packet)) continue;
    Forgery forged{packet, "of another session"};
    copy_field(into.bytes, kSession, 4, &forged.packet.bytes);
    copy_field(into.bytes, kEpoch, 1, &forged.packet.bytes);
    copy_field(into.bytes, kLane, 1, &forged.packet.bytes);
    out.push_back(std::move(forged));
  }
  return out;
}

std::vector<Forgery> reflect(const std::vector<Packet>& recorded) {
  std::vector<Forgery> out;
  std::optional<Packet> latest[2];
  for (const Packet& packet : recorded) {
    if (is_sealed(packet)) latest[static_cast<size_t>(packet.way)] = packet;
  }
  for (const Packet& packet : recorded) {
    Forgery back{{reverse(packet.way), packet.bytes, packet.esp}, "reflected"};
    out.push_back(back);
    const auto& other = latest[static_cast<size_t>(back.packet.way)];
    if (!is_sealed(packet) || !other) continue;
    copy_field(other->bytes, kSession, 4, &back.packet.bytes);
    back.what = "reflected to the sender's session";
    out.push_back(back);
    // The initiator bit stands in the number and in the bits, and has to be the same in both.
    if (is_type(packet.bytes, wire::PacketType::kBundle)) continue;
    back.packet.bytes[kRecordNumber] ^= 0x40;
    back.packet.bytes[kBits] ^= wire::kBitInitiator;
    back.what = "reflected with exchanged roles";
    out.push_back(std::move(back));
  }
  return out;
}

}  // namespace sluice::attack
