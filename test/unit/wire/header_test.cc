// SPDX-License-Identifier: Apache-2.0
#include "wire/header.h"

#include <gtest/gtest.h>

#include "wire_test_util.h"

namespace sluice::wire {
namespace {

constexpr size_t kPayload = 5;

DataHeader sample_data() {
  DataHeader out;
  out.offset = 0x00010203;
  out.session = 0x04050607;
  out.epoch = 0x0b;
  out.lane = 0x0e;
  out.bits = kBitInitiator | kBitEcnEcho | kBitCongestedSender;
  out.record_number = *message_number({}, true, 0x12345678, 0x9a, 0xbcdef);
  out.message_length = 0x00010208;
  out.granted = 0x00010207;
  out.response_credit = 0x20212223;
  out.floor_delta = 0x24252627;
  out.timestamp = 0x28292a2b;
  out.service = 0x2c2d;
  out.path_sequence = 0x2e2;
  out.path = 0xf;
  return out;
}

BundleHeader sample_bundle() {
  BundleHeader out;
  out.session = 0x04050607;
  out.epoch = 0xfe;
  out.lane = 3;
  out.bits = kBitCongestedSender;
  out.record_number = counter_number(0x0102030405060708);
  out.clear_length = 10;
  out.rx_epoch = 0x7f;
  out.path = 0xb;
  out.timestamp = 0x1c1d1e1f;
  return out;
}

HandshakeHeader sample_handshake() { return {0, 0x1122334455667788, 2, 1, 3}; }

ResetPacket sample_reset() {
  ResetPacket out;
  out.session = 0xcafef00d;
  out.lane = 9;
  for (uint8_t i = 0; i < kResetTokenSize; ++i) out.token[i] = static_cast<uint8_t>(0xa0 + i);
  return out;
}

ByteVector data_packet(const DataHeader& header, size_t payload = kPayload) {
  ByteVector out(kDataHeaderSize + payload + kTagBytes);
  header.emit(out.data());
  return out;
}

ByteVector bundle_packet(const BundleHeader& header, size_t sealed) {
  ByteVector out(kBundleHeaderSize + header.clear_length + sealed + kTagBytes);
  header.emit(out.data());
  return out;
}

ByteVector handshake_packet(const HandshakeHeader& header, size_t fragment) {
  ByteVector out(kHandshakeHeaderSize + fragment);
  header.emit(out.data());
  return out;
}

// Verifies MUST-W1, MUST-W4, MUST-W5: every byte of the DATA header stands where the table says.
TEST(DataHeader, has_golden_bytes) {
  ByteVector wire(kDataHeaderSize, 0xee);
  sample_data().emit(wire.data());
  EXPECT_EQ(to_hex(wire), to_hex(from_hex("00010203 04050607 d1 10 01 0b 0000 0e 13"
                                          "41234567 89abcdef"
                                          "00010208 00010207 20212223 24252627 28292a2b"
                                          "2c2d 2e2f")));
}

// Verifies MUST-W1, MUST-W4, MUST-W5
TEST(BundleHeader, has_golden_bytes) {
  ByteVector wire(kBundleHeaderSize, 0xee);
  sample_bundle().emit(wire.data());
  EXPECT_EQ(to_hex(wire), to_hex(from_hex("00000000 04050607 91 10 02 fe 0000 03 01"
                                          "8102030405060708 000a 7f 0b 1c1d1e1f")));
}

// Verifies MUST-W1, MUST-W4
TEST(HandshakeHeader, has_golden_bytes) {
  ByteVector wire(kHandshakeHeaderSize, 0xee);
  sample_handshake().emit(wire.data());
  EXPECT_EQ(to_hex(wire), to_hex(from_hex("00000000 00000000 81 10 03 00 0000 ff 00"
                                          "1122334455667788 02 01 03 00")));
}

// Verifies MUST-W1, MUST-W4
TEST(ResetPacket, has_golden_bytes) {
  ByteVector wire(kResetPacketSize, 0xee);
  sample_reset().emit(wire.data());
  EXPECT_EQ(to_hex(wire), to_hex(from_hex("00000000 cafef00d 71 10 04 00 0000 09 00"
                                          "0000000000000000 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")));
}

TEST(DataHeader, round_trips) {
  const DataHeader header = sample_data();
  const ByteVector packet = data_packet(header);
  const auto parsed = DataHeader::parse(packet.data(), packet.size());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, header);
  const auto view = DataView::parse(packet.data(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->value(), header);
  EXPECT_EQ(view->offset(), header.offset);
  EXPECT_EQ(view->session(), header.session);
  EXPECT_EQ(view->message_length(), header.message_length);
  EXPECT_EQ(view->granted(), header.granted);
  EXPECT_EQ(view->response_credit(), header.response_credit);
  EXPECT_EQ(view->floor_delta(), header.floor_delta);
  EXPECT_EQ(view->timestamp(), header.timestamp);
  EXPECT_EQ(view->service(), header.service);
  EXPECT_EQ(view->path_sequence(), header.path_sequence);
  EXPECT_EQ(view->payload_length(), kPayload);
  EXPECT_EQ(view->payload(), packet.data() + kDataHeaderSize);
  EXPECT_TRUE(view->initiator());
  EXPECT_TRUE(view->ecn_echo());
  EXPECT_TRUE(view->congested_sender());
  EXPECT_FALSE(view->one_way());
  EXPECT_FALSE(view->retransmission());
}

TEST(BundleHeader, round_trips) {
  const BundleHeader header = sample_bundle();
  const ByteVector packet = bundle_packet(header, 7);
  EXPECT_EQ(BundleHeader::parse(packet.data(), packet.size()), header);
  const auto view = BundleView::parse(packet.data(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->value(), header);
  EXPECT_EQ(view->aad_length(), kBundleHeaderSize + 10);
  EXPECT_EQ(view->frames().data(), packet.data() + kBundleHeaderSize);
  EXPECT_EQ(view->frames().size(), 10u);
  EXPECT_EQ(view->sealed(), packet.data() + kBundleHeaderSize + 10);
  EXPECT_EQ(view->sealed_length(), 7u);
}

TEST(BundleHeader, clear_length_can_be_patched) {
  ByteVector packet = bundle_packet(sample_bundle(), 7);
  set_bundle_clear_length(packet.data(), 4);
  EXPECT_EQ(BundleView::parse(packet.data(), packet.size())->sealed_length(), 13u);
}

TEST(HandshakeHeader, round_trips) {
  const HandshakeHeader header = sample_handshake();
  const ByteVector packet = handshake_packet(header, 11);
  EXPECT_EQ(HandshakeHeader::parse(packet.data(), packet.size()), header);
  const auto view = HandshakeView::parse(packet.data(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->value(), header);
  EXPECT_EQ(view->fragment().size(), 11u);
  EXPECT_EQ(view->fragment().data(), packet.data() + kHandshakeHeaderSize);
}

TEST(ResetPacket, round_trips) {
  const ResetPacket reset = sample_reset();
  ByteVector packet(kResetPacketSize);
  reset.emit(packet.data());
  EXPECT_EQ(ResetPacket::parse(packet.data(), packet.size()), reset);
  const auto view = ResetView::parse(packet.data(), packet.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->token()[15], 0xaf);
}

TEST(CommonHeader, round_trips_with_an_unknown_type) {
  const CommonHeader header{1, 2, 0xc8, 3, 4, kBitOneWay, 5};
  uint8_t wire[kCommonHeaderSize];
  header.emit(wire, kCommonHeaderSize);
  EXPECT_EQ(CommonHeader::parse(wire, sizeof(wire)), header);
}

// Verifies MUST-W9, MUST-W10, MUST-W18, MUST-W19: no length short of the whole is accepted, and
// none reads past the end (address sanitizer).
TEST(Headers, refuse_truncation_at_every_length) {
  const ByteVector data = data_packet(sample_data(), 1);
  for (size_t size = 0; size < data.size(); ++size) {
    const ExactCopy cut(data.data(), size);
    EXPECT_FALSE(DataView::parse(cut.data(), size)) << size;
    EXPECT_EQ(DataHeader::parse(cut.data(), size).has_value(), size >= kDataHeaderSize);
    EXPECT_EQ(CommonView::parse(cut.data(), size).has_value(), size >= kCommonHeaderSize);
    EXPECT_EQ(CommonHeader::parse(cut.data(), size).has_value(), size >= kCommonHeaderSize);
  }
  EXPECT_TRUE(DataView::parse(data.data(), data.size()));
  const ByteVector bundle = bundle_packet(sample_bundle(), 0);
  for (size_t size = 0; size < bundle.size(); ++size) {
    const ExactCopy cut(bundle.data(), size);
    EXPECT_FALSE(BundleView::parse(cut.data(), size)) << size;
    EXPECT_EQ(BundleHeader::parse(cut.data(), size).has_value(), size >= kBundleHeaderSize);
  }
  EXPECT_TRUE(BundleView::parse(bundle.data(), bundle.size()));
  const ByteVector handshake = handshake_packet(sample_handshake(), 0);
  for (size_t size = 0; size < handshake.size(); ++size) {
    const ExactCopy cut(handshake.data(), size);
    EXPECT_FALSE(HandshakeView::parse(cut.data(), size)) << size;
  }
  ByteVector reset(kResetPacketSize + 1);
  sample_reset().emit(reset.data());
  for (size_t size = 0; size <= reset.size(); ++size) {
    const ExactCopy cut(reset.data(), size);
    EXPECT_EQ(ResetView::parse(cut.data(), size).has_value(), size == kResetPacketSize) << size;
  }
}

// Verifies MUST-W2
TEST(Headers, refuse_other_versions) {
  const ByteVector packets[] = {data_packet(sample_data()), bundle_packet(sample_bundle(), 3),
                                handshake_packet(sample_handshake(), 4)};
  for (ByteVector packet : packets) {
    for (uint8_t version = 0; version < 16; ++version) {
      uint8_t& byte = packet[offsets::kDoffVersion];
      byte = static_cast<uint8_t>((byte & 0xf0) | version);
      const HeaderError wanted = version == 1 ? HeaderError::kNone : HeaderError::kVersion;
      EXPECT_EQ(CommonView::check(packet.data(), packet.size()), wanted);
      if (version == 1) continue;
      EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kVersion);
      EXPECT_EQ(BundleView::check(packet.data(), packet.size()), HeaderError::kVersion);
      EXPECT_EQ(HandshakeView::check(packet.data(), packet.size()), HeaderError::kVersion);
      EXPECT_EQ(ResetView::check(packet.data(), packet.size()), HeaderError::kVersion);
    }
  }
}

// Verifies MUST-W3: a type that is not one's own is never read as it.
TEST(Headers, tell_types_apart) {
  ByteVector packet(200);
  DataHeader header = sample_data();
  header.offset = 0;
  header.message_length = 1000;
  header.emit(packet.data());
  for (unsigned type = 0; type < 256; ++type) {
    packet[offsets::kType] = static_cast<uint8_t>(type);
    EXPECT_TRUE(CommonView::parse(packet.data(), packet.size()));
    EXPECT_EQ(DataView::check(packet.data(), packet.size()) != HeaderError::kUnknownType,
              type == 1);
    EXPECT_EQ(BundleView::check(packet.data(), packet.size()) != HeaderError::kUnknownType,
              type == 2);
    EXPECT_EQ(HandshakeView::check(packet.data(), packet.size()) != HeaderError::kUnknownType,
              type == 3);
    EXPECT_EQ(ResetView::check(packet.data(), packet.size()) != HeaderError::kUnknownType,
              type == 4);
  }
}

// Verifies MUST-W4: the header-length nibble is advice for a TSO engine, never read.
TEST(Headers, ignore_the_header_length_nibble) {
  ByteVector packet = data_packet(sample_data());
  for (unsigned nibble = 0; nibble < 16; ++nibble) {
    packet[offsets::kDoffVersion] = static_cast<uint8_t>((nibble << 4) | kWireVersion);
    EXPECT_TRUE(DataView::parse(packet.data(), packet.size()));
  }
  EXPECT_EQ(doff_version_byte(60), 0xf1);  // capped at 15 words
}

TEST(Headers, name_the_path_in_data_and_bundles) {
  EXPECT_EQ(path_of(data_packet(sample_data()).data()), sample_data().path);
  EXPECT_EQ(path_of(bundle_packet(sample_bundle(), 0).data()), sample_bundle().path);
}

// Verifies MUST-W7: unknown bits are neither sent nor seen.
TEST(Headers, mask_reserved_bits) {
  DataHeader header = sample_data();
  header.bits = 0xff;
  ByteVector packet = data_packet(header);
  EXPECT_EQ(packet[offsets::kBits], kKnownBits);
  packet[offsets::kBits] = 0xff;
  EXPECT_EQ(DataView::parse(packet.data(), packet.size())->bits(), kKnownBits);
  EXPECT_EQ(DataHeader::parse(packet.data(), packet.size())->bits, kKnownBits);
}

// Verifies MUST-W8: message space, and both copies of the initiator bit equal.
TEST(DataView, refuses_wrong_number_space_and_initiator) {
  DataHeader header = sample_data();
  header.bits = 0;
  ByteVector packet = data_packet(header);
  EXPECT_EQ(packet[offsets::kBits], kBitInitiator) << "emit derives the bit from the number";
  packet[offsets::kBits] = 0;
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kInitiatorMismatch);
  packet[offsets::kRecordNumber] &= 0x3f;
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kNone);
  packet[offsets::kBits] = kBitInitiator;
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kInitiatorMismatch);
  packet[offsets::kRecordNumber] |= 0x80;
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kNumberSpace);
}

