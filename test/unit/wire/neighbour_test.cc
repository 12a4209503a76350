// SPDX-License-Identifier: Apache-2.0
#include "wire/neighbour.h"

#include <gtest/gtest.h>

#include "wire/checksum.h"
#include "wire_test_util.h"

namespace sluice::wire {
namespace {

const MacAddress kMacA = {{0x02, 0, 0, 0, 0, 0x0a}};
const MacAddress kMacB = {{0x02, 0, 0, 0, 0, 0x0b}};

IpAddress ip(const char* text) { return *parse_ip_address(text); }

struct Outcome {
  ParsedFrame frame;
  std::optional<NeighbourEvent> event;
};

Outcome read(const uint8_t* data, size_t size) {
  Outcome out;
  out.frame = parse_frame(data, size);
  out.event = parse_neighbour(data, size, out.frame);
  return out;
}

TEST(Arp, has_golden_bytes) {
  uint8_t out[kMaxNeighbourFrameSize];
  const size_t size =
      emit_neighbour_request(out, kMacA, ip("10.0.0.1"), ip("10.0.0.2"), std::nullopt);
  EXPECT_EQ(to_hex({out, size}),
            to_hex(from_hex("ffffffffffff 02000000000a 0806 0001 0800 06 04 0001"
                            "02000000000a 0a000001 000000000000 0a000002")));
}

TEST(Ndp, has_golden_bytes) {
  uint8_t out[kMaxNeighbourFrameSize];
  const size_t size = emit_neighbour_request(out, kMacA, ip("fe80::1"), ip("2001:db8::12:3456"), 9);
  EXPECT_EQ(to_hex({out, size}),
            to_hex(from_hex("3333ff123456 02000000000a 8100 0009 86dd 60000000 0020 3a ff"
                            "fe800000000000000000000000000001 ff0200000000000000000001ff123456"
                            "87 00 e289 00000000 20010db8000000000000000000123456"
                            "01 01 02000000000a")));
}

// Both families, tagged and not: B asks, A answers, B learns where A is.
TEST(Neighbour, question_and_answer) {
  for (const bool v4 : {true, false}) {
    for (const bool tagged : {false, true}) {
      const auto vlan = tagged ? std::optional<uint16_t>(300) : std::nullopt;
      const IpAddress a = ip(v4 ? "10.0.0.1" : "2001:db8::a");
      const IpAddress b = ip(v4 ? "10.0.0.2" : "2001:db8::b");
      uint8_t wire[kMaxNeighbourFrameSize];
      size_t size = emit_neighbour_request(wire, kMacB, b, a, vlan);
      const Outcome asked = read(wire, size);
      ASSERT_TRUE(asked.event);
      EXPECT_TRUE(asked.event->asks);
      EXPECT_EQ(asked.event->wanted, a);
      EXPECT_EQ(asked.event->learned_ip, b);
      EXPECT_EQ(asked.event->learned_mac, kMacB);
      EXPECT_FALSE(asked.event->solicited);
      EXPECT_EQ(asked.event->vlan, vlan);
      size = emit_neighbour_reply(wire, kMacA, *asked.event);
      const Outcome told = read(wire, size);
      ASSERT_TRUE(told.event);
      EXPECT_EQ(told.frame.destination_mac, kMacB);
      EXPECT_FALSE(told.event->asks);
      EXPECT_TRUE(told.event->solicited);
      EXPECT_EQ(told.event->learned_ip, a);
      EXPECT_EQ(told.event->learned_mac, kMacA);
      EXPECT_EQ(told.event->vlan, vlan);
    }
  }
}

// Verifies MUST-F10, MUST-F11: no prefix is accepted, none is read beyond its end.
TEST(Neighbour, refuse_truncation_at_every_length) {
  for (const char* target : {"10.0.0.2", "2001:db8::2"}) {
    const bool v4 = std::string(target).find(':') == std::string::npos;
    uint8_t wire[kMaxNeighbourFrameSize];
    const size_t size = emit_neighbour_request(wire, kMacA, ip(v4 ? "10.0.0.1" : "2001:db8::1"),
                                               ip(target), std::nullopt);
    for (size_t cut = 0; cut < size; ++cut) {
      const ExactCopy copy(wire, cut);
      EXPECT_FALSE(read(copy.data(), cut).event) << target << " " << cut;
    }
    EXPECT_TRUE(read(wire, size).event);
  }
}

// Verifies MUST-F10
TEST(Arp, refuses_other_kinds) {
  const ArpPacket good{ArpOperation::kReply, kMacA, ip("10.0.0.1"), kMacB, ip("10.0.0.2")};
  uint8_t wire[kArpPacketSize];
  good.emit(wire);
  EXPECT_EQ(ArpPacket::parse(wire, sizeof(wire)), good);
  for (const size_t at : {0u, 1u, 2u, 3u, 4u, 5u, 6u}) {
    good.emit(wire);
    wire[at] ^= 0x10;
    EXPECT_FALSE(ArpPacket::parse(wire, sizeof(wire))) << at;
  }
  for (const uint16_t operation : std::initializer_list<uint16_t>{0, 3, 8}) {
    good.emit(wire);
    base::store_be16(wire + 6, operation);
    EXPECT_FALSE(ArpPacket::parse(wire, sizeof(wire)));
  }
  ArpPacket bad = good;
  bad.sender_mac = MacAddress::broadcast();
  bad.emit(wire);
  EXPECT_FALSE(ArpPacket::parse(wire, sizeof(wire)));
  bad.sender_mac = MacAddress{};
  bad.emit(wire);
  EXPECT_FALSE(ArpPacket::parse(wire, sizeof(wire)));
  bad = good;
  bad.sender_ip = ip("224.0.0.1");
  bad.emit(wire);
  EXPECT_FALSE(ArpPacket::parse(wire, sizeof(wire)));
}

TEST(Arp, a_probe_teaches_nothing) {
  uint8_t wire[kMaxNeighbourFrameSize];
  const size_t size =
      emit_neighbour_request(wire, kMacA, ip("0.0.0.0"), ip("10.0.0.2"), std::nullopt);
  const Outcome outcome = read(wire, size);
  ASSERT_TRUE(outcome.event);
  EXPECT_TRUE(outcome.event->asks);
  EXPECT_FALSE(outcome.event->learned_ip);
}

TEST(Ndp, round_trips_flags_and_options) {
  const IpAddress source = ip("fe80::1");
  const IpAddress destination = ip("fe80::2");
  for (unsigned flags = 0; flags < 16; ++flags) {
    NdpMessage message;
    message.type = NdpType::kAdvertisement;
    message.router = (flags & 1) != 0;
    message.solicited = (flags & 2) != 0;
    message.override_entry = (flags & 4) != 0;
    message.target = ip("2001:db8::7");
    if ((flags & 8) != 0) message.link_address = kMacA;
    ByteVector wire(message.size());
    message.emit(wire.data(), source, destination);
    EXPECT_EQ(NdpMessage::parse(wire.data(), wire.size(), source, destination), message);
    for (size_t i = 0; i < wire.size(); ++i) {
      wire[i] ^= 0x40;
      EXPECT_FALSE(NdpMessage::parse(wire.data(), wire.size(), source, destination)) << i;
      wire[i] ^= 0x40;
    }
  }
}

// Puts the right checksum on a hand-made message and parses it.
bool accepted(ByteVector message, const char* source, const char* destination) {
  base::store_be16(message.data() + 2, 0);
  base::store_be16(message.data() + 2, l4_checksum(ip(source), ip(destination), kProtocolIcmpv6,
                                                   message.data(), message.size()));
  return NdpMessage::parse(message.data(), message.size(), ip(source), ip(destination)).has_value();
}

// Verifies MUST-F11: the validity rules of RFC 4861 §7.1.
TEST(Ndp, enforces_the_validity_rules) {
  const ByteVector solicitation =
      from_hex("87000000 00000000 20010db8000000000000000000123456 0101 02000000000a");
  EXPECT_TRUE(accepted(solicitation, "fe80::1", "ff02::1:ff12:3456"));
  EXPECT_FALSE(accepted(solicitation, "::", "ff02::1:ff12:3456")) << "option from nobody";
  const ByteVector probe(solicitation.begin(), solicitation.begin() + 24);
  EXPECT_TRUE(accepted(probe, "::", "ff02::1:ff12:3456"));
  EXPECT_FALSE(accepted(probe, "::", "fe80::2"));
  ByteVector changed = solicitation;
  changed[1] = 1;
  EXPECT_FALSE(accepted(changed, "fe80::1", "fe80::2")) << "code";
  changed = solicitation;
  changed[8] = 0xff;
  EXPECT_FALSE(accepted(changed, "fe80::1", "fe80::2")) << "multicast target";
  changed = solicitation;
  changed[25] = 0;
  EXPECT_FALSE(accepted(changed, "fe80::1", "fe80::2")) << "option of length 0";
  changed[25] = 2;
  EXPECT_FALSE(accepted(changed, "fe80::1", "fe80::2")) << "option overruns";
  changed = solicitation;
  changed[26] = 1;
  EXPECT_FALSE(accepted(changed, "fe80::1", "fe80::2")) << "group link address";
  changed = solicitation;
  changed.resize(28);
  EXPECT_FALSE(accepted(changed, "fe80::1", "fe80::2")) << "half an option";
  changed = solicitation;
  changed[24] = 14;  // a nonce option: not ours, stepped over
  EXPECT_TRUE(accepted(changed, "fe80::1", "fe80::2"));
  ByteVector advertisement = solicitation;
  advertisement[0] = 0x88;
  advertisement[4] = 0x40;
  advertisement[24] = 2;
  EXPECT_TRUE(accepted(advertisement, "fe80::1", "fe80::2"));
  EXPECT_FALSE(accepted(advertisement, "::", "fe80::2"));
  EXPECT_FALSE(accepted(advertisement, "fe80::1", "ff02::1")) << "solicited to a group";
  changed = solicitation;
  changed[0] = 0x85;  // router solicitation
  EXPECT_FALSE(accepted(changed, "fe80::1", "fe80::2"));
}

// Verifies MUST-F11: nothing from beyond the link.
TEST(Ndp, refuses_forwarded_messages) {
  uint8_t wire[kMaxNeighbourFrameSize];
  const size_t size =
      emit_neighbour_request(wire, kMacA, ip("2001:db8::1"), ip("2001:db8::2"), std::nullopt);
  wire[14 + 7] = 254;
  const Outcome outcome = read(wire, size);
  EXPECT_EQ(outcome.frame.error, FrameFault::kHopLimit);
  EXPECT_FALSE(outcome.event);
}

TEST(Ndp, answers_an_address_probe_to_all_nodes) {
  NeighbourEvent question;
  question.asks = true;
  question.wanted = ip("2001:db8::1");
  question.sender_ip = ip("::");
  question.sender_mac = kMacB;
  uint8_t wire[kMaxNeighbourFrameSize];
  const size_t size = emit_neighbour_reply(wire, kMacA, question);
  const Outcome outcome = read(wire, size);
  ASSERT_TRUE(outcome.event);
  EXPECT_EQ(outcome.frame.destination, ip("ff02::1"));
  EXPECT_EQ(format_mac_address(outcome.frame.destination_mac), "33:33:00:00:00:01");
  EXPECT_FALSE(outcome.event->solicited);
  EXPECT_EQ(outcome.event->learned_mac, kMacA);
}

TEST(Ndp, derives_addresses) {
  EXPECT_EQ(format_ip_address(solicited_node_group(ip("2001:db8::abcd:ef01:2345"))),
            "ff02::1:ff01:2345");
  EXPECT_EQ(format_ip_address(link_local_address(*parse_mac_address("00:11:22:33:44:55"))),
            "fe80::211:22ff:fe33:4455");
}

TEST(Neighbour, ignores_frames_of_other_kinds) {
  const ByteVector bytes(64);
  ParsedFrame frame;
  EXPECT_FALSE(parse_neighbour(bytes.data(), bytes.size(), frame));
  frame.kind = FrameKind::kArp;
  frame.payload_offset = 60;
  frame.payload_length = 28;
  EXPECT_FALSE(parse_neighbour(bytes.data(), bytes.size(), frame));
}

}  // namespace
}  // namespace sluice::wire
