// SPDX-License-Identifier: Apache-2.0
#include "wire/record_packet.h"

#include <cstring>

#include "base/check.h"

namespace sluice::wire {
namespace {

constexpr size_t kSealedBegin = kTlsHeaderSize;
constexpr size_t kContentBegin = kTlsHeaderSize + kRecordHeaderSize;

}  // namespace

void RecordHeader::emit(uint8_t* out, uint32_t place) const {
  message.emit(out);
  base::store_be32(out + offsets::kSequence, record_sequence(message.offset, index) + place);
  out[offsets::kDoffVersion] = doff_version_byte(kRecordHeaderSize);
  out[offsets::kType] = static_cast<uint8_t>(PacketType::kRecord);
  base::store_be32(out + offsets::kRecordOffset, message.offset);
  base::store_be16(out + offsets::kRecordLength, length);
  base::store_be16(out + offsets::kRecordReserved, 0);
}

RecordHeader RecordHeader::read(const uint8_t* data, const RecordNumberSplit& split) {
  RecordHeader out;
  out.message = DataHeader::fields(data);
  out.message.offset = base::load_be32(data + offsets::kRecordOffset);
  out.index = split_message_number(split, out.message.record_number).index;
  out.length = base::load_be16(data + offsets::kRecordLength);
  return out;
}

HeaderError RecordView::check(const uint8_t* data, size_t size, const RecordNumberSplit& split) {
  const HeaderError error = CommonView::check(data, size);
  if (error != HeaderError::kNone) return error;
  if (data[offsets::kType] != static_cast<uint8_t>(PacketType::kRecord)) {
    return HeaderError::kUnknownType;
  }
  if (size <= kRecordHeaderSize) return HeaderError::kTruncated;
  const uint64_t number = base::load_be64(data + offsets::kRecordNumber);
  if (is_counter_number(number)) return HeaderError::kNumberSpace;  // PROTOCOL MUST-R3
  if (is_initiator_number(number) != ((data[offsets::kBits] & kBitInitiator) != 0)) {
    return HeaderError::kInitiatorMismatch;
  }
  const uint32_t length = base::load_be16(data + offsets::kRecordLength);
  if (length <= kRecordOverhead || length > kMaxRecordSize) return HeaderError::kLength;
  const uint64_t end =
      uint64_t{base::load_be32(data + offsets::kRecordOffset)} + length - kRecordOverhead;
  if (end > base::load_be32(data + offsets::kMessageLength)) return HeaderError::kLength;
  const uint64_t part_end = uint64_t{place_of(data, split)} + size - kRecordHeaderSize;
  return part_end > length ? HeaderError::kLength : HeaderError::kNone;
}

void RecordView::first_header(uint8_t* out) const {
  std::memcpy(out, data_, kRecordHeaderSize);
  base::store_be32(out + offsets::kSequence, sequence() - place_);
}

uint8_t* lay_out_record(const uint8_t* header, size_t content, uint8_t* out) {
  const size_t size = content + kRecordOverhead;
  SLUICE_DCHECK(content != 0 && content <= kMaxRecordContent);
  out[0] = kTlsApplicationData;  // PROTOCOL MUST-R4
  base::store_be16(out + 1, kTlsLegacyVersion);
  base::store_be16(out + 3, static_cast<uint16_t>(size - kTlsHeaderSize));
  std::memcpy(out + kSealedBegin, header, kRecordHeaderSize);
  out[kContentBegin + content] = kTlsApplicationData;
  std::memset(out + size - kTagBytes, 0, kTagBytes);
  return out + kContentBegin;
}

void lay_out_record(const uint8_t* header, std::span<const uint8_t> content, uint8_t* out) {
  std::memcpy(lay_out_record(header, content.size(), out), content.data(), content.size());
}

std::optional<std::span<const uint8_t>> opened_record(const uint8_t* header, const uint8_t* record,
                                                      size_t size) {
  const size_t content = size - kRecordOverhead;
  // PROTOCOL MUST-R5
  const bool framed = record[0] == kTlsApplicationData &&
                      base::load_be16(record + 1) == kTlsLegacyVersion &&
                      base::load_be16(record + 3) == size - kTlsHeaderSize &&
                      record[kContentBegin + content] == kTlsApplicationData;
  if (!framed || std::memcmp(record + kSealedBegin, header, kRecordHeaderSize) != 0) {
    return std::nullopt;
  }
  return std::span<const uint8_t>(record + kContentBegin, content);
}

}  // namespace sluice::wire
