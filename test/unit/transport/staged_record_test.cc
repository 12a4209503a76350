// SPDX-License-Identifier: Apache-2.0
#include "transport/staged_record.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "crypto/boringssl/module.h"

namespace sluice::transport {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint8_t kIv[crypto::kNonceSize] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

class StagedRecordTest : public testing::Test {
 protected:
  StagedRecordTest() : backend_(crypto::make_boringssl_backend(sluice_boringssl_v1())) {
    key_ = expand(kIv);
  }

  crypto::AeadKey expand(const uint8_t (&iv)[crypto::kNonceSize]) {
    const Bytes raw(16, 0x5a);
    crypto::AeadKey key;
    EXPECT_TRUE(backend_->expand_key(crypto::AeadAlgorithm::kAes128Gcm, raw, iv, &key));
    return key;
  }
  void stage(uint32_t content, uint32_t context = crypto::kNoInlineContext) {
    header_.message.session = 7;
    header_.message.record_number = *wire::message_number({}, true, 0x1234, 0, 2);
    header_.message.offset = 32'656;
    header_.message.message_length = 100'000;
    header_.message.granted = 65'536;
    header_.index = 2;
    header_.length = static_cast<uint16_t>(wire::record_size(content));
    content_.resize(content);
    for (uint32_t i = 0; i < content; ++i) content_[i] = static_cast<uint8_t>(i * 7);
    TxPacket way;
    way.route = 3;
    way.entropy = 4;
    way.priority = 5;
    staged_.begin(header_, content_, LaneRef{1, 2}, way);
    if (context == crypto::kNoInlineContext) {
      staged_.seal(backend_.get(), &key_);
    } else {
      staged_.leave_to_port(context);
    }
  }
  std::vector<Bytes> packets(uint32_t bytes, uint32_t capacity = 9000) {
    std::vector<Bytes> out;
    while (staged_.pending()) {
      Bytes buffer(capacity);
      TxPacket slot;
      slot.data = buffer.data();
      slot.capacity = capacity;
      staged_.cut(&slot, bytes);
      EXPECT_EQ(slot.route, 3u);
      EXPECT_EQ(slot.entropy, 4u);
      EXPECT_EQ(slot.priority, 5u);
      pieces_.push_back(slot.piece);
      if (slot.piece != 0) {
        EXPECT_EQ(slot.context, 9u);
      }
      buffer.resize(slot.length);
      out.push_back(std::move(buffer));
    }
    return out;
  }
  // What the packets' parts make when they are joined.
  static Bytes joined(const std::vector<Bytes>& packets) {
    Bytes out;
    for (const Bytes& packet : packets) {
      out.insert(out.end(), packet.begin() + wire::kRecordHeaderSize, packet.end());
    }
    return out;
  }

