// SPDX-License-Identifier: Apache-2.0
//
// The attacks themselves: that each makes what its name says, and nothing that was true.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/byte_order.h"
#include "catalogue.h"
#include "cut.h"
#include "fields.h"
#include "flood.h"
#include "forge.h"
#include "framer.h"
#include "meddler.h"
#include "replay.h"
#include "splice.h"
#include "wire/record_packet.h"

namespace sluice::attack {
namespace {

constexpr uint8_t kTypes[] = {1, 2, 3, 4, 5};

Packet data_packet(Way way, uint64_t id, uint32_t offset, uint8_t fill) {
  wire::DataHeader header;
  header.session = way == Way::kToServer ? 10 : 20;
  header.offset = offset;
  header.message_length = 100'000;
  header.granted = 100'000;
  header.record_number =
      wire::message_number({}, way == Way::kToServer, id, 0, offset / 1000).value();
  Packet packet{way, Bytes(wire::kDataHeaderSize)};
  header.emit(packet.bytes.data());
  // What is sealed differs between the ways, as it would.
  packet.bytes.resize(wire::kDataHeaderSize + 1000 + wire::kTagBytes,
                      static_cast<uint8_t>(fill + 100 * static_cast<int>(way)));
  return packet;
}

Packet bundle_packet(Way way, uint64_t counter) {
  wire::BundleHeader header;
  header.session = way == Way::kToServer ? 10 : 20;
  header.record_number = wire::counter_number(counter);
  const Bytes frame = harmful_frame(wire::FrameType::kPing, 1);
  header.clear_length = static_cast<uint16_t>(frame.size());
  Packet packet{way, Bytes(wire::kBundleHeaderSize)};
  header.emit(packet.bytes.data());
  packet.bytes.insert(packet.bytes.end(), frame.begin(), frame.end());
  packet.bytes.resize(packet.bytes.size() + wire::kTagBytes,
                      static_cast<uint8_t>(counter + 100 * static_cast<uint64_t>(way)));
  return packet;
}

Recording some_traffic() {
  Recording out;
  for (uint32_t i = 0; i < 4; ++i) {
    for (const Way way : {Way::kToServer, Way::kToClient}) {
      out.read(data_packet(way, 1 + i % 2, i * 1000, static_cast<uint8_t>(40 + i)));
      out.read(bundle_packet(way, i));
    }
  }
  base::Prng prng(1);
  out.read({Way::kToServer, hello_packet(77, 1, {}, 1, &prng)});
  return out;
}

TEST(Fields, each_type_has_its_own_and_no_other_type_has_any) {
  for (unsigned type = 0; type < 256; ++type) {
    const bool known = type >= 1 && type <= 5;
    EXPECT_EQ(header_fields(static_cast<uint8_t>(type)).empty(), !known) << type;
  }
  for (const uint8_t type : kTypes) {
    std::set<std::string> names;
    for (const Field& field : header_fields(type)) EXPECT_TRUE(names.insert(field.name).second);
    EXPECT_TRUE(names.contains("record_number"));
  }
}

TEST(Fields, every_bit_of_the_header_is_changed_and_nothing_behind_it) {
  const Packet packet = data_packet(Way::kToServer, 1, 0, 7);
  std::set<size_t> bits;
  for (const Forgery& forged : alter_fields(packet)) {
    ASSERT_EQ(forged.packet.bytes.size(), packet.bytes.size());
    ASSERT_NE(forged.packet.bytes, packet.bytes);
    size_t differing = 0;
    size_t bit = 0;
    for (size_t at = 0; at < packet.bytes.size(); ++at) {
      const uint8_t change = forged.packet.bytes[at] ^ packet.bytes[at];
      ASSERT_TRUE(change == 0 || at < wire::kDataHeaderSize);
      for (size_t i = 0; i < 8; ++i) {
        if ((change >> i & 1) == 0) continue;
        ++differing;
        bit = at * 8 + i;
      }
    }
    if (differing == 1) bits.insert(bit);
  }
  EXPECT_EQ(bits.size(), wire::kDataHeaderSize * 8);
}

Packet esp_packet(Way way, uint32_t sequence) {
  Packet packet{way, Bytes(wire::kEspPacketMin + 8 * sequence, static_cast<uint8_t>(sequence)),
                true};
  wire::EspHeader{512u + static_cast<uint32_t>(way), sequence, 77 + sequence}.emit(
      packet.bytes.data());
  return packet;
}

// SPI, sequence and IV, and of each every bit.
TEST(Fields, of_esp_are_those_in_clear) {
  const Packet packet = esp_packet(Way::kToServer, 3);
  std::set<size_t> changed;
  for (const Forgery& forged : alter_fields(packet)) {
    EXPECT_TRUE(forged.packet.esp);
    ASSERT_EQ(forged.packet.bytes.size(), packet.bytes.size());
    for (size_t at = 0; at < packet.bytes.size(); ++at) {
      if (forged.packet.bytes[at] != packet.bytes[at]) changed.insert(at);
    }
  }
  EXPECT_EQ(changed.size(), wire::kEspHeaderSize);
  EXPECT_EQ(*changed.rbegin(), wire::kEspHeaderSize - 1);
}

// A frame as an honest sender would make it.
Bytes honest_frame(const Packet& packet, const wire::FramePath& path, uint16_t source_port) {
  const wire::FrameTemplate headers(path);
  const size_t before = packet.esp ? headers.l2_size() + headers.l3_size() : headers.header_size();
  Bytes out(before);
  out.insert(out.end(), packet.bytes.begin(), packet.bytes.end());
  if (packet.esp) {
    headers.prepend_esp(out.data() + before, packet.bytes.size(), 0);
  } else {
    headers.prepend(out.data() + before, packet.bytes.size(), source_port, 0, false);
  }
  return out;
}

wire::FramePath path_of(bool v4, wire::Encapsulation encapsulation) {
  wire::FramePath path;
  path.source_mac = {{2, 0, 0, 0, 0, 1}};
  path.destination_mac = {{2, 0, 0, 0, 0, 2}};
  path.source = *wire::parse_ip_address(v4 ? "10.0.0.1" : "fd00::1");
  path.destination = *wire::parse_ip_address(v4 ? "10.0.0.2" : "fd00::2");
  path.destination_port = 4791;
  path.encapsulation = encapsulation;
  return path;
}

TEST(Framer, what_was_read_is_framed_as_its_sender_would_have) {
  for (const bool v4 : {true, false}) {
    for (const auto encapsulation : {wire::Encapsulation::kUdp, wire::Encapsulation::kNative}) {
      const wire::FramePath path = path_of(v4, encapsulation);
      Framer framer;
      EXPECT_FALSE(framer.knows(Way::kToServer));
      const Bytes first = honest_frame(data_packet(Way::kToServer, 1, 0, 40), path, 777);
      const auto read = framer.read(Way::kToServer, first);
      ASSERT_TRUE(read);
      EXPECT_FALSE(read->esp);
      EXPECT_TRUE(framer.knows(Way::kToServer));
      EXPECT_FALSE(framer.knows(Way::kToClient));
      EXPECT_EQ(framer.frame(*read), first);
      const Packet esp = esp_packet(Way::kToServer, 3);
      const Bytes sealed = honest_frame(esp, path, 0);
      const auto again = framer.read(Way::kToServer, sealed);
      ASSERT_TRUE(again);
      EXPECT_TRUE(again->esp);
      EXPECT_EQ(again->bytes, esp.bytes);
      EXPECT_EQ(framer.frame(*again), sealed);
      // Another packet than was seen, however little is left of it, is a frame that can be read.
      for (size_t left = 0; left < read->bytes.size(); left += 5) {
        const Bytes cut = framer.frame({Way::kToServer, Bytes(left, 7)});
        EXPECT_EQ(parse(cut).payload_length, left);
      }
    }
  }
}

TEST(Framer, other_hosts_frames_have_their_addresses) {
  Framer framer;
  const wire::FramePath path = path_of(true, wire::Encapsulation::kNative);
  framer.read(Way::kToServer, honest_frame(data_packet(Way::kToServer, 1, 0, 40), path, 777));
  const wire::MacAddress mac{{2, 0, 0, 0, 0, 9}};
  const wire::IpAddress stranger = wire::IpAddress::from_v4(0x0b000001);
  const auto parsed =
      parse(framer.frame_from(mac, stranger, 99, data_packet(Way::kToServer, 2, 0, 41)));
  EXPECT_EQ(parsed.kind, wire::FrameKind::kSluiceNative);
  EXPECT_EQ(parsed.source, stranger);
  EXPECT_EQ(parsed.source_mac, mac);
  EXPECT_EQ(parsed.source_port, 99);
  EXPECT_EQ(parsed.destination, path.destination);
}

TEST(Catalogue, of_esp_makes_something_and_nothing_true) {
  Recording seen;
  std::set<Bytes> to[2];
  for (uint32_t i = 1; i < 5; ++i) {
    for (const Way way : {Way::kToServer, Way::kToClient}) {
      seen.read(esp_packet(way, i));
      to[static_cast<int>(way)].insert(esp_packet(way, i).bytes);
    }
  }
  EXPECT_EQ(seen.all().size(), 8u);
  EXPECT_TRUE(seen.all()[0].esp);
  EXPECT_TRUE(seen.sealed(9).empty()) << "they have no header";
  base::Prng prng(4);
  const auto made = find_attack("esp")->make(seen, &prng);
  EXPECT_GT(made.size(), 500u);
  for (const Forgery& forged : made) {
    const bool sent = to[static_cast<int>(forged.packet.way)].contains(forged.packet.bytes);
    EXPECT_FALSE(sent && forged.packet.esp) << forged.what;
  }
}

TEST(Forge, every_frame_type_is_forged_and_well_formed) {
  const auto types = frame_types();
  EXPECT_EQ(types.size(), 19u);
  for (const wire::FrameType type : types) {
    const Bytes frame = harmful_frame(type, 3);
    const uint32_t sealed = type == wire::FrameType::kMsg ? 16 : 0;
    EXPECT_EQ(wire::check_frames(frame, sealed), wire::FrameError::kNone)
        << wire::frame_type_name(type);
  }
}

TEST(Catalogue, each_attack_makes_something_and_nothing_true) {
  const Recording seen = some_traffic();
  std::set<Bytes> to[2];
  for (const Packet& packet : seen.all()) to[static_cast<int>(packet.way)].insert(packet.bytes);
  base::Prng prng(3);
  for (const Attack& attack : attacks()) {
    const auto made = attack.make(seen, &prng);
    if (std::string_view(attack.name) != "records" && std::string_view(attack.name) != "esp") {
      EXPECT_FALSE(made.empty()) << attack.name;
    }
    for (const Forgery& forged : made) {
      EXPECT_FALSE(to[static_cast<int>(forged.packet.way)].contains(forged.packet.bytes))
          << attack.name << ": " << forged.what;
    }
    EXPECT_EQ(find_attack(attack.name), &attack);
    EXPECT_TRUE(attack.make(Recording(), &prng).empty()) << "from nothing comes nothing";
  }
  EXPECT_EQ(find_attack("kindness"), nullptr);
}

TEST(HalfOpen, says_half_a_hello_with_the_cookie_and_then_nothing) {
  base::Prng prng(4);
  HalfOpen client(77, 2);
  const Bytes first = client.first(&prng);
  EXPECT_EQ(first.size(), 1200u);
  EXPECT_FALSE(client.answer(first, &prng).has_value());
  wire::HandshakeHeader header;
  header.connection_id = 77;
  header.message_type = 2;
  Bytes retry(wire::kHandshakeHeaderSize);
  header.emit(retry.data());
  retry.push_back(3);
  for (const uint8_t byte : {9, 8, 7}) retry.push_back(byte);
  const auto second = client.answer(retry, &prng);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ((*second)[wire::offsets::kFragmentCount], 2);
  EXPECT_EQ((*second)[wire::kHandshakeHeaderSize], 3);
  EXPECT_EQ((*second)[wire::kHandshakeHeaderSize + 1], 9);
  EXPECT_TRUE(client.opened());
  EXPECT_FALSE(client.answer(retry, &prng).has_value());
}

TEST(Meddler, does_what_it_is_told_and_no_more) {
  const Packet packet = data_packet(Way::kToServer, 1, 0, 7);
  Meddler idle({}, 1);
  const auto passed = idle.pass(packet);
  ASSERT_EQ(passed.size(), 1u);
  EXPECT_EQ(passed[0].packet.bytes, packet.bytes);
  EXPECT_EQ(passed[0].delay, base::Nanos());
  EXPECT_EQ(idle.meddled(), 0u);
  EXPECT_TRUE(Meddler({.drop = 1'000'000}, 1).pass(packet).empty());
  EXPECT_EQ(Meddler({.repeat = 1'000'000}, 1).pass(packet).size(), 2u);
  const auto back = Meddler({.reflect = 1'000'000}, 1).pass(packet);
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].packet.way, Way::kToClient);
  uint64_t changed = 0;
  Meddler altering({.alter = 1'000'000}, 1);
  for (int i = 0; i < 100; ++i) changed += altering.pass(packet)[0].packet.bytes != packet.bytes;
  EXPECT_EQ(changed, 100u);
}

}  // namespace
}  // namespace sluice::attack