// Verifies MUST-W9: payloads of at least one byte that end inside the message.
TEST(DataView, checks_lengths_against_the_message) {
  DataHeader header = sample_data();
  header.offset = 10;
  header.message_length = 15;
  ByteVector packet = data_packet(header, 5);
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kNone);
  packet.push_back(0);
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kLength);
  header.offset = 0xffffffff;
  header.message_length = 0xffffffff;
  packet = data_packet(header, 1);
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kLength) << "no wrap";
  header.offset = 0;
  header.message_length = 0;
  packet = data_packet(header, 1);
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kLength);
  packet = data_packet(header, 0);
  EXPECT_EQ(DataView::check(packet.data(), packet.size()), HeaderError::kTruncated);
}

TEST(DataView, works_without_a_tag_in_plaintext_sessions) {
  DataHeader header = sample_data();
  header.offset = 0;
  header.message_length = 3;
  ByteVector packet(kDataHeaderSize + 3);
  header.emit(packet.data());
  EXPECT_EQ(DataView::parse(packet.data(), packet.size(), 0)->payload_length(), 3u);
  EXPECT_FALSE(DataView::parse(packet.data(), packet.size()));
  EXPECT_FALSE(DataView::parse(packet.data(), kDataHeaderSize, 0));
}

// Verifies MUST-W10: counter space, and a clear part that ends before the tag.
TEST(BundleView, checks_space_and_clear_length) {
  BundleHeader header = sample_bundle();
  ByteVector packet = bundle_packet(header, 0);
  EXPECT_EQ(BundleView::check(packet.data(), packet.size()), HeaderError::kNone);
  set_bundle_clear_length(packet.data(), 11);
  EXPECT_EQ(BundleView::check(packet.data(), packet.size()), HeaderError::kLength);
  set_bundle_clear_length(packet.data(), 0xffff);
  EXPECT_EQ(BundleView::check(packet.data(), packet.size()), HeaderError::kLength);
  header.record_number = 1;
  packet = bundle_packet(header, 0);
  EXPECT_EQ(BundleView::check(packet.data(), packet.size()), HeaderError::kNumberSpace);
}

