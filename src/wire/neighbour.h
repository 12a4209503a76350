// SPDX-License-Identifier: Apache-2.0
//
// ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861): whole frames built and checked, so that
// a poll-mode port can find the link address of a peer and answer for its own. Control path.
#ifndef SLUICE_WIRE_NEIGHBOUR_H_
#define SLUICE_WIRE_NEIGHBOUR_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "wire/frame.h"
#include "wire/ip_address.h"

namespace sluice::wire {

inline constexpr size_t kArpPacketSize = 28;
inline constexpr size_t kNdpMessageSize = 24;  // NS or NA without options
inline constexpr size_t kNdpOptionSize = 8;    // a link-address option
// Room that any emit_*_frame() of this file needs.
inline constexpr size_t kMaxNeighbourFrameSize =
    kEthernetHeaderSize + kVlanTagSize + kIpv6HeaderSize + kNdpMessageSize + kNdpOptionSize;

enum class ArpOperation : uint16_t { kRequest = 1, kReply = 2 };

// An ARP packet for IPv4 over Ethernet.
struct ArpPacket {
  ArpOperation operation = ArpOperation::kRequest;
  MacAddress sender_mac;
  IpAddress sender_ip;  // v4; unspecified in a probe (RFC 5227)
  MacAddress target_mac;
  IpAddress target_ip;  // v4

  static constexpr size_t kSize = kArpPacketSize;

  void emit(uint8_t* out) const;
  // `data` is the payload of a frame of kind kArp. nullopt when short, not Ethernet and IPv4,
  // not a request or reply, or with a group or zero sender MAC.
  static std::optional<ArpPacket> parse(const uint8_t* data, size_t size);

  friend bool operator==(const ArpPacket&, const ArpPacket&) = default;
};

enum class NdpType : uint8_t { kSolicitation = 135, kAdvertisement = 136 };

// A neighbour solicitation or advertisement, with its link-address option if there is one.
struct NdpMessage {
  NdpType type = NdpType::kSolicitation;
  bool router = false;  // advertisement flags
  bool solicited = false;
  bool override_entry = false;
  IpAddress target;
  std::optional<MacAddress> link_address;  // source's in NS, target's in NA

  size_t size() const { return kNdpMessageSize + (link_address ? kNdpOptionSize : 0); }

  // Writes size() bytes of ICMPv6 with the checksum for these addresses.
  void emit(uint8_t* out, const IpAddress& source, const IpAddress& destination) const;
  // `data` is the payload of a frame of kind kNdp (parse_frame has checked the hop limit).
  // nullopt when short, with a wrong checksum or code, a multicast target, a bad option, or
  // against the rules of RFC 4861 §7.1 for its addresses.
  static std::optional<NdpMessage> parse(const uint8_t* data, size_t size, const IpAddress& source,
                                         const IpAddress& destination);

  friend bool operator==(const NdpMessage&, const NdpMessage&) = default;
};

// The multicast group that listens for solicitations of `address`: ff02::1:ff00:0/104 and
// the last three bytes of it (RFC 4291 §2.7.1).
IpAddress solicited_node_group(const IpAddress& address);

// The link-local address that EUI-64 makes from a MAC (fe80::/64).
IpAddress link_local_address(const MacAddress& mac);

// Writes a whole Ethernet frame asking who has `target` (ARP for v4, NS for v6, both by
// multicast). `out` has room for kMaxNeighbourFrameSize bytes. Returns the frame's size.
size_t emit_neighbour_request(uint8_t* out, const MacAddress& own_mac, const IpAddress& own_ip,
                              const IpAddress& target, std::optional<uint16_t> vlan);

// What a received ARP or NDP frame tells and asks.
struct NeighbourEvent {
  bool asks = false;                    // it asks for `wanted`; answer if that is our address
  IpAddress wanted;                     // the address asked for
  std::optional<IpAddress> learned_ip;  // sender's or target's address and ...
  MacAddress learned_mac;               // ... where it lives, when learned_ip is set
  bool solicited = false;               // the mapping answers a question (reply, or NA with S)
  IpAddress sender_ip;                  // where an answer goes; may be unspecified
  MacAddress sender_mac;
  std::optional<uint16_t> vlan;
};

// Reads a frame of kind kArp or kNdp; nullopt when it breaks the protocol's rules.
std::optional<NeighbourEvent> parse_neighbour(const uint8_t* data, size_t size,
                                              const ParsedFrame& frame);

// Writes the answer to an event that asks for our address. Returns the frame's size.
size_t emit_neighbour_reply(uint8_t* out, const MacAddress& own_mac,
                            const NeighbourEvent& question);

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_NEIGHBOUR_H_
