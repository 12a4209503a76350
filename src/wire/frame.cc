// SPDX-License-Identifier: Apache-2.0
#include "wire/frame.h"

#include <algorithm>
#include <cstring>

#include "base/byte_order.h"
#include "base/check.h"
#include "wire/checksum.h"

namespace sluice::wire {
namespace {

constexpr uint16_t kIpv4DontFragment = 0x4000;
constexpr uint16_t kIpv4FragmentMask = 0x3fff;  // "more fragments" and the fragment offset
constexpr size_t kNativeChecksumOffset = kPortBytes + offsets::kChecksum;
constexpr size_t kUdpChecksumOffset = 6;
constexpr size_t kIpv4ProtocolOffset = 9;
constexpr size_t kIpv6ProtocolOffset = 6;
constexpr uint8_t kNdpHopLimit = 255;
constexpr uint8_t kIcmpv6Solicitation = 135;
constexpr uint8_t kIcmpv6Advertisement = 136;

// Writes the Ethernet header and the VLAN tag (priority 0); returns their size.
size_t write_l2(uint8_t* out, const FramePath& path) {
  std::memcpy(out, path.destination_mac.bytes, 6);
  std::memcpy(out + 6, path.source_mac.bytes, 6);
  size_t at = 12;
  if (path.vlan) {
    base::store_be16(out + at, kEtherTypeVlan);
    base::store_be16(out + at + 2, *path.vlan & 0x0fff);
    at += kVlanTagSize;
  }
  base::store_be16(out + at, path.source.v4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
  return at + 2;
}

uint8_t l4_protocol(const FramePath& path) {
  return path.encapsulation == Encapsulation::kUdp ? kProtocolUdp : path.native_protocol;
}

// Writes the IP header but for TOS, lengths and checksum; returns its size.
size_t write_l3(uint8_t* out, const FramePath& path) {
  if (path.source.v4) {
    out[0] = 0x45;
    base::store_be16(out + 6, kIpv4DontFragment);  // PROTOCOL MUST-F1
    out[8] = kDefaultHopLimit;
    out[9] = l4_protocol(path);
    std::memcpy(out + 12, path.source.wire_bytes(), 4);
    std::memcpy(out + 16, path.destination.wire_bytes(), 4);
    return kIpv4HeaderSize;
  }
  out[0] = 0x60;
  out[6] = l4_protocol(path);
  out[7] = kDefaultHopLimit;
  std::memcpy(out + 8, path.source.wire_bytes(), 16);
  std::memcpy(out + 24, path.destination.wire_bytes(), 16);
  return kIpv6HeaderSize;
}

}  // namespace

FrameTemplate::FrameTemplate(const FramePath& path) {
  l2_size_ = static_cast<uint8_t>(write_l2(bytes_, path));
  l3_size_ = static_cast<uint8_t>(write_l3(l3(), path));
  const bool udp = path.encapsulation == Encapsulation::kUdp;
  l4_size_ = static_cast<uint8_t>(udp ? kUdpHeaderSize : kPortBytes);
  set_destination_port(path.destination_port);
  if (v4()) ip_sum_ = checksum_add(l3(), kIpv4HeaderSize, 0);
  pseudo_sum_ = pseudo_header_sum(path.source, path.destination, l4_protocol(path), 0);
}

void FrameTemplate::set_destination_mac(const MacAddress& mac) {
  std::memcpy(bytes_, mac.bytes, sizeof(mac.bytes));
}

void FrameTemplate::set_destination_port(uint16_t port) { base::store_be16(l4() + 2, port); }

// Writes what depends on the packet; inline, as every packet comes here.
[[gnu::always_inline]] inline void FrameTemplate::fill_l2_l3(uint8_t* frame, size_t ip_payload,
                                                             uint8_t priority,
                                                             uint64_t ip_sum) const {
  uint8_t* const ip = frame + l2_size_;
  const unsigned level = priority > 7 ? 7 : priority;
  // PROTOCOL MUST-F2
  const auto tos = static_cast<uint8_t>((level << 5) | static_cast<unsigned>(Ecn::kEct0));
  if (l2_size_ > kEthernetHeaderSize) {
    frame[14] = static_cast<uint8_t>((frame[14] & 0x0f) | (level << 5));  // PROTOCOL MUST-F7
  }
  if (v4()) {
    const auto ip_length = static_cast<uint16_t>(kIpv4HeaderSize + ip_payload);
    ip[1] = tos;
    base::store_be16(ip + 2, ip_length);
    base::store_be16(ip + 10, checksum_finish(ip_sum + tos + ip_length));
  } else {
    ip[0] = static_cast<uint8_t>(0x60 | (tos >> 4));
    ip[1] = static_cast<uint8_t>(tos << 4);
    base::store_be16(ip + 4, static_cast<uint16_t>(ip_payload));
  }
}

// In moves of fixed sizes: a short copy of a length that is not known becomes a string instruction,
// which takes longer to begin than the copy does.
void FrameTemplate::copy_headers(uint8_t* to, size_t size) const {
  constexpr size_t kMove = 32;
  static_assert(kMaxFrameHeaderSize <= 2 * kMove + sizeof(uint64_t));
  SLUICE_DCHECK(size >= kMove && size <= kMaxFrameHeaderSize);
  std::memcpy(to, bytes_, kMove);
  std::memcpy(to + size - kMove, bytes_ + size - kMove, kMove);
  if (size > 2 * kMove) std::memcpy(to + kMove, bytes_ + kMove, sizeof(uint64_t));
}

size_t FrameTemplate::prepend(uint8_t* packet, size_t length, uint16_t source_port,
                              uint8_t priority, bool checksum_offload) const {
  const size_t total = header_size();
  uint8_t* const frame = packet - total;
  copy_headers(frame, total);
  uint8_t* const l4 = frame + l2_size_ + l3_size_;
  const auto l4_length = static_cast<uint16_t>(l4_size_ + length);
  fill_l2_l3(frame, l4_length, priority, ip_sum_);
  base::store_be16(l4, source_port);
  const bool udp = l4_size_ == kUdpHeaderSize;
  if (udp) base::store_be16(l4 + 4, l4_length);
  uint8_t* const checksum = l4 + (udp ? kUdpChecksumOffset : kNativeChecksumOffset);
  // PROTOCOL MUST-F3
  if (checksum_offload) {
    base::store_be16(checksum, checksum_fold(pseudo_sum_ + l4_length));
  } else if (!v4()) {
    base::store_be16(checksum, 0);
    const uint16_t sum = checksum_finish(checksum_add(l4, l4_length, pseudo_sum_ + l4_length));
    base::store_be16(checksum, sum == 0 ? 0xffff : sum);
  }
  return total;
}

size_t FrameTemplate::prepend_esp(uint8_t* packet, size_t length, uint8_t priority) const {
  const size_t total = l2_size_ + l3_size_;
  uint8_t* const frame = packet - total;
  copy_headers(frame, total);
  uint8_t& protocol = frame[l2_size_ + (v4() ? kIpv4ProtocolOffset : kIpv6ProtocolOffset)];
  const uint64_t ip_sum = ip_sum_ - protocol + kProtocolEsp;  // Of IPv4 alone.
  protocol = kProtocolEsp;
  fill_l2_l3(frame, length, priority, ip_sum);
  return total;
}

const char* frame_fault_name(FrameFault fault) {
  switch (fault) {
    case FrameFault::kNone:
      return "none";
    case FrameFault::kTruncated:
      return "truncated";
    case FrameFault::kIpHeader:
      return "ip_header";
    case FrameFault::kHopLimit:
      return "hop_limit";
    case FrameFault::kIpChecksum:
      return "ip_checksum";
    case FrameFault::kFragmented:
      return "fragmented";
    case FrameFault::kBadAddress:
      return "bad_address";
    case FrameFault::kUdpLength:
      return "udp_length";
    case FrameFault::kL4Checksum:
      return "l4_checksum";
  }
  return "invalid";
}

namespace {

// One pass over one frame, outermost header first. Each step returns false when the frame needs
// no further reading; the result then says why.
class FrameParser {
 public:
  FrameParser(const uint8_t* data, size_t size, const FrameFilter& filter, ParsedFrame* out)
      : data_(data), size_(size), filter_(filter), out_(*out) {}

