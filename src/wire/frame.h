// SPDX-License-Identifier: Apache-2.0
//
// What stands before the Sluice header on the wire: Ethernet II, 802.1Q, IPv4 or IPv6, and UDP or
// (native mode) the four port bytes of Sluice's own IP protocol. FrameTemplate writes it,
// parse_frame() reads it. Both are hot-path code: no allocation, no clock.
#ifndef SLUICE_WIRE_FRAME_H_
#define SLUICE_WIRE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "wire/esp.h"
#include "wire/header.h"
#include "wire/ip_address.h"

namespace sluice::wire {

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeVlan = 0x8100;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr uint8_t kProtocolUdp = 17;
inline constexpr uint8_t kProtocolIcmpv6 = 58;
inline constexpr uint8_t kProtocolNative = 253;  // RFC 3692 experimentation; configurable
inline constexpr uint8_t kDefaultHopLimit = 64;

inline constexpr size_t kEthernetHeaderSize = 14;
inline constexpr size_t kVlanTagSize = 4;
inline constexpr size_t kIpv4HeaderSize = 20;
inline constexpr size_t kIpv6HeaderSize = 40;
inline constexpr size_t kUdpHeaderSize = 8;
// The most that FrameTemplate::prepend() writes before the Sluice header.
inline constexpr size_t kMaxFrameHeaderSize =
    kEthernetHeaderSize + kVlanTagSize + kIpv6HeaderSize + kUdpHeaderSize;

// The two ECN bits of the TOS byte (traffic class).
enum class Ecn : uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCongestionExperienced = 3 };

enum class Encapsulation : uint8_t { kUdp, kNative };

// The largest Sluice packet (header to tag) that fits an IP packet of `mtu` bytes.
constexpr size_t max_packet_size(size_t mtu, bool v4, Encapsulation encapsulation) {
  const size_t overhead = (v4 ? kIpv4HeaderSize : kIpv6HeaderSize) +
                          (encapsulation == Encapsulation::kUdp ? kUdpHeaderSize : kPortBytes);
  return mtu > overhead ? mtu - overhead : 0;
}

// Where frames of one template go. Both addresses are of the same family.
struct FramePath {
  MacAddress source_mac;
  MacAddress destination_mac;
  std::optional<uint16_t> vlan;  // 802.1Q id, 0 to 4095; no tag when absent
  IpAddress source;
  IpAddress destination;
  uint16_t destination_port = 0;  // names the lane
  Encapsulation encapsulation = Encapsulation::kUdp;
  uint8_t native_protocol = kProtocolNative;
};

// The headers of one path, built once and copied before each packet.
class FrameTemplate {
 public:
  FrameTemplate() = default;  // of no use before it is assigned
  explicit FrameTemplate(const FramePath& path);

  // Writes all headers into the header_size() bytes before `packet`, which holds a complete,
  // sealed Sluice packet of `length` bytes; in native mode also writes the checksum inside the
  // Sluice header. The caller owns the headroom. `source_port` is entropy for the network,
  // `priority` 0 to 7 (7 is the highest) goes to DSCP and to the VLAN tag. With
  // `checksum_offload` the L4 checksum field is left as the pseudo-header's sum for the NIC to
  // finish; without, it is computed on IPv6 and zero (none) on IPv4. Returns header_size().
  size_t prepend(uint8_t* packet, size_t length, uint16_t source_port, uint8_t priority,
                 bool checksum_offload) const;

  // The same for a packet in the form of ESP (wire/esp.h), from its SPI to its tag: the headers up
  // to IP, which then says protocol 50, and no ports. Returns l2_size() + l3_size().
  size_t prepend_esp(uint8_t* packet, size_t length, uint8_t priority) const;

