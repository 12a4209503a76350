// SPDX-License-Identifier: Apache-2.0
//
// Records that the sender leaves to its ports: what it hands over, and to which context.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "crypto/inline_crypto.h"
#include "test/unit/transport/roles.h"

namespace sluice::transport {
namespace {

// Ports whose contexts seal what is theirs.
class TestPorts final : public crypto::InlineCrypto {
 public:
  uint32_t open(uint32_t /*route*/, crypto::AeadAlgorithm algorithm, std::span<const uint8_t> key,
                std::span<const uint8_t, crypto::kNonceSize> iv, uint32_t spi) override {
    EXPECT_EQ(spi, 0u) << "records have none";
    if (contexts.size() >= room) return crypto::kNoInlineContext;
    crypto::AeadKey& expanded = contexts[next_];
    EXPECT_TRUE(backend_->expand_key(algorithm, key, iv, &expanded));
    return next_++;
  }
  void close(uint32_t context) override { EXPECT_EQ(contexts.erase(context), 1u); }

  // Seals the record that these packets make, in place.
  void seal(uint32_t context, std::vector<PacketData>* packets) {
    PacketData record;
    for (const PacketData& packet : *packets) {
      record.insert(record.end(), packet.begin() + wire::kRecordHeaderSize, packet.end());
    }
    ASSERT_EQ(contexts.count(context), 1u);
    crypto::AeadJob job;
    job.key = &contexts[context];
    job.record_number = base::load_be64(packets->front().data() + wire::offsets::kRecordNumber);
    job.aad = record.data();
    job.aad_length = wire::kTlsHeaderSize;
    job.in = job.out = record.data() + wire::kTlsHeaderSize;
    job.length = static_cast<uint32_t>(record.size() - wire::kTlsHeaderSize - wire::kTagBytes);
    backend_->submit_seal({&job, 1});
    size_t at = 0;
    for (PacketData& packet : *packets) {
      const size_t part = packet.size() - wire::kRecordHeaderSize;
      std::memcpy(packet.data() + wire::kRecordHeaderSize, record.data() + at, part);
      at += part;
    }
  }

  size_t room = 8;
  std::map<uint32_t, crypto::AeadKey> contexts;

