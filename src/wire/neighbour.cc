// SPDX-License-Identifier: Apache-2.0
#include "wire/neighbour.h"

#include <cstring>

#include "base/byte_order.h"
#include "wire/checksum.h"

namespace sluice::wire {
namespace {

constexpr uint8_t kOptionSourceLinkAddress = 1;
constexpr uint8_t kOptionTargetLinkAddress = 2;
constexpr uint8_t kFlagRouter = 0x80;
constexpr uint8_t kFlagSolicited = 0x40;
constexpr uint8_t kFlagOverride = 0x20;
constexpr uint8_t kNdpHopLimit = 255;

size_t emit_ethernet(uint8_t* out, const MacAddress& destination, const MacAddress& source,
                     std::optional<uint16_t> vlan, uint16_t ether_type) {
  std::memcpy(out, destination.bytes, 6);
  std::memcpy(out + 6, source.bytes, 6);
  size_t at = 12;
  if (vlan) {
    base::store_be16(out + at, kEtherTypeVlan);
    base::store_be16(out + at + 2, *vlan & 0x0fff);
    at += kVlanTagSize;
  }
  base::store_be16(out + at, ether_type);
  return at + 2;
}

// Writes the IPv6 header and the message; returns their size.
size_t emit_ndp_packet(uint8_t* out, const NdpMessage& message, const IpAddress& source,
                       const IpAddress& destination) {
  std::memset(out, 0, kIpv6HeaderSize);
  out[0] = 0x60;
  base::store_be16(out + 4, static_cast<uint16_t>(message.size()));
  out[6] = kProtocolIcmpv6;
  out[7] = kNdpHopLimit;  // PROTOCOL MUST-F11
  std::memcpy(out + 8, source.bytes, 16);
  std::memcpy(out + 24, destination.bytes, 16);
  message.emit(out + kIpv6HeaderSize, source, destination);
  return kIpv6HeaderSize + message.size();
}

// Reads the options after the fixed part. False when one has length zero or overruns.
bool read_options(const uint8_t* data, size_t size, uint8_t wanted, NdpMessage* out) {
  size_t at = kNdpMessageSize;
  while (at < size) {
    if (size - at < kNdpOptionSize) return false;
    const size_t length = size_t{data[at + 1]} * 8;
    if (length == 0 || length > size - at) return false;
    if (data[at] == wanted) {
      if (length != kNdpOptionSize) return false;
      out->link_address = MacAddress::from_bytes(data + at + 2);
      if (out->link_address->is_group()) return false;
    }
    at += length;
  }
  return true;
}

bool is_solicited_node_group(const IpAddress& address) {
  static constexpr uint8_t kPrefix[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  return !address.v4 && std::memcmp(address.bytes, kPrefix, sizeof(kPrefix)) == 0;
}

// The rules of RFC 4861 §7.1.1 and §7.1.2 that tie a message to its addresses.
bool addresses_allowed(const NdpMessage& message, const IpAddress& source,
                       const IpAddress& destination) {
  if (message.target.is_multicast()) return false;
  if (message.type == NdpType::kSolicitation) {
    if (!source.is_unspecified()) return true;
    return is_solicited_node_group(destination) && !message.link_address;
  }
  if (source.is_unspecified()) return false;
  return !(destination.is_multicast() && message.solicited);
}

NeighbourEvent event_of_arp(const ArpPacket& packet) {
  NeighbourEvent out;
  out.sender_ip = packet.sender_ip;
  out.sender_mac = packet.sender_mac;
  if (packet.operation == ArpOperation::kRequest) {
    out.asks = true;
    out.wanted = packet.target_ip;
  } else {
    out.solicited = true;
  }
  if (!packet.sender_ip.is_unspecified()) {
    out.learned_ip = packet.sender_ip;
    out.learned_mac = packet.sender_mac;
  }
  return out;
}

NeighbourEvent event_of_ndp(const NdpMessage& message, const ParsedFrame& frame) {
  NeighbourEvent out;
  out.sender_ip = frame.source;
  out.sender_mac = message.link_address.value_or(frame.source_mac);
  if (message.type == NdpType::kSolicitation) {
    out.asks = true;
    out.wanted = message.target;
    if (message.link_address) out.learned_ip = frame.source;
  } else {
    out.solicited = message.solicited;
    out.learned_ip = message.target;
  }
  out.learned_mac = out.sender_mac;
  return out;
}

}  // namespace

void ArpPacket::emit(uint8_t* out) const {
  base::store_be16(out, 1);  // Ethernet
  base::store_be16(out + 2, kEtherTypeIpv4);
  out[4] = 6;
  out[5] = 4;
  base::store_be16(out + 6, static_cast<uint16_t>(operation));
  std::memcpy(out + 8, sender_mac.bytes, 6);
  std::memcpy(out + 14, sender_ip.bytes + 12, 4);
  std::memcpy(out + 18, target_mac.bytes, 6);
  std::memcpy(out + 24, target_ip.bytes + 12, 4);
}

std::optional<ArpPacket> ArpPacket::parse(const uint8_t* data, size_t size) {
  // PROTOCOL MUST-F10
  if (size < kSize || base::load_be16(data) != 1 || base::load_be16(data + 2) != kEtherTypeIpv4 ||
      data[4] != 6 || data[5] != 4) {
    return std::nullopt;
  }
  const uint16_t operation = base::load_be16(data + 6);
  if (operation != 1 && operation != 2) return std::nullopt;
  ArpPacket out;
  out.operation = static_cast<ArpOperation>(operation);
  out.sender_mac = MacAddress::from_bytes(data + 8);
  out.sender_ip = IpAddress::from_v4_bytes(data + 14);
  out.target_mac = MacAddress::from_bytes(data + 18);
  out.target_ip = IpAddress::from_v4_bytes(data + 24);
  if (out.sender_mac.is_group() || out.sender_mac.is_zero() || out.sender_ip.is_multicast()) {
    return std::nullopt;
  }
  return out;
}

void NdpMessage::emit(uint8_t* out, const IpAddress& source, const IpAddress& destination) const {
  std::memset(out, 0, size());
  out[0] = static_cast<uint8_t>(type);
  if (type == NdpType::kAdvertisement) {
    out[4] = static_cast<uint8_t>((router ? kFlagRouter : 0) | (solicited ? kFlagSolicited : 0) |
                                  (override_entry ? kFlagOverride : 0));
  }
  std::memcpy(out + 8, target.bytes, 16);
  if (link_address) {
    out[kNdpMessageSize] =
        type == NdpType::kSolicitation ? kOptionSourceLinkAddress : kOptionTargetLinkAddress;
    out[kNdpMessageSize + 1] = 1;  // in units of 8 bytes
    std::memcpy(out + kNdpMessageSize + 2, link_address->bytes, 6);
  }
  base::store_be16(out + 2, l4_checksum(source, destination, kProtocolIcmpv6, out, size()));
}

std::optional<NdpMessage> NdpMessage::parse(const uint8_t* data, size_t size,
                                            const IpAddress& source, const IpAddress& destination) {
  // PROTOCOL MUST-F11
  if (size < kNdpMessageSize || data[1] != 0) return std::nullopt;
  if (data[0] != static_cast<uint8_t>(NdpType::kSolicitation) &&
      data[0] != static_cast<uint8_t>(NdpType::kAdvertisement)) {
    return std::nullopt;
  }
  if (!l4_checksum_ok(source, destination, kProtocolIcmpv6, data, size)) return std::nullopt;
  NdpMessage out;
  out.type = static_cast<NdpType>(data[0]);
  const bool advertisement = out.type == NdpType::kAdvertisement;
  if (advertisement) {
    out.router = (data[4] & kFlagRouter) != 0;
    out.solicited = (data[4] & kFlagSolicited) != 0;
    out.override_entry = (data[4] & kFlagOverride) != 0;
  }
  out.target = IpAddress::from_v6_bytes(data + 8);
  const uint8_t wanted = advertisement ? kOptionTargetLinkAddress : kOptionSourceLinkAddress;
  if (!read_options(data, size, wanted, &out)) return std::nullopt;
  if (!addresses_allowed(out, source, destination)) return std::nullopt;
  return out;
}

IpAddress solicited_node_group(const IpAddress& address) {
  IpAddress out;
  out.bytes[0] = 0xff;
  out.bytes[1] = 0x02;
  out.bytes[11] = 0x01;
  out.bytes[12] = 0xff;
  std::memcpy(out.bytes + 13, address.bytes + 13, 3);
  return out;
}

IpAddress link_local_address(const MacAddress& mac) {
  IpAddress out;
  out.bytes[0] = 0xfe;
  out.bytes[1] = 0x80;
  std::memcpy(out.bytes + 8, mac.bytes, 3);
  out.bytes[8] ^= 0x02;
  out.bytes[11] = 0xff;
  out.bytes[12] = 0xfe;
  std::memcpy(out.bytes + 13, mac.bytes + 3, 3);
  return out;
}

size_t emit_neighbour_request(uint8_t* out, const MacAddress& own_mac, const IpAddress& own_ip,
                              const IpAddress& target, std::optional<uint16_t> vlan) {
  if (target.v4) {
    const size_t at = emit_ethernet(out, MacAddress::broadcast(), own_mac, vlan, kEtherTypeArp);
    const ArpPacket packet{ArpOperation::kRequest, own_mac, own_ip, MacAddress{}, target};
    packet.emit(out + at);
    return at + kArpPacketSize;
  }
  const IpAddress group = solicited_node_group(target);
  const size_t at =
      emit_ethernet(out, MacAddress::for_multicast(group), own_mac, vlan, kEtherTypeIpv6);
  NdpMessage message;
  message.target = target;
  message.link_address = own_mac;
  return at + emit_ndp_packet(out + at, message, own_ip, group);
}

std::optional<NeighbourEvent> parse_neighbour(const uint8_t* data, size_t size,
                                              const ParsedFrame& frame) {
  if (frame.payload_offset > size || frame.payload_length > size - frame.payload_offset) {
    return std::nullopt;
  }
  const uint8_t* const payload = data + frame.payload_offset;
  std::optional<NeighbourEvent> out;
  if (frame.kind == FrameKind::kArp) {
    const std::optional<ArpPacket> packet = ArpPacket::parse(payload, frame.payload_length);
    if (packet) out = event_of_arp(*packet);
  } else if (frame.kind == FrameKind::kNdp) {
    const std::optional<NdpMessage> message =
        NdpMessage::parse(payload, frame.payload_length, frame.source, frame.destination);
    if (message) out = event_of_ndp(*message, frame);
  }
  if (out && frame.tagged) out->vlan = frame.vlan;
  return out;
}

size_t emit_neighbour_reply(uint8_t* out, const MacAddress& own_mac,
                            const NeighbourEvent& question) {
  if (question.wanted.v4) {
    const size_t at =
        emit_ethernet(out, question.sender_mac, own_mac, question.vlan, kEtherTypeArp);
    const ArpPacket packet{ArpOperation::kReply, own_mac, question.wanted, question.sender_mac,
                           question.sender_ip};
    packet.emit(out + at);
    return at + kArpPacketSize;
  }
  // Someone who checks for a duplicate has no address yet: all nodes are told (RFC 4861 §7.2.4).
  const bool anonymous = question.sender_ip.is_unspecified();
  IpAddress destination = question.sender_ip;
  if (anonymous) {
    destination = IpAddress{};
    destination.bytes[0] = 0xff;
    destination.bytes[1] = 0x02;
    destination.bytes[15] = 0x01;
  }
  const MacAddress next_hop =
      anonymous ? MacAddress::for_multicast(destination) : question.sender_mac;
  const size_t at = emit_ethernet(out, next_hop, own_mac, question.vlan, kEtherTypeIpv6);
  NdpMessage message;
  message.type = NdpType::kAdvertisement;
  message.solicited = !anonymous;
  message.override_entry = true;
  message.target = question.wanted;
  message.link_address = own_mac;
  return at + emit_ndp_packet(out + at, message, question.wanted, destination);
}

}  // namespace sluice::wire