  size_t header_size() const { return l2_size_ + l3_size_ + l4_size_; }
  size_t l2_size() const { return l2_size_; }
  size_t l3_size() const { return l3_size_; }
  size_t l4_size() const { return l4_size_; }  // UDP 8; native 4, the ports only
  bool v4() const { return l3_size_ == kIpv4HeaderSize; }
  Encapsulation encapsulation() const {
    return l4_size_ == kUdpHeaderSize ? Encapsulation::kUdp : Encapsulation::kNative;
  }
  // Copies with another next hop or another lane's port cost no rebuilding.
  void set_destination_mac(const MacAddress& mac);
  void set_destination_port(uint16_t port);
  MacAddress destination_mac() const { return MacAddress::from_bytes(bytes_); }
  uint16_t destination_port() const { return base::load_be16(l4() + 2); }

 private:
  uint8_t* l3() { return bytes_ + l2_size_; }
  const uint8_t* l3() const { return bytes_ + l2_size_; }
  uint8_t* l4() { return bytes_ + l2_size_ + l3_size_; }
  const uint8_t* l4() const { return bytes_ + l2_size_ + l3_size_; }
  void copy_headers(uint8_t* to, size_t size) const;
  void fill_l2_l3(uint8_t* frame, size_t ip_payload, uint8_t priority, uint64_t ip_sum) const;

  uint64_t ip_sum_ = 0;      // of the IPv4 header but for TOS and total length
  uint64_t pseudo_sum_ = 0;  // of the pseudo-header but for the length
  uint8_t l2_size_ = 0;
  uint8_t l3_size_ = 0;
  uint8_t l4_size_ = 0;
  uint8_t bytes_[kMaxFrameHeaderSize] = {};
};

enum class FrameKind : uint8_t {
  kSluiceUdp,     // payload is a Sluice packet after UDP
  kSluiceNative,  // payload is a Sluice packet after the native protocol's ports
  kSluiceEsp,     // payload is an ESP packet, from its SPI on
  kArp,           // payload is the ARP packet
  kNdp,           // payload is an ICMPv6 neighbour solicitation or advertisement
  kOther,         // well-formed as far as read, but nothing for us
  kMalformed,     // dropped; `error` says why
};

enum class FrameFault : uint8_t {
  kNone,
  kTruncated,   // the frame ends inside a header, or before the length an IP header states
  kIpHeader,    // wrong IP version, header length or total length
  kHopLimit,    // neighbour discovery that has crossed a router
  kIpChecksum,  // the IPv4 header does not add up
  kFragmented,  // an IP fragment; never reassembled
  kBadAddress,  // source address unspecified or multicast, or group source MAC
  kUdpLength,   // UDP length contradicts the IP length
  kL4Checksum,  // only when the filter asks for the check; UDP over IPv6 without checksum
};
const char* frame_fault_name(FrameFault fault);

// What counts as Sluice.
struct FrameFilter {
  uint16_t first_port = 0;  // UDP and native destination ports, inclusive range
  uint16_t last_port = 0xffff;
  uint8_t native_protocol = kProtocolNative;
  bool esp = false;                 // ESP is: the node has sessions that travel as such
  bool verify_ip_checksum = true;   // false when the NIC has done it
  bool verify_l4_checksum = false;  // for links without FCS; the AEAD makes it redundant
};

struct ParsedFrame {
  FrameKind kind = FrameKind::kOther;
  FrameFault error = FrameFault::kNone;
  uint8_t ecn = 0;   // an Ecn value
  uint8_t dscp = 0;  // 0 to 63; priority is its top three bits
  bool tagged = false;
  uint16_t vlan = 0;  // id, when `tagged`
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t payload_offset = 0;  // from the start of the frame
  uint32_t payload_length = 0;  // link padding removed
  IpAddress source;             // set for all Sluice kinds and kNdp
  IpAddress destination;
  MacAddress source_mac;
  MacAddress destination_mac;
};

// Reads a frame from its Ethernet header on. Never fails silently: `kind` is kMalformed with a
// cause, or kOther, for what is not to be used.
ParsedFrame parse_frame(const uint8_t* data, size_t size, const FrameFilter& filter = {});

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_FRAME_H_