  void run() {
    uint16_t ether_type = 0;
    if (!read_l2(&ether_type)) return;
    switch (ether_type) {
      case kEtherTypeIpv4:
        if (read_ipv4()) read_l4();
        return;
      case kEtherTypeIpv6:
        if (read_ipv6()) read_l4();
        return;
      case kEtherTypeArp:
        out_.kind = FrameKind::kArp;
        set_payload(at_, size_ - at_);
        return;
      default:
        return;
    }
  }

 private:
  bool drop(FrameFault fault) {
    out_.kind = FrameKind::kMalformed;
    out_.error = fault;
    return false;
  }

  void set_payload(size_t offset, size_t length) {
    out_.payload_offset = static_cast<uint32_t>(offset);
    out_.payload_length = static_cast<uint32_t>(length);
  }

  bool read_l2(uint16_t* ether_type) {
    if (size_ < kEthernetHeaderSize) return drop(FrameFault::kTruncated);
    out_.destination_mac = MacAddress::from_bytes(data_);
    out_.source_mac = MacAddress::from_bytes(data_ + 6);
    if (out_.source_mac.is_group()) return drop(FrameFault::kBadAddress);
    *ether_type = base::load_be16(data_ + 12);
    at_ = kEthernetHeaderSize;
    if (*ether_type == kEtherTypeVlan) {  // PROTOCOL MUST-F7
      if (size_ < at_ + kVlanTagSize) return drop(FrameFault::kTruncated);
      out_.tagged = true;
      out_.vlan = base::load_be16(data_ + at_) & 0x0fff;
      *ether_type = base::load_be16(data_ + at_ + 2);
      at_ += kVlanTagSize;
    }
    return true;
  }

