// SPDX-License-Identifier: Apache-2.0
#include "recording.h"

#include <algorithm>

#include "base/byte_order.h"
#include "wire/record_packet.h"

namespace sluice::attack {
namespace {

constexpr Way kWays[] = {Way::kToServer, Way::kToClient};

}  // namespace

size_t clear_size(const Bytes& bytes) {
  size_t size = wire::kCommonHeaderSize;
  switch (static_cast<wire::PacketType>(type_byte(bytes))) {
    case wire::PacketType::kData:
      size = wire::kDataHeaderSize;
      break;
    case wire::PacketType::kBundle:
      size = wire::kBundleHeaderSize;
      if (bytes.size() >= size) size += base::load_be16(&bytes[wire::offsets::kClearLength]);
      break;
    case wire::PacketType::kHandshake:
      size = wire::kHandshakeHeaderSize;
      break;
    case wire::PacketType::kReset:
      break;
    case wire::PacketType::kRecord:
      size = wire::kRecordHeaderSize;
      break;
  }
  return std::min(size, bytes.size());
}

size_t Recording::slot_of(const Packet& packet) {
  if (packet.esp) return kEsp;
  const size_t type = type_byte(packet.bytes);
  return type < kEsp ? type : 0;
}

void Recording::read(const Packet& packet) {
  auto& kept = kept_packets_[static_cast<size_t>(packet.way) * kTypes + slot_of(packet)];
  kept.push_back({next_++, packet.bytes});
  if (kept.size() > kept_) kept.pop_front();
}

std::vector<Packet> Recording::all() const {
  std::vector<std::pair<uint64_t, Packet>> numbered;
  for (const Way way : kWays) {
    for (size_t slot = 0; slot < kTypes; ++slot) {
      for (const Kept& each : at(way, slot)) {
        numbered.push_back({each.number, {way, each.bytes, slot == kEsp}});
      }
    }
  }
  std::sort(numbered.begin(), numbered.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Packet> out;
  out.reserve(numbered.size());
  for (auto& each : numbered) out.push_back(std::move(each.second));
  return out;
}

std::vector<Packet> Recording::of(Way way, wire::PacketType type) const {
  std::vector<Packet> out;
  for (const Kept& each : at(way, static_cast<size_t>(type))) out.push_back({way, each.bytes});
  return out;
}

std::vector<Packet> Recording::samples() const {
  std::vector<Packet> out;
  for (const Way way : kWays) {
    for (size_t slot = 0; slot < kEsp; ++slot) {
      const std::deque<Kept>& kept = at(way, slot);
      if (kept.empty()) continue;
      const auto longest = std::max_element(
          kept.begin(), kept.end(),
          [](const Kept& a, const Kept& b) { return a.bytes.size() < b.bytes.size(); });
      out.push_back({way, kept.back().bytes});
      if (longest->number != kept.back().number) out.push_back({way, longest->bytes});
    }
  }
  return out;
}

std::vector<Packet> Recording::sealed(size_t most) const {
  std::vector<Packet> out;
  for (const Way way : kWays) {
    for (const auto type :
         {wire::PacketType::kData, wire::PacketType::kBundle, wire::PacketType::kRecord}) {
      const std::deque<Kept>& kept = at(way, static_cast<size_t>(type));
      for (size_t i = kept.size() - std::min(most, kept.size()); i < kept.size(); ++i) {
        out.push_back({way, kept[i].bytes});
      }
    }
  }
  return out;
}

std::vector<Packet> Recording::esp(size_t most) const {
  std::vector<Packet> out;
  for (const Way way : kWays) {
    const std::deque<Kept>& kept = at(way, kEsp);
    for (size_t i = kept.size() - std::min(most, kept.size()); i < kept.size(); ++i) {
      out.push_back({way, kept[i].bytes, true});
    }
  }
  return out;
}

}  // namespace sluice::attack