// Verifies MUST-W18: fragment numbers in range, on the handshake lane.
TEST(HandshakeView, checks_fragment_numbers_and_lane) {
  for (unsigned count = 0; count < 256; ++count) {
    for (const unsigned index : {0u, 1u, 14u, 15u, 16u, 254u, 255u}) {
      HandshakeHeader header = sample_handshake();
      header.fragment_count = static_cast<uint8_t>(count);
      header.fragment_index = static_cast<uint8_t>(index);
      const ByteVector packet = handshake_packet(header, 1);
      const bool good = count >= 1 && count <= kMaxHandshakeFragments && index < count;
      EXPECT_EQ(HandshakeView::check(packet.data(), packet.size()),
                good ? HeaderError::kNone : HeaderError::kFragment);
    }
  }
  ByteVector packet = handshake_packet(sample_handshake(), 1);
  packet[offsets::kLane] = 0;
  EXPECT_EQ(HandshakeView::check(packet.data(), packet.size()), HeaderError::kFragment);
}

// Verifies MUST-W6: the AAD is the header, with a bundle's frames, and in native mode with the
// bytes that the network may write put back.
TEST(Aad, covers_header_and_clear_frames) {
  const ByteVector data = data_packet(sample_data());
  EXPECT_EQ(aad_of_header(data.data()).data(), data.data());
  EXPECT_EQ(aad_of_header(data.data()).size(), kDataHeaderSize);
  const ByteVector bundle = bundle_packet(sample_bundle(), 7);
  EXPECT_EQ(aad_of_header(bundle.data()).size(), kBundleHeaderSize + 10);
  ByteVector rewritten = data;
  rewritten[offsets::kFlags] = 0x18;
  rewritten[offsets::kChecksum] = 0xab;
  rewritten[offsets::kChecksum + 1] = 0xcd;
  restore_native_header(rewritten.data());
  EXPECT_EQ(rewritten, data);
}

TEST(Headers, name_every_error) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(HeaderError::kFragment); ++i) {
    EXPECT_STRNE(header_error_name(static_cast<HeaderError>(i)), "invalid");
  }
  EXPECT_STREQ(header_error_name(static_cast<HeaderError>(200)), "invalid");
}

}  // namespace
}  // namespace sluice::wire
