// SPDX-License-Identifier: Apache-2.0
#include "wire/record_packet.h"

#include <gtest/gtest.h>

#include "wire_test_util.h"

namespace sluice::wire {
namespace {

RecordHeader sample(uint32_t content = 3000) {
  RecordHeader out;
  out.message.offset = 0x00010203;
  out.message.session = 0x04050607;
  out.message.epoch = 0x0b;
  out.message.lane = 0x0e;
  out.message.bits = kBitInitiator | kBitOneWay;
  out.index = 0x00012;
  out.message.record_number = *message_number({}, true, 0x12345678, 0, out.index);
  out.message.message_length = 0x00f00000;
  out.message.granted = 0x00010207 + content;
  out.message.response_credit = 0x20212223;
  out.message.floor_delta = 0x24252627;
  out.message.timestamp = 0x28292a2b;
  out.message.service = 0x2c2d;
  out.message.path_sequence = 0x2e2;
  out.message.path = 0xf;
  out.length = static_cast<uint16_t>(record_size(content));
  return out;
}

ByteVector packet(const RecordHeader& header, uint32_t place, size_t part) {
  ByteVector out(kRecordHeaderSize + part, 0xee);
  header.emit(out.data(), place);
  return out;
}

HeaderError check(const ByteVector& bytes) {
  return RecordView::check(bytes.data(), bytes.size(), {});
}

// Verifies MUST-R1, MUST-R2: the sequence number is 0x010203 + 18 * 78 + 1396, the rest is shared.
TEST(RecordPacket, header_has_the_specified_bytes) {
  ByteVector out(kRecordHeaderSize);
  sample().emit(out.data(), 1396);
  EXPECT_EQ(to_hex(out),
            "00010cf3"
            "04050607"
            "f110050b"
            "00000e18"
            "41234567"
            "80000012"
            "00f00000"
            "00010dbf"
            "20212223"
            "24252627"
            "28292a2b"
            "2c2d2e2f"
            "00010203"
            "0c060000");
  EXPECT_EQ(RecordHeader::read(out.data(), {}), sample());
  ByteVector first(kRecordHeaderSize);
  sample().emit(first.data());
  ByteVector copied(kRecordHeaderSize);
  copy_record_header(first.data(), 1396, copied.data());
  EXPECT_EQ(copied, out);
}

// Verifies MUST-R2: each record begins where the one before it ends.
TEST(RecordPacket, sequence_counts_on_through_the_records_of_a_message) {
  uint32_t offset = 0;
  uint32_t sequence = record_sequence(0, 0);
  for (uint32_t index = 0; index < 70'000; ++index) {
    EXPECT_EQ(record_sequence(offset, index), sequence);
    const uint32_t content = index % 3 == 0 ? 15'278 : 16'328;
    offset += content;
    sequence += record_size(content);
  }
}

TEST(RecordPacket, view_tells_its_part_whatever_size_packets_have) {
  for (const uint32_t size : {100u, 1144u, 1396u, 8896u}) {
    for (uint32_t place = 0; place < sample().length; place += size) {
      const uint32_t part = std::min(size, sample().length - place);
      const ByteVector bytes = packet(sample(), place, part);
      const auto view = RecordView::parse(bytes.data(), bytes.size(), {});
      ASSERT_TRUE(view);
      EXPECT_EQ(view->place(), place);
      EXPECT_EQ(view->part().size(), part);
      EXPECT_EQ(view->part().data(), bytes.data() + kRecordHeaderSize);
      uint8_t first[kRecordHeaderSize];
      view->first_header(first);
      uint8_t expected[kRecordHeaderSize];
      sample().emit(expected);
      EXPECT_EQ(std::memcmp(first, expected, sizeof(first)), 0);
    }
  }
}

// Verifies MUST-R3
TEST(RecordPacket, contradictions_are_refused_before_anything_is_kept) {
  const ByteVector good = packet(sample(), 0, 1000);
  EXPECT_EQ(check(good), HeaderError::kNone);
  const auto with = [&](size_t at, ByteVector bytes) {
    ByteVector out = good;
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<ptrdiff_t>(at));
    return check(out);
  };
  EXPECT_EQ(with(offsets::kDoffVersion, {0xf2}), HeaderError::kVersion);
  EXPECT_EQ(with(offsets::kType, {1}), HeaderError::kUnknownType);
  EXPECT_EQ(with(offsets::kRecordNumber, {0x80}), HeaderError::kNumberSpace);
  EXPECT_EQ(with(offsets::kBits, {0}), HeaderError::kInitiatorMismatch);
  EXPECT_EQ(with(offsets::kRecordLength, {0, 78}), HeaderError::kLength) << "no content";
  EXPECT_EQ(with(offsets::kRecordLength, {0x40, 0x17}), HeaderError::kLength) << "over 16 KiB";
  EXPECT_EQ(with(offsets::kRecordLength, {0, 79}), HeaderError::kLength) << "ends before its part";
  EXPECT_EQ(with(offsets::kMessageLength, {0, 1, 0x0d, 0xba}), HeaderError::kLength);
  EXPECT_EQ(with(offsets::kMessageLength, {0, 1, 0x0d, 0xbb}), HeaderError::kNone);
  EXPECT_EQ(with(offsets::kSequence, {0, 0, 0, 0}), HeaderError::kLength) << "before its record";
  const uint32_t last = sample().length - 1000u;
  EXPECT_EQ(check(packet(sample(), last, 1000)), HeaderError::kNone);
  EXPECT_EQ(check(packet(sample(), last + 1, 1000)), HeaderError::kLength);
  EXPECT_EQ(check(ByteVector(good.begin(), good.begin() + kRecordHeaderSize)),
            HeaderError::kTruncated);
  EXPECT_EQ(check(ByteVector(good.begin(), good.begin() + 23)), HeaderError::kTruncated);
}

// Verifies MUST-R4: RFC 8446 §5.1 and §5.2, byte by byte.
TEST(RecordPacket, record_is_laid_out_as_tls_does) {
  uint8_t header[kRecordHeaderSize];
  for (size_t i = 0; i < sizeof(header); ++i) header[i] = static_cast<uint8_t>(i);
  const ByteVector content = from_hex("c0c1c2");
  ByteVector record(record_size(3));
  lay_out_record(header, content, record.data());
  ByteVector expected = from_hex("17 0303 004c");
  expected.insert(expected.end(), std::begin(header), std::end(header));
  expected.insert(expected.end(), content.begin(), content.end());
  expected.push_back(0x17);
  record.resize(record.size() - kTagBytes);
  EXPECT_EQ(record, expected);
}

// Verifies MUST-R5
TEST(RecordPacket, what_was_sealed_has_to_be_what_the_packets_say) {
  uint8_t header[kRecordHeaderSize];
  sample(20).emit(header);
  const ByteVector content(20, 0xaa);
  ByteVector record(record_size(20));
  lay_out_record(header, content, record.data());
  const auto open = [&](const ByteVector& bytes) {
    return opened_record(header, bytes.data(), bytes.size());
  };
  const auto found = open(record);
  ASSERT_TRUE(found);
  EXPECT_EQ(ByteVector(found->begin(), found->end()), content);
  const size_t type = kTlsHeaderSize + kRecordHeaderSize + content.size();
  std::vector<size_t> fixed = {0, 1, 2, 3, 4, type};
  for (size_t i = 0; i < kRecordHeaderSize; ++i) fixed.push_back(kTlsHeaderSize + i);
  for (const size_t at : fixed) {
    ByteVector bad = record;
    bad[at] ^= 0x20;
    EXPECT_FALSE(open(bad)) << at;
  }
}

}  // namespace
}  // namespace sluice::wire
