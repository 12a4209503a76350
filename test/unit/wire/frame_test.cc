// SPDX-License-Identifier: Apache-2.0
#include "wire/frame.h"

#include <gtest/gtest.h>

#include "wire/checksum.h"
#include "wire_test_util.h"

namespace sluice::wire {
namespace {

constexpr size_t kPacket = 60;

FramePath sample_path(bool v4, Encapsulation encapsulation = Encapsulation::kUdp,
                      std::optional<uint16_t> vlan = std::nullopt) {
  FramePath out;
  out.source_mac = *parse_mac_address("02:00:00:00:00:01");
  out.destination_mac = *parse_mac_address("02:00:00:00:00:02");
  out.vlan = vlan;
  out.source = *parse_ip_address(v4 ? "10.0.0.1" : "2001:db8::1");
  out.destination = *parse_ip_address(v4 ? "10.0.0.2" : "2001:db8::2");
  out.destination_port = 0x4e20;
  out.encapsulation = encapsulation;
  return out;
}

// A frame around a Sluice packet of `size` bytes 0, 1, 2 ... with a zero checksum field.
ByteVector build(const FrameTemplate& frame, uint8_t priority = 5, bool offload = false,
                 size_t size = kPacket) {
  ByteVector out(frame.header_size() + size);
  uint8_t* const packet = out.data() + frame.header_size();
  for (size_t i = 0; i < size; ++i) packet[i] = static_cast<uint8_t>(i);
  if (size > 13) base::store_be16(packet + offsets::kChecksum, 0);
  EXPECT_EQ(frame.prepend(packet, size, 0xc001, priority, offload), frame.header_size());
  return out;
}

ParsedFrame parse(const ByteVector& frame, const FrameFilter& filter = {}) {
  return parse_frame(frame.data(), frame.size(), filter);
}

// Verifies MUST-F1, MUST-F2, MUST-F3: DF, identification zero, DSCP, ECT(0), no UDP checksum.
TEST(FrameTemplate, has_golden_bytes_on_ipv4) {
  const ByteVector frame = build(FrameTemplate(sample_path(true)));
  EXPECT_EQ(to_hex(std::span(frame).first(42)),
            to_hex(from_hex("020000000002 020000000001 0800"
                            "45 a2 0058 0000 4000 40 11 25f1 0a000001 0a000002"
                            "c001 4e20 0044 0000")));
}

// Verifies MUST-F2, MUST-F7: the tag's priority follows DSCP's.
TEST(FrameTemplate, has_golden_bytes_on_ipv6_with_vlan) {
  ByteVector frame = build(FrameTemplate(sample_path(false, Encapsulation::kUdp, 0x123)));
  EXPECT_EQ(to_hex(std::span(frame).first(64)),
            to_hex(from_hex("020000000002 020000000001 8100 a123 86dd"
                            "6a200000 0044 11 40 20010db8000000000000000000000001"
                            "20010db8000000000000000000000002 c001 4e20 0044")));
}

// Verifies MUST-S4: IP's protocol is 50, nothing stands between IP and the SPI.
TEST(FrameTemplate, has_golden_bytes_with_esp) {
  const auto build_esp = [](const FrameTemplate& frame) {
    const size_t headers = frame.l2_size() + frame.l3_size();
    ByteVector out(headers + 68, 0xab);
    EXPECT_EQ(frame.prepend_esp(out.data() + headers, 68, 5), headers);
    return out;
  };
  const ByteVector v4 = build_esp(FrameTemplate(sample_path(true, Encapsulation::kNative)));
  EXPECT_EQ(to_hex(std::span(v4).first(36)),
            to_hex(from_hex("020000000002 020000000001 0800"
                            "45 a2 0058 0000 4000 40 32 25d0 0a000001 0a000002 abab")));
  const ByteVector v6 = build_esp(FrameTemplate(sample_path(false, Encapsulation::kNative, 0x123)));
  EXPECT_EQ(to_hex(std::span(v6).first(60)),
            to_hex(from_hex("020000000002 020000000001 8100 a123 86dd"
                            "6a200000 0044 32 40 20010db8000000000000000000000001"
                            "20010db8000000000000000000000002 abab")));
  FrameFilter filter;
  EXPECT_EQ(parse(v4, filter).kind, FrameKind::kOther) << "nobody asked for it";
  filter.esp = true;
  for (const ByteVector& frame : {v4, v6}) {
    const ParsedFrame parsed = parse(frame, filter);
    EXPECT_EQ(parsed.kind, FrameKind::kSluiceEsp);
    EXPECT_EQ(parsed.payload_length, 68u);
    EXPECT_EQ(parsed.payload_offset, frame.size() - 68);
    EXPECT_EQ(parsed.dscp >> 3, 5);
  }
}

TEST(FrameTemplate, has_golden_bytes_in_native_mode) {
  const ByteVector frame = build(FrameTemplate(sample_path(true, Encapsulation::kNative)));
  EXPECT_EQ(to_hex(std::span(frame).subspan(14, 24)),
            to_hex(from_hex("45 a2 0054 0000 4000 40 fd 2509 0a000001 0a000002 c001 4e20")));
  EXPECT_EQ(base::load_be16(frame.data() + 34 + 16), 0);
}

TEST(FrameTemplate, round_trips_every_form_and_priority) {
  for (const bool v4 : {true, false}) {
    for (const Encapsulation encapsulation : {Encapsulation::kUdp, Encapsulation::kNative}) {
      for (const bool tagged : {false, true}) {
        const auto vlan = tagged ? std::optional<uint16_t>(77) : std::nullopt;
        const FramePath path = sample_path(v4, encapsulation, vlan);
        const FrameTemplate frame(path);
        EXPECT_EQ(frame.v4(), v4);
        EXPECT_EQ(frame.encapsulation(), encapsulation);
        EXPECT_LE(frame.header_size(), kMaxFrameHeaderSize);
        for (uint8_t priority = 0; priority < 9; ++priority) {
          const ByteVector bytes = build(frame, priority);
          const ParsedFrame parsed = parse(bytes);
          ASSERT_EQ(parsed.error, FrameFault::kNone);
          EXPECT_EQ(parsed.kind, encapsulation == Encapsulation::kUdp ? FrameKind::kSluiceUdp
                                                                      : FrameKind::kSluiceNative);
          EXPECT_EQ(parsed.source, path.source);
          EXPECT_EQ(parsed.destination, path.destination);
          EXPECT_EQ(parsed.source_mac, path.source_mac);
          EXPECT_EQ(parsed.destination_mac, path.destination_mac);
          EXPECT_EQ(parsed.source_port, 0xc001);
          EXPECT_EQ(parsed.destination_port, 0x4e20);
          EXPECT_EQ(parsed.payload_offset, frame.header_size());
          EXPECT_EQ(parsed.payload_length, kPacket);
          EXPECT_EQ(parsed.dscp >> 3, priority > 7 ? 7 : priority);
          EXPECT_EQ(parsed.ecn, static_cast<uint8_t>(Ecn::kEct0));
          EXPECT_EQ(parsed.tagged, tagged);
          EXPECT_EQ(parsed.vlan, tagged ? 77 : 0);
        }
      }
    }
  }
}

// Verifies MUST-F3: computed on IPv6, absent on IPv4, the pseudo-header's sum for a NIC, and in
// native mode at TCP's place.
TEST(FrameTemplate, fills_the_l4_checksum) {
  FrameFilter strict;
  strict.verify_l4_checksum = true;
  for (const bool v4 : {true, false}) {
    for (const Encapsulation encapsulation : {Encapsulation::kUdp, Encapsulation::kNative}) {
      const bool udp = encapsulation == Encapsulation::kUdp;
      const FramePath path = sample_path(v4, encapsulation);
      const FrameTemplate frame(path);
      const size_t l4 = frame.l2_size() + frame.l3_size();
      const size_t field = l4 + (udp ? 6 : 16);
      const uint8_t protocol = udp ? 17 : 253;
      for (const size_t size : {size_t{24}, size_t{61}, size_t{1400}}) {
        ByteVector bytes = build(frame, 0, false, size);
        EXPECT_EQ(parse(bytes, strict).error, FrameFault::kNone);
        if (v4) {
          EXPECT_EQ(base::load_be16(bytes.data() + field), 0);
        } else {
          EXPECT_NE(base::load_be16(bytes.data() + field), 0);
          EXPECT_TRUE(l4_checksum_ok(path.source, path.destination, protocol, bytes.data() + l4,
                                     bytes.size() - l4));
        }
        // What a NIC does with the pseudo-header's sum gives a right checksum.
        bytes = build(frame, 0, true, size);
        const uint16_t sum = checksum_finish(checksum_add(bytes.data() + l4, bytes.size() - l4, 0));
        base::store_be16(bytes.data() + field, sum);
        EXPECT_TRUE(l4_checksum_ok(path.source, path.destination, protocol, bytes.data() + l4,
                                   bytes.size() - l4));
      }
    }
  }
}

TEST(FrameTemplate, can_be_redirected) {
  FrameTemplate frame(sample_path(true));
  const MacAddress other = *parse_mac_address("02:00:00:00:00:99");
  frame.set_destination_mac(other);
  frame.set_destination_port(4000);
  EXPECT_EQ(frame.destination_mac(), other);
  EXPECT_EQ(frame.destination_port(), 4000);
  const ParsedFrame parsed = parse(build(frame));
  EXPECT_EQ(parsed.destination_mac, other);
  EXPECT_EQ(parsed.destination_port, 4000);
}

TEST(FrameTemplate, knows_what_fits_an_mtu) {
  EXPECT_EQ(max_packet_size(1500, true, Encapsulation::kUdp), 1472u);
  EXPECT_EQ(max_packet_size(1500, false, Encapsulation::kUdp), 1452u);
  EXPECT_EQ(max_packet_size(9000, true, Encapsulation::kNative), 8976u);
  EXPECT_EQ(max_packet_size(20, false, Encapsulation::kNative), 0u);
}

// Verifies MUST-F6: no prefix of a frame is taken for a whole one.
TEST(ParseFrame, refuses_truncation_at_every_length) {
  for (const bool v4 : {true, false}) {
    for (const Encapsulation encapsulation : {Encapsulation::kUdp, Encapsulation::kNative}) {
      const ByteVector frame = build(FrameTemplate(sample_path(v4, encapsulation, 5)));
      for (size_t size = 0; size < frame.size(); ++size) {
        const ExactCopy cut(frame.data(), size);
        const ParsedFrame parsed = parse_frame(cut.data(), size);
        EXPECT_EQ(parsed.kind, FrameKind::kMalformed) << size;
        EXPECT_EQ(parsed.error, FrameFault::kTruncated) << size;
      }
    }
  }
}

// Verifies MUST-F6: what a link adds behind the IP packet is not payload.
TEST(ParseFrame, trims_link_padding) {
  for (const bool v4 : {true, false}) {
    ByteVector frame = build(FrameTemplate(sample_path(v4)), 0, false, 24);
    frame.resize(frame.size() + 18);
    const ParsedFrame parsed = parse(frame);
    EXPECT_EQ(parsed.kind, FrameKind::kSluiceUdp);
    EXPECT_EQ(parsed.payload_length, 24u);
  }
}

// Verifies MUST-F5
TEST(ParseFrame, drops_fragments) {
  for (const uint16_t field : std::initializer_list<uint16_t>{0x2000, 0x0001, 0x1fff, 0x6000}) {
    ByteVector frame = build(FrameTemplate(sample_path(true)));
    base::store_be16(frame.data() + 20, field);
    base::store_be16(frame.data() + 24, 0);
    base::store_be16(frame.data() + 24, ipv4_header_checksum(frame.data() + 14, 20));
    EXPECT_EQ(parse(frame).error, FrameFault::kFragmented);
  }
  ByteVector frame = build(FrameTemplate(sample_path(false)));
  frame[14 + 6] = 44;  // an IPv6 fragment header
  EXPECT_EQ(parse(frame).kind, FrameKind::kOther);
}

TEST(ParseFrame, checks_ip_headers) {
  const FrameTemplate v4(sample_path(true));
  ByteVector frame = build(v4);
  frame[14 + 8] ^= 1;
  EXPECT_EQ(parse(frame).error, FrameFault::kIpChecksum);
  FrameFilter trusting;
  trusting.verify_ip_checksum = false;
  EXPECT_EQ(parse(frame, trusting).kind, FrameKind::kSluiceUdp);
  for (const uint8_t first : std::initializer_list<uint8_t>{0x44, 0x55, 0x05, 0x40}) {
    frame = build(v4);
    frame[14] = first;
    EXPECT_EQ(parse(frame).error, FrameFault::kIpHeader);
  }
  frame = build(v4);
  base::store_be16(frame.data() + 16, 19);
  EXPECT_EQ(parse(frame).error, FrameFault::kIpHeader);
  frame = build(FrameTemplate(sample_path(false)));
  frame[14] = 0x40;
  EXPECT_EQ(parse(frame).error, FrameFault::kIpHeader);
}

TEST(ParseFrame, accepts_ipv4_options) {
  ByteVector frame = build(FrameTemplate(sample_path(true)));
  frame.insert(frame.begin() + 34, {1, 1, 1, 0});
  frame[14] = 0x46;
  base::store_be16(frame.data() + 16, 0x5c);
  base::store_be16(frame.data() + 24, 0);
  base::store_be16(frame.data() + 24, ipv4_header_checksum(frame.data() + 14, 24));
  const ParsedFrame parsed = parse(frame);
  EXPECT_EQ(parsed.kind, FrameKind::kSluiceUdp);
  EXPECT_EQ(parsed.payload_offset, 46u);
  EXPECT_EQ(parsed.payload_length, kPacket);
}

// Verifies MUST-F9
TEST(ParseFrame, drops_impossible_sources) {
  for (const char* source : {"0.0.0.0", "224.0.0.1"}) {
    FramePath path = sample_path(true);
    path.source = *parse_ip_address(source);
    EXPECT_EQ(parse(build(FrameTemplate(path))).error, FrameFault::kBadAddress);
  }
  for (const char* source : {"::", "ff02::1"}) {
    FramePath path = sample_path(false);
    path.source = *parse_ip_address(source);
    EXPECT_EQ(parse(build(FrameTemplate(path))).error, FrameFault::kBadAddress);
  }
  FramePath path = sample_path(true);
  path.source_mac = MacAddress::broadcast();
  EXPECT_EQ(parse(build(FrameTemplate(path))).error, FrameFault::kBadAddress);
}

TEST(ParseFrame, checks_udp_lengths_and_checksums) {
  for (const uint16_t length : {uint16_t{0}, uint16_t{7}, uint16_t{kPacket + 9}}) {
    ByteVector frame = build(FrameTemplate(sample_path(true)));
    base::store_be16(frame.data() + 34 + 4, length);
    EXPECT_EQ(parse(frame).error, FrameFault::kUdpLength);
  }
  ByteVector frame = build(FrameTemplate(sample_path(false)));
  FrameFilter strict;
  strict.verify_l4_checksum = true;
  EXPECT_EQ(parse(frame, strict).kind, FrameKind::kSluiceUdp);
  frame.back() ^= 1;
  EXPECT_EQ(parse(frame, strict).error, FrameFault::kL4Checksum);
  EXPECT_EQ(parse(frame).kind, FrameKind::kSluiceUdp) << "the AEAD will find it";
  base::store_be16(frame.data() + 54 + 6, 0);
  EXPECT_EQ(parse(frame).error, FrameFault::kL4Checksum) << "IPv6 has no absent checksum";
}

// Verifies MUST-F4: the destination port decides, the source port never.
TEST(ParseFrame, filters_by_destination_port_and_protocol) {
  FrameFilter filter;
  filter.first_port = 0x4e20;
  filter.last_port = 0x4e21;
  FrameTemplate frame(sample_path(true));
  for (const uint16_t port : std::initializer_list<uint16_t>{0x4e1f, 0x4e20, 0x4e21, 0x4e22}) {
    frame.set_destination_port(port);
    const bool ours = port == 0x4e20 || port == 0x4e21;
    EXPECT_EQ(parse(build(frame), filter).kind, ours ? FrameKind::kSluiceUdp : FrameKind::kOther);
  }
  // Verifies MUST-F8: the native protocol number is a setting.
  const ByteVector native = build(FrameTemplate(sample_path(true, Encapsulation::kNative)));
  EXPECT_EQ(parse(native, filter).kind, FrameKind::kSluiceNative);
  filter.native_protocol = 146;
  EXPECT_EQ(parse(native, filter).kind, FrameKind::kOther);
}

// Verifies MUST-F8: the native checksum is not looked at; the AEAD covers the packet.
TEST(ParseFrame, ignores_the_native_checksum) {
  ByteVector frame = build(FrameTemplate(sample_path(false, Encapsulation::kNative)));
  frame[54 + 16] ^= 0xff;
  EXPECT_EQ(parse(frame).kind, FrameKind::kSluiceNative);
}

TEST(ParseFrame, leaves_other_traffic_alone) {
  ByteVector frame(64);
  frame[0] = 2;
  base::store_be16(frame.data() + 12, 0x88cc);
  EXPECT_EQ(parse(frame).kind, FrameKind::kOther);
  base::store_be16(frame.data() + 12, kEtherTypeArp);
  const ParsedFrame arp = parse(frame);
  EXPECT_EQ(arp.kind, FrameKind::kArp);
  EXPECT_EQ(arp.payload_offset, 14u);
  EXPECT_EQ(arp.payload_length, 50u);
  frame = build(FrameTemplate(sample_path(true)));
  frame[14 + 9] = 6;  // TCP
  FrameFilter trusting;
  trusting.verify_ip_checksum = false;
  EXPECT_EQ(parse(frame, trusting).kind, FrameKind::kOther);
}

// Verifies MUST-F2: a CE mark is reported.
TEST(ParseFrame, reports_congestion_marks) {
  ByteVector frame = build(FrameTemplate(sample_path(false)), 3);
  frame[15] |= 0x10;
  EXPECT_EQ(parse(frame).ecn, static_cast<uint8_t>(Ecn::kCongestionExperienced));
  EXPECT_EQ(parse(frame).dscp, 3 << 3);
}

TEST(ParseFrame, names_every_fault) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(FrameFault::kL4Checksum); ++i) {
    EXPECT_STRNE(frame_fault_name(static_cast<FrameFault>(i)), "invalid");
  }
}

}  // namespace
}  // namespace sluice::wire