 private:
  std::unique_ptr<crypto::AeadBackend> backend_ =
      crypto::make_boringssl_backend(sluice_boringssl_v1());
  uint32_t next_ = 40;
};

EndpointConfig inline_config() {
  EndpointConfig config = bench_config();
  config.record_mode = true;
  config.base_packet = config.max_packet = 1452;
  return config;
}

constexpr auto kGcm = crypto::AeadAlgorithm::kAes128Gcm;

// A record as it was handed over.
struct Handed {
  uint32_t context = 0;
  std::vector<PacketData> packets;
};

// The records among what the last raw() gave, in the order of their ends.
std::vector<Handed> handed_over(const Roles& r, const std::vector<PacketData>& packets) {
  std::vector<Handed> out;
  Handed current;
  for (size_t i = 0; i < packets.size(); ++i) {
    const TxPacket& slot = r.slots[i];
    if (slot.piece == 0) continue;
    if ((slot.piece & kPieceFirst) != 0) {
      EXPECT_TRUE(current.packets.empty());
      current.context = slot.context;
    }
    EXPECT_EQ(slot.context, current.context);
    current.packets.push_back(packets[i]);
    if ((slot.piece & kPieceLast) == 0) continue;
    out.push_back(std::move(current));
    current = {};
  }
  EXPECT_TRUE(current.packets.empty());
  return out;
}

// Verifies MUST-R10: the port's sealing makes the record that the peer opens, and what is handed
// over is no packet to be sent as it is.
TEST(InlineRecords, are_what_the_peer_opens_once_the_port_has_sealed_them) {
  TestPorts ports;
  Roles r(inline_config(), kGcm, &ports);
  const PacketData bytes = pattern(60'000);
  r.call(bytes);
  std::vector<Handed> records = handed_over(r, r.raw());
  ASSERT_GE(records.size(), 3u);
  EXPECT_EQ(r.ctx.stats.tx_inline_records.value(), records.size());
  EXPECT_EQ(r.ctx.stats.tx_records.value(), records.size());
  PacketData arrived;
  for (Handed& record : records) {
    EXPECT_FALSE(r.peer.open_record(record.packets)) << "plaintext so far";
    ports.seal(record.context, &record.packets);
    const auto content = r.peer.open_record(record.packets);
    ASSERT_TRUE(content);
    arrived.insert(arrived.end(), content->begin(), content->end());
  }
  EXPECT_TRUE(std::equal(arrived.begin(), arrived.end(), bytes.begin()));
}

TEST(InlineRecords, all_else_is_sealed_by_the_cpu) {
  TestPorts ports;
  Roles r(inline_config(), kGcm, &ports);
  const PacketData small = pattern(100);
  const PacketData packet = pattern(r.lane->record_bytes());
  const PacketData bytes = pattern(20'000);
  r.call(small);
  r.call(packet);
  EXPECT_EQ(r.sent().size(), 2u) << "the peer opens both";
  Exchange& exchange = r.call(bytes);
  r.raw();
  r.pass(base::millis(1));
  r.raw();
  r.sender.resend(exchange, 0, 15'000, r.now);
  for (const Opened& opened : r.sent()) EXPECT_TRUE(opened.is_data());
  for (const TxPacket& slot : r.slots) EXPECT_EQ(slot.piece, 0);
}

TEST(InlineRecords, each_epoch_has_its_context) {
  TestPorts ports;
  Roles r(inline_config(), kGcm, &ports);
  const PacketData bytes = pattern(60'000);
  r.call(bytes);
  std::vector<PacketData> packets = r.raw(5);
  const std::vector<TxPacket> begun = r.slots;
  r.give(r.peer.bundle(wire::PingFrame{1}));
  r.lane->send.on_peer_epoch(0);
  r.lane->send.request_update();
  // The record that was begun ends under the context that it began with, which is still there.
  std::vector<PacketData> rest = r.raw();
  packets.insert(packets.end(), rest.begin(), rest.end());
  r.slots.insert(r.slots.begin(), begun.begin(), begun.end());
  EXPECT_EQ(r.lane->send.epoch_low(), 1);
  std::map<uint8_t, uint32_t> contexts;
  for (Handed& record : handed_over(r, packets)) {
    const uint8_t epoch = record.packets[0][wire::offsets::kEpoch];
    const auto known = contexts.emplace(epoch, record.context).first;
    EXPECT_EQ(known->second, record.context);
    ports.seal(record.context, &record.packets);
  }
  EXPECT_EQ(contexts.size(), 2u);
  EXPECT_NE(contexts[0], contexts[1]);
}

TEST(InlineRecords, without_room_for_its_key_the_cpu_seals) {
  TestPorts ports;
  ports.room = 0;
  Roles r(inline_config(), kGcm, &ports);
  const PacketData bytes = pattern(15'000);
  r.call(bytes);
  std::vector<PacketData> record;
  const std::vector<PacketData> packets = r.raw();
  for (size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(r.slots[i].piece, 0);
    if (packets[i][wire::offsets::kType] == static_cast<uint8_t>(wire::PacketType::kRecord)) {
      record.push_back(packets[i]);
    }
  }
  const auto content = r.peer.open_record(record);
  ASSERT_TRUE(content);
  EXPECT_EQ(*content, bytes);
  EXPECT_EQ(r.ctx.stats.tx_records.value(), 1u);
  EXPECT_EQ(r.ctx.stats.tx_inline_records.value(), 0u);
}

TEST(InlineRecords, contexts_end_with_their_lane) {
  TestPorts ports;
  Roles r(inline_config(), kGcm, &ports);
  EXPECT_EQ(ports.contexts.size(), 1u);
  const PacketData bytes = pattern(15'000);
  r.call(bytes);
  r.raw(3);
  r.lifecycle.close_lane(*r.lane, base::Code::kClosed);
  EXPECT_TRUE(ports.contexts.empty());
  EXPECT_TRUE(r.raw().empty()) << "the rest of a record is given up";
}

TEST(InlineRecords, a_lane_in_packet_mode_takes_no_context) {
  TestPorts ports;
  EndpointConfig config = inline_config();
  config.record_mode = false;
  Roles r(config, kGcm, &ports);
  EXPECT_TRUE(ports.contexts.empty());
}

}  // namespace
}  // namespace sluice::transport