  void set_tos(uint8_t tos) {
    out_.ecn = tos & 3;
    out_.dscp = tos >> 2;
  }

  bool read_ipv4() {
    const uint8_t* const ip = data_ + at_;
    const size_t left = size_ - at_;
    if (left < kIpv4HeaderSize) return drop(FrameFault::kTruncated);
    const size_t header = size_t{ip[0] & 0x0fu} * 4;
    const size_t total = base::load_be16(ip + 2);
    if (ip[0] >> 4 != 4 || header < kIpv4HeaderSize || total < header) {
      return drop(FrameFault::kIpHeader);
    }
    if (total > left) return drop(FrameFault::kTruncated);  // PROTOCOL MUST-F6
    if (filter_.verify_ip_checksum && ipv4_header_checksum(ip, header) != 0) {
      return drop(FrameFault::kIpChecksum);
    }
    if ((base::load_be16(ip + 6) & kIpv4FragmentMask) != 0) {  // PROTOCOL MUST-F5
      return drop(FrameFault::kFragmented);
    }
    set_tos(ip[1]);
    out_.source = IpAddress::from_v4_bytes(ip + 12);
    out_.destination = IpAddress::from_v4_bytes(ip + 16);
    protocol_ = ip[9];
    at_ += header;
    end_ = at_ + total - header;
    return check_source();
  }

