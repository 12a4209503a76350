// SPDX-License-Identifier: Apache-2.0
#include "wire/header.h"

namespace sluice::wire {

const char* header_error_name(HeaderError error) {
  switch (error) {
    case HeaderError::kNone:
      return "none";
    case HeaderError::kTruncated:
      return "truncated";
    case HeaderError::kVersion:
      return "version";
    case HeaderError::kUnknownType:
      return "unknown_type";
    case HeaderError::kNumberSpace:
      return "number_space";
    case HeaderError::kInitiatorMismatch:
      return "initiator_mismatch";
    case HeaderError::kLength:
      return "length";
    case HeaderError::kFragment:
      return "fragment";
  }
  return "invalid";
}

std::optional<CommonHeader> CommonHeader::parse(const uint8_t* data, size_t size) {
  const std::optional<CommonView> view = CommonView::parse(data, size);
  if (!view) return std::nullopt;
  return CommonHeader{view->sequence(), view->session(), view->type(),         view->epoch(),
                      view->lane(),     view->bits(),    view->record_number()};
}

std::optional<DataHeader> DataHeader::parse(const uint8_t* data, size_t size) {
  if (DataView::check_header(data, size) != HeaderError::kNone) return std::nullopt;
  return fields(data);
}

DataHeader DataHeader::fields(const uint8_t* data) {
  DataHeader out;
  out.offset = base::load_be32(data + offsets::kSequence);
  out.session = base::load_be32(data + offsets::kSession);
  out.epoch = data[offsets::kEpoch];
  out.lane = data[offsets::kLane];
  out.bits = data[offsets::kBits] & kKnownBits;
  out.record_number = base::load_be64(data + offsets::kRecordNumber);
  out.message_length = base::load_be32(data + offsets::kMessageLength);
  out.granted = base::load_be32(data + offsets::kGranted);
  out.response_credit = base::load_be32(data + offsets::kResponseCredit);
  out.floor_delta = base::load_be32(data + offsets::kFloorDelta);
  out.timestamp = base::load_be32(data + offsets::kDataTimestamp);
  out.service = base::load_be16(data + offsets::kService);
  const uint16_t path = base::load_be16(data + offsets::kPathSequence);
  out.path = path & (kPaths - 1);
  out.path_sequence = path >> 4;
  return out;
}

DataHeader DataView::value() const { return *DataHeader::parse(data_, size_); }

std::optional<BundleHeader> BundleHeader::parse(const uint8_t* data, size_t size) {
  if (BundleView::check_header(data, size) != HeaderError::kNone) return std::nullopt;
  BundleHeader out;
  out.session = base::load_be32(data + offsets::kSession);
  out.epoch = data[offsets::kEpoch];
  out.lane = data[offsets::kLane];
  out.bits = data[offsets::kBits] & kKnownBits;
  out.record_number = base::load_be64(data + offsets::kRecordNumber);
  out.clear_length = base::load_be16(data + offsets::kClearLength);
  out.rx_epoch = data[offsets::kRxEpoch];
  out.path = data[offsets::kBundlePath] & (kPaths - 1);
  out.timestamp = base::load_be32(data + offsets::kBundleTimestamp);
  return out;
}

BundleHeader BundleView::value() const { return *BundleHeader::parse(data_, size_); }

void HandshakeHeader::emit(uint8_t* out) const {
  const CommonHeader common{
      0, session,      static_cast<uint8_t>(PacketType::kHandshake), 0, kHandshakeLane,
      0, connection_id};
  common.emit(out, kSize);
  out[offsets::kMessageType] = message_type;
  out[offsets::kFragmentIndex] = fragment_index;
  out[offsets::kFragmentCount] = fragment_count;
  out[offsets::kHandshakeReserved] = 0;
}

std::optional<HandshakeHeader> HandshakeHeader::parse(const uint8_t* data, size_t size) {
  const std::optional<HandshakeView> view = HandshakeView::parse(data, size);
  if (!view) return std::nullopt;
  return view->value();
}

HeaderError HandshakeView::check(const uint8_t* data, size_t size) {
  const HeaderError error = CommonView::check(data, size);
  if (error != HeaderError::kNone) return error;
  if (data[offsets::kType] != static_cast<uint8_t>(PacketType::kHandshake)) {
    return HeaderError::kUnknownType;
  }
  if (size < kHandshakeHeaderSize) return HeaderError::kTruncated;
  // PROTOCOL MUST-W18
  const uint8_t count = data[offsets::kFragmentCount];
  if (count == 0 || count > kMaxHandshakeFragments || data[offsets::kFragmentIndex] >= count ||
      data[offsets::kLane] != kHandshakeLane) {
    return HeaderError::kFragment;
  }
  return HeaderError::kNone;
}

HandshakeHeader HandshakeView::value() const {
  return {session(), connection_id(), message_type(), fragment_index(), fragment_count()};
}

void ResetPacket::emit(uint8_t* out) const {
  const CommonHeader common{0, session, static_cast<uint8_t>(PacketType::kReset), 0, lane, 0, 0};
  common.emit(out, kCommonHeaderSize);
  std::memcpy(out + kCommonHeaderSize, token, kResetTokenSize);
}

std::optional<ResetPacket> ResetPacket::parse(const uint8_t* data, size_t size) {
  const std::optional<ResetView> view = ResetView::parse(data, size);
  if (!view) return std::nullopt;
  return view->value();
}

HeaderError ResetView::check(const uint8_t* data, size_t size) {
  const HeaderError error = CommonView::check(data, size);
  if (error != HeaderError::kNone) return error;
  if (data[offsets::kType] != static_cast<uint8_t>(PacketType::kReset)) {
    return HeaderError::kUnknownType;
  }
  // PROTOCOL MUST-W19
  if (size < kResetPacketSize) return HeaderError::kTruncated;
  return size == kResetPacketSize ? HeaderError::kNone : HeaderError::kLength;
}

ResetPacket ResetView::value() const {
  ResetPacket out;
  out.session = session();
  out.lane = lane();
  std::memcpy(out.token, data_ + kCommonHeaderSize, kResetTokenSize);
  return out;
}

}  // namespace sluice::wire