  std::unique_ptr<crypto::AeadBackend> backend_;
  crypto::AeadKey key_;
  StagedRecord staged_{true};
  wire::RecordHeader header_;
  Bytes content_;
  std::vector<uint8_t> pieces_;
};

// Verifies MUST-R4: the record of RFC 8446 §5.2, put together by hand: its nonce is the IV XOR the
// 64-bit number of record (§5.3), its AAD the five bytes before the sealed part.
TEST_F(StagedRecordTest, is_a_tls_record_to_the_byte) {
  stage(5000);
  const Bytes record = joined(packets(1452));
  const uint8_t tls[] = {23, 3, 3, 0x13, 0xd1};  // 5000 + 56 + 1 + 16
  ASSERT_EQ(std::memcmp(record.data(), tls, sizeof(tls)), 0);
  Bytes inner(wire::kRecordHeaderSize);
  header_.emit(inner.data());
  inner.insert(inner.end(), content_.begin(), content_.end());
  inner.push_back(23);
  // Under an IV that has the number in it already, and the number 0.
  uint8_t iv[crypto::kNonceSize];
  std::memcpy(iv, kIv, sizeof(iv));
  for (int i = 0; i < 8; ++i) {
    iv[4 + i] ^= static_cast<uint8_t>(header_.message.record_number >> (56 - 8 * i));
  }
  const crypto::AeadKey by_hand = expand(iv);
  Bytes sealed(inner.size() + crypto::kTagSize);
  crypto::AeadJob job;
  job.key = &by_hand;
  job.aad = tls;
  job.aad_length = sizeof(tls);
  job.in = inner.data();
  job.out = sealed.data();
  job.length = static_cast<uint32_t>(inner.size());
  backend_->submit_seal({&job, 1});
  EXPECT_EQ(Bytes(record.begin() + 5, record.end()), sealed);
}

// Verifies MUST-R1, MUST-R2: as a segmenting NIC would, whose packets differ in one number.
TEST_F(StagedRecordTest, packets_differ_in_their_sequence_alone) {
  stage(16'328);
  const std::vector<Bytes> cut = packets(1452);
  ASSERT_EQ(cut.size(), 12u);
  const uint32_t first = base::load_be32(cut[0].data());
  EXPECT_EQ(first, 32'656u + 2 * 78);
  uint32_t place = 0;
  for (const Bytes& packet : cut) {
    EXPECT_EQ(base::load_be32(packet.data()), first + place);
    EXPECT_EQ(std::memcmp(packet.data() + 4, cut[0].data() + 4, wire::kRecordHeaderSize - 4), 0);
    if (&packet != &cut.back()) {
      EXPECT_EQ(packet.size(), 1452u) << "full segments";
    }
    place += static_cast<uint32_t>(packet.size() - wire::kRecordHeaderSize);
  }
  EXPECT_EQ(place, wire::kMaxRecordSize);
}

TEST_F(StagedRecordTest, packets_may_change_their_size_on_the_way) {
  stage(9000);
  const Bytes whole = joined(packets(9000));
  stage(9000);
  Bytes buffer(9000);
  TxPacket slot;
  slot.data = buffer.data();
  slot.capacity = 700;
  staged_.cut(&slot, 1452);
  EXPECT_EQ(slot.length, 700u) << "the slot's room counts as well";
  Bytes rest(buffer.begin() + wire::kRecordHeaderSize, buffer.begin() + slot.length);
  const Bytes more = joined(packets(1200));
  rest.insert(rest.end(), more.begin(), more.end());
  EXPECT_EQ(rest, whole);
  stage(9000);
  staged_.drop();
  EXPECT_FALSE(staged_.pending());
}

// What a port that seals is given: the same packets, in plaintext, with zeros for a tag.
TEST_F(StagedRecordTest, pieces_for_a_port_are_the_record_in_plaintext) {
  stage(4000);
  const Bytes sealed = joined(packets(1452));
  EXPECT_EQ(pieces_, std::vector<uint8_t>(3, 0));
  pieces_.clear();
  stage(4000, 9);
  EXPECT_EQ(staged_.sealed_bytes() + crypto::kTagSize, sealed.size());
  Bytes record = joined(packets(1452));
  EXPECT_EQ(pieces_, (std::vector<uint8_t>{kPieceInside | kPieceFirst, kPieceInside,
                                           kPieceInside | kPieceLast}));
  EXPECT_EQ(Bytes(record.end() - crypto::kTagSize, record.end()), Bytes(crypto::kTagSize, 0));
  crypto::AeadJob job;
  job.key = &key_;
  job.record_number = header_.message.record_number;
  job.aad = record.data();
  job.aad_length = wire::kTlsHeaderSize;
  job.in = job.out = record.data() + wire::kTlsHeaderSize;
  job.length = static_cast<uint32_t>(record.size() - wire::kTlsHeaderSize - crypto::kTagSize);
  backend_->submit_seal({&job, 1});
  EXPECT_EQ(record, sealed);
  pieces_.clear();
  stage(100, 9);
  packets(1452);
  EXPECT_EQ(pieces_, (std::vector<uint8_t>{kPieceInside | kPieceFirst | kPieceLast}));
}

TEST_F(StagedRecordTest, records_fill_their_packets) {
  for (const uint32_t packet : {1200u, 1452u, 1472u, 4000u, 8952u}) {
    const uint32_t content = StagedRecord::most_content(packet);
    EXPECT_LE(content, wire::kMaxRecordContent);
    const uint32_t part = packet - wire::kRecordHeaderSize;
    const bool several = wire::kMaxRecordSize / part > 1;
    EXPECT_EQ(wire::record_size(content) % part == 0, several) << packet;
    EXPECT_GT(content, wire::kMaxRecordContent / 2) << packet;
  }
}

}  // namespace
}  // namespace sluice::transport
