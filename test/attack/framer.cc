// SPDX-License-Identifier: Apache-2.0
#include "framer.h"

#include <algorithm>

namespace sluice::attack {

wire::ParsedFrame parse(std::span<const uint8_t> frame) {
  wire::FrameFilter filter;
  filter.verify_ip_checksum = false;
  filter.esp = true;
  return wire::parse_frame(frame.data(), frame.size(), filter);
}

std::optional<Packet> Framer::read(Way way, std::span<const uint8_t> frame) {
  const wire::ParsedFrame parsed = parse(frame);
  const bool esp = parsed.kind == wire::FrameKind::kSluiceEsp;
  const bool native = parsed.kind == wire::FrameKind::kSluiceNative;
  if (!esp && !native && parsed.kind != wire::FrameKind::kSluiceUdp) return std::nullopt;
  const auto begin = frame.begin() + parsed.payload_offset;
  Packet packet{way, Bytes(begin, begin + parsed.payload_length), esp};
  if (esp) return packet;
  Learned learned;
  learned.path.source_mac = parsed.source_mac;
  learned.path.destination_mac = parsed.destination_mac;
  if (parsed.tagged) learned.path.vlan = parsed.vlan;
  learned.path.source = parsed.source;
  learned.path.destination = parsed.destination;
  learned.path.destination_port = parsed.destination_port;
  learned.path.encapsulation = native ? wire::Encapsulation::kNative : wire::Encapsulation::kUdp;
  learned.source_port = parsed.source_port;
  // Handshakes come from the base port, to which answers go; the ports of others are entropy.
  if (!paths_[index(way)] || is_type(packet.bytes, wire::PacketType::kHandshake)) {
    paths_[index(way)] = learned;
  }
  return packet;
}

Bytes Framer::frame(const Packet& packet) const {
  const Learned& learned = *paths_[index(packet.way)];
  const wire::FrameTemplate headers(learned.path);
  const size_t before = packet.esp ? headers.l2_size() + headers.l3_size() : headers.header_size();
  Bytes out(before);
  out.insert(out.end(), packet.bytes.begin(), packet.bytes.end());
  // The checksum of the IP protocol of its own lies within a header, which may have been cut off.
  const size_t whole = out.size();
  out.resize(std::max(whole, before + wire::kCommonHeaderSize));
  if (packet.esp) {
    headers.prepend_esp(out.data() + before, packet.bytes.size(), 0);
  } else {
    headers.prepend(out.data() + before, packet.bytes.size(), learned.source_port, 0, false);
  }
  out.resize(whole);
  return out;
}

Bytes Framer::frame_from(const wire::MacAddress& mac, const wire::IpAddress& source, uint16_t port,
                         const Packet& packet) const {
  Framer other = *this;
  other.paths_[index(packet.way)]->path.source_mac = mac;
  other.paths_[index(packet.way)]->path.source = source;
  other.paths_[index(packet.way)]->source_port = port;
  return other.frame(packet);
}

std::optional<Bytes> arp_answer(std::span<const uint8_t> frame, const wire::IpAddress& address,
                                const wire::MacAddress& mac) {
  const wire::ParsedFrame parsed = parse(frame);
  if (parsed.kind != wire::FrameKind::kArp) return std::nullopt;
  const auto event = wire::parse_neighbour(frame.data(), frame.size(), parsed);
  if (!event || !event->asks || event->wanted != address) return std::nullopt;
  Bytes out(wire::kMaxNeighbourFrameSize);
  out.resize(wire::emit_neighbour_reply(out.data(), mac, *event));
  return out;
}

}  // namespace sluice::attack