  bool read_ipv6() {
    const uint8_t* const ip = data_ + at_;
    const size_t left = size_ - at_;
    if (left < kIpv6HeaderSize) return drop(FrameFault::kTruncated);
    if (ip[0] >> 4 != 6) return drop(FrameFault::kIpHeader);
    const size_t payload = base::load_be16(ip + 4);
    if (payload > left - kIpv6HeaderSize) return drop(FrameFault::kTruncated);
    set_tos(static_cast<uint8_t>(base::load_be16(ip) >> 4));
    out_.source = IpAddress::from_v6_bytes(ip + 8);
    out_.destination = IpAddress::from_v6_bytes(ip + 24);
    protocol_ = ip[6];
    hop_limit_ = ip[7];
    at_ += kIpv6HeaderSize;
    end_ = at_ + payload;
    // A solicitation that checks for a duplicate address comes from the unspecified one.
    return protocol_ == kProtocolIcmpv6
               ? !out_.source.is_multicast() || drop(FrameFault::kBadAddress)
               : check_source();
  }

  bool check_source() {  // PROTOCOL MUST-F9
    if (out_.source.is_unspecified() || out_.source.is_multicast()) {
      return drop(FrameFault::kBadAddress);
    }
    return true;
  }

  void read_l4() {
    if (protocol_ == kProtocolUdp) {
      read_udp();
    } else if (protocol_ == filter_.native_protocol) {
      read_native();
    } else if (protocol_ == kProtocolIcmpv6 && !out_.source.v4) {
      read_icmpv6();
    } else if (protocol_ == kProtocolEsp && filter_.esp) {
      out_.kind = FrameKind::kSluiceEsp;
      set_payload(at_, end_ - at_);
    }
  }

  bool for_us() const {  // PROTOCOL MUST-F4
    return out_.destination_port >= filter_.first_port &&
           out_.destination_port <= filter_.last_port;
  }

  void read_ports() {
    out_.source_port = base::load_be16(data_ + at_);
    out_.destination_port = base::load_be16(data_ + at_ + 2);
  }

  void read_udp() {
    const size_t left = end_ - at_;
    if (left < kUdpHeaderSize) {
      drop(FrameFault::kTruncated);
      return;
    }
    read_ports();
    if (!for_us()) return;
    const size_t length = base::load_be16(data_ + at_ + 4);
    if (length < kUdpHeaderSize || length > left) {
      drop(FrameFault::kUdpLength);
      return;
    }
    if (!udp_checksum_ok(length)) {
      drop(FrameFault::kL4Checksum);
      return;
    }
    out_.kind = FrameKind::kSluiceUdp;
    set_payload(at_ + kUdpHeaderSize, length - kUdpHeaderSize);
  }

  bool udp_checksum_ok(size_t length) const {
    if (base::load_be16(data_ + at_ + kUdpChecksumOffset) == 0) return out_.source.v4;
    return !filter_.verify_l4_checksum ||
           l4_checksum_ok(out_.source, out_.destination, kProtocolUdp, data_ + at_, length);
  }

  void read_native() {
    const size_t left = end_ - at_;
    if (left < kPortBytes) {
      drop(FrameFault::kTruncated);
      return;
    }
    read_ports();
    if (!for_us()) return;
    out_.kind = FrameKind::kSluiceNative;  // PROTOCOL MUST-F8
    set_payload(at_ + kPortBytes, left - kPortBytes);
  }

  void read_icmpv6() {
    const size_t left = end_ - at_;
    if (left == 0) {
      drop(FrameFault::kTruncated);
      return;
    }
    const uint8_t type = data_[at_];
    if (type != kIcmpv6Solicitation && type != kIcmpv6Advertisement) return;
    if (hop_limit_ != kNdpHopLimit) {  // PROTOCOL MUST-F11
      drop(FrameFault::kHopLimit);
      return;
    }
    out_.kind = FrameKind::kNdp;
    set_payload(at_, left);
  }

  const uint8_t* data_;
  size_t size_;
  const FrameFilter& filter_;
  ParsedFrame& out_;
  size_t at_ = 0;   // start of the next header
  size_t end_ = 0;  // end of the IP payload
  uint8_t protocol_ = 0;
  uint8_t hop_limit_ = 0;
};

}  // namespace

ParsedFrame parse_frame(const uint8_t* data, size_t size, const FrameFilter& filter) {
  ParsedFrame out;
  FrameParser(data, size, filter, &out).run();
  return out;
}

}  // namespace sluice::wire
