// SPDX-License-Identifier: Apache-2.0
//
// ESP as its sender makes it, read by an IPsec that knows nothing of Sluice.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "crypto/inline_crypto.h"
#include "test/unit/transport/esp_bench.h"

namespace sluice::transport {
namespace {

constexpr auto kGcm = crypto::AeadAlgorithm::kAes128Gcm;

wire::EspHeader header_of(const PacketData& packet) {
  const auto view = wire::EspView::parse(packet.data(), packet.size());
  EXPECT_TRUE(view.has_value());
  return view->value();
}

// The Sluice packet, without its tag, in a packet of ESP.
PacketData inside(Association* sa, const PacketData& packet) {
  auto plaintext = sa->open(packet);
  EXPECT_TRUE(plaintext.has_value());
  if (!plaintext) return {};
  const auto size = wire::esp_content(plaintext->data(), static_cast<uint32_t>(plaintext->size()),
                                      wire::kProtocolNative);
  EXPECT_TRUE(size.has_value());
  plaintext->resize(size.value_or(0));
  return *plaintext;
}

// Verifies MUST-S2, MUST-S3: whatever the lane sends, of any cipher that ESP takes.
TEST(SenderEsp, all_packets_of_the_lane_are_esp) {
  for (const auto algorithm : {kGcm, crypto::AeadAlgorithm::kAes256Gcm}) {
    Roles r(esp_config(), algorithm);
    Association sa(true, 0, algorithm);
    const PacketData bytes = pattern(30'000);
    const PacketData small = pattern(40, 9);
    r.call(bytes);
    r.call(small);
    r.sender.ping(*r.lane);
    const std::vector<PacketData> packets = r.raw();
    ASSERT_GE(packets.size(), 20u);
    EXPECT_EQ(r.ctx.stats.tx_esp.value(), packets.size());
    std::set<uint64_t> numbers;
    PacketData arrived;
    for (size_t i = 0; i < packets.size(); ++i) {
      const wire::EspHeader header = header_of(packets[i]);
      EXPECT_EQ(r.slots[i].piece, kWholeEsp);
      EXPECT_EQ(r.slots[i].context, crypto::kNoInlineContext);
      EXPECT_EQ(header.spi, Roles::kRemoteBase + 4 * Roles::kLane);
      EXPECT_EQ(header.sequence, i + 1) << "from 1";
      const PacketData packet = inside(&sa, packets[i]);
      const uint64_t number = base::load_be64(packet.data() + wire::offsets::kRecordNumber);
      EXPECT_EQ(header.iv, sa.iv_of(number)) << "the nonce of the record number";
      EXPECT_TRUE(numbers.insert(number).second);
      EXPECT_EQ(base::load_be32(packet.data() + wire::offsets::kSession), Roles::kRemote.value());
      EXPECT_EQ(packet[wire::offsets::kLane], Roles::kLane);
      EXPECT_EQ(packet[wire::offsets::kFlags], wire::kFlagsByte);
      EXPECT_EQ(base::load_be16(packet.data() + wire::offsets::kChecksum), 0);
      if (wire::looks_like_bundle(packet.data(), packet.size())) {
        EXPECT_EQ(wire::BundleView::check(packet.data(), packet.size(), 0),
                  wire::HeaderError::kNone);
        continue;
      }
      ASSERT_EQ(wire::DataView::check(packet.data(), packet.size(), 0), wire::HeaderError::kNone);
      const wire::DataHeader data = wire::DataHeader::fields(packet.data());
      if (data.message_length != bytes.size()) continue;
      EXPECT_EQ(data.offset, arrived.size());
      arrived.insert(arrived.end(), packet.begin() + wire::kDataHeaderSize, packet.end());
    }
    EXPECT_GT(arrived.size(), 20'000u);
    EXPECT_TRUE(std::equal(arrived.begin(), arrived.end(), bytes.begin()));
  }
}

// Verifies MUST-S3: what an IPsec makes of the same plaintext is the packet, byte for byte.
TEST(SenderEsp, is_what_an_ipsec_would_make) {
  Roles r(esp_config());
  Association sa(true, 0);
  for (uint32_t size = 1; size < 30; ++size) {
    const PacketData bytes = pattern(size);
    Exchange& exchange = r.call(bytes);
    for (const PacketData& packet : r.raw()) {
      EXPECT_EQ(sa.seal(header_of(packet), with_trailer(inside(&sa, packet))), packet);
    }
    r.lifecycle.complete(exchange, base::Code::kCancelled);
    r.polled();
  }
}

// Verifies MUST-S2: each key has an SPI of its own, and counts from 1.
TEST(SenderEsp, a_key_update_takes_another_spi) {
  Roles r(esp_config());
  for (uint32_t epoch = 0; epoch < 6; ++epoch) {
    Association sa(true, epoch);
    for (uint32_t i = 0; i < 3; ++i) {
      r.sender.ping(*r.lane);
      const std::vector<PacketData> packets = r.raw();
      ASSERT_EQ(packets.size(), 1u);
      EXPECT_EQ(header_of(packets[0]).spi, Roles::kRemoteBase + 4 * Roles::kLane + epoch % 4);
      EXPECT_EQ(header_of(packets[0]).sequence, i + 1);
      EXPECT_FALSE(inside(&sa, packets[0]).empty());
    }
    r.peer.received_epoch = static_cast<uint8_t>(epoch);
    r.lane->send.request_update();
    r.give_esp({as_esp(r, r.peer.bundle(wire::PongFrame{}))});
    r.sender.ping(*r.lane);
    r.raw();  // The update comes with the next packet out.
    ASSERT_EQ(r.lane->send.epoch().value(), epoch + 1);
  }
}

// Verifies MUST-S4: header, payload, trailer and tag fit what the receiver takes.
TEST(SenderEsp, packets_keep_to_the_size_of_the_path) {
  for (const uint32_t packet : {1200u, 1432u, 1435u, 8952u}) {
    Roles r(esp_config(packet));
    r.lane->mtu.start(packet, packet - wire::kEspTrailerMax, r.now);
    const PacketData bytes = pattern(60'000);
    r.call(bytes);
    uint32_t longest = 0;
    for (const PacketData& each : r.raw()) {
      longest = std::max(longest, static_cast<uint32_t>(each.size()));
    }
    EXPECT_LE(longest, packet + wire::kEspHeaderSize);
    EXPECT_GT(longest, packet + wire::kEspHeaderSize - 4);
  }
}

// Verifies MUST-S4: the search for the path's size goes by packets of the size that would be used.
TEST(SenderEsp, probes_are_esp_of_the_size_they_name) {
  Roles r(esp_config(1452));
  Association sa(true, 0);
  r.give_esp({as_esp(r, r.peer.bundle(wire::PongFrame{}))});
  r.pass(base::millis(1));
  uint16_t probed = 0;
  for (const PacketData& each : r.raw()) {
    const PacketData packet = inside(&sa, each);
    const auto view = wire::BundleView::parse(packet.data(), packet.size(), 0);
    ASSERT_TRUE(view);
    wire::FrameReader reader(view->frames(), view->sealed_length());
    wire::Frame frame;
    while (reader.next(&frame)) {
      if (frame.type != wire::FrameType::kProbe) continue;
      probed = frame.probe.size;
      EXPECT_EQ(packet.size() + wire::kTagBytes, probed);
    }
  }
  EXPECT_EQ(probed, 1452 - wire::kEspTrailerMax);
}

// Ports whose contexts are security associations.
class EspPorts final : public crypto::InlineCrypto {
 public:
  uint32_t open(uint32_t /*route*/, crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) override {
    spis.push_back(spi);
    if (associations.size() >= room) return crypto::kNoInlineContext;
    associations.try_emplace(next_, algorithm, key, iv);
    return next_++;
  }
  void close(uint32_t context) override { EXPECT_EQ(associations.erase(context), 1u); }

  size_t room = 8;
  std::map<uint32_t, Association> associations;
  std::vector<uint32_t> spis;

 private:
  uint32_t next_ = 40;
};

// Verifies MUST-S6: a port is handed the plaintext, and makes of it the very packet that the CPU
// makes.
TEST(SenderEsp, what_is_left_to_a_port_becomes_the_same_bytes) {
  EspPorts ports;
  Roles by_cpu(esp_config());
  Roles by_port(esp_config(), kGcm, &ports);
  EXPECT_EQ(ports.spis, std::vector<uint32_t>{Roles::kRemoteBase + 4 * Roles::kLane});
  const PacketData bytes = pattern(10'000);
  const PacketData small = pattern(50);
  for (Roles* r : {&by_cpu, &by_port}) {
    r->call(bytes);
    r->call(small);
  }
  const std::vector<PacketData> wanted = by_cpu.raw();
  std::vector<PacketData> packets = by_port.raw();
  ASSERT_EQ(packets.size(), wanted.size());
  for (size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(by_port.slots[i].piece, kWholeEsp);
    EXPECT_NE(packets[i], wanted[i]);
    const PacketData tag(packets[i].end() - wire::kTagBytes, packets[i].end());
    EXPECT_EQ(tag, PacketData(wire::kTagBytes, 0));
    ports.associations.at(by_port.slots[i].context).seal_in_place(&packets[i]);
    EXPECT_EQ(packets[i], wanted[i]) << i;
  }
  EXPECT_EQ(by_port.ctx.stats.tx_inline_esp.value(), packets.size());
  EXPECT_EQ(by_cpu.ctx.stats.tx_inline_esp.value(), 0u);
}

// Verifies MUST-S6: without a context the CPU seals, until there is one.
TEST(SenderEsp, without_a_context_the_cpu_seals) {
  EspPorts ports;
  ports.room = 1;
  Roles r(esp_config(), kGcm, &ports);
  for (uint32_t epoch = 0; epoch < 3; ++epoch) {
    r.sender.ping(*r.lane);
    const std::vector<PacketData> packets = r.raw();
    ASSERT_EQ(packets.size(), 1u);
    const bool cpu = r.slots[0].context == crypto::kNoInlineContext;
    EXPECT_EQ(cpu, epoch == 1) << "the key before it still has the port's only context";
    EXPECT_EQ(Association(true, epoch).open(packets[0]).has_value(), cpu);
    r.peer.received_epoch = static_cast<uint8_t>(epoch);
    r.lane->send.request_update();
    r.give_esp({as_esp(r, r.peer.bundle(wire::PongFrame{}))});
    r.sender.ping(*r.lane);
    r.raw();
  }
  EXPECT_EQ(ports.spis, (std::vector<uint32_t>{
                            Roles::kRemoteBase + 4 * Roles::kLane,
                            Roles::kRemoteBase + 4 * Roles::kLane + 1,
                            Roles::kRemoteBase + 4 * Roles::kLane + 2,
                            Roles::kRemoteBase + 4 * Roles::kLane + 3,
                        }));
  r.lifecycle.close_lane(*r.lane, base::Code::kClosed);
  EXPECT_TRUE(ports.associations.empty());
}

// Verifies MUST-S1: a lane has ESP where the endpoint was told to, with AES-GCM and good bases.
TEST(SenderEsp, a_lane_that_cannot_have_it_is_refused) {
  Roles r(esp_config());
  const auto open = [&r](uint32_t session, auto change) {
    InstallLane command = r.lane_command();
    command.local_session = base::SessionId(session);
    command.esp.local_base = wire::kEspSpis * session;
    change(&command);
    return r.lifecycle.open_lane(command, r.now, nullptr);
  };
  EXPECT_EQ(open(901, [](InstallLane*) {}), base::Code::kOk);
  const auto refused = base::Code::kInvalidArgument;
  EXPECT_EQ(open(902, [](InstallLane* c) { c->esp.local_base = 901 * wire::kEspSpis; }), refused)
      << "the SPIs of another lane";
  EXPECT_EQ(open(902, [](InstallLane* c) { c->esp.local_base = 0; }), refused);
  EXPECT_EQ(open(902, [](InstallLane* c) { c->esp.remote_base = 513; }), refused);
  EXPECT_EQ(open(902, [](InstallLane* c) { c->lane = 128; }), refused);
  EXPECT_EQ(
      open(902, [](InstallLane* c) { c->algorithm = crypto::AeadAlgorithm::kChaCha20Poly1305; }),
      refused);
  EXPECT_EQ(open(902, [](InstallLane* c) { c->algorithm = crypto::AeadAlgorithm::kNone; }),
            refused);
  Roles without;
  InstallLane command = r.lane_command();
  command.local_session = base::SessionId(903);
  EXPECT_EQ(without.lifecycle.open_lane(command, without.now, nullptr), refused);
}

}  // namespace
}  // namespace sluice::transport
