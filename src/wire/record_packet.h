// SPDX-License-Identifier: Apache-2.0
//
// Record mode (PROTOCOL.md §18): the RECORD packet, and the record that several of them carry
// together: a TLS 1.3 record (RFC 8446 §5.2) over the whole of which one AEAD operation goes.
// All integers are big-endian. Nothing here allocates, throws or touches a clock.
#ifndef SLUICE_WIRE_RECORD_PACKET_H_
#define SLUICE_WIRE_RECORD_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/byte_order.h"
#include "wire/header.h"
#include "wire/record_number.h"

namespace sluice::wire {

// With the four bytes of ports before it, the 60 bytes that a TCP header can have at most: what a
// segmenting NIC repeats in every packet.
inline constexpr size_t kRecordHeaderSize = 56;

// A record on the wire: 17 03 03 and a length, which are its AAD; then, sealed, the header of its
// packets, bytes of the message, and the content type; then the tag.
inline constexpr size_t kTlsHeaderSize = 5;
inline constexpr uint8_t kTlsApplicationData = 23;  // RFC 8446 appendix B.1
inline constexpr uint16_t kTlsLegacyVersion = 0x0303;
inline constexpr size_t kTlsMaxPlaintext = 1u << 14;  // RFC 8446 §5.1, without the content type
inline constexpr size_t kRecordOverhead = kTlsHeaderSize + kRecordHeaderSize + 1 + kTagBytes;
inline constexpr size_t kMaxRecordContent = kTlsMaxPlaintext - kRecordHeaderSize;
inline constexpr size_t kMaxRecordSize = kRecordOverhead + kMaxRecordContent;

namespace offsets {
inline constexpr size_t kRecordOffset = 48;
inline constexpr size_t kRecordLength = 52;
inline constexpr size_t kRecordReserved = 54;
}  // namespace offsets

// Bytes of the record that carries `content` bytes of a message, from its TLS header to its tag.
constexpr uint32_t record_size(uint32_t content) {
  return content + static_cast<uint32_t>(kRecordOverhead);
}

// The sequence number of a record's first byte. It counts on from record to record of a message, as
// TCP's does, so that a NIC which follows it by itself need not be told of each.
constexpr uint32_t record_sequence(uint32_t offset, uint32_t index) {  // PROTOCOL MUST-R2
  return offset + index * static_cast<uint32_t>(kRecordOverhead);
}

// The header that all packets of a record share; only the sequence number tells them apart.
struct RecordHeader {
  DataHeader message;   // As in a DATA packet; `offset` is that of the record's first content byte.
  uint32_t index = 0;   // Of the record: the lowest bits of its number.
  uint16_t length = 0;  // Of the record, in bytes, from its TLS header to its tag.

  static constexpr size_t kSize = kRecordHeaderSize;

  // Bytes of the message in it.
  uint32_t content() const { return length - static_cast<uint32_t>(kRecordOverhead); }

  // Writes 56 bytes: the header of the packet that begins with the record's byte `place`.
  void emit(uint8_t* out, uint32_t place = 0) const;  // PROTOCOL MUST-R1
  // Reads the header of a packet that RecordView has checked, whatever its place.
  static RecordHeader read(const uint8_t* data, const RecordNumberSplit& split);

  friend bool operator==(const RecordHeader&, const RecordHeader&) = default;
};

// Puts the header of the packet that begins with the record's byte `place` to `out`, from that of
// its first packet.
inline void copy_record_header(const uint8_t* first, uint32_t place, uint8_t* out) {
  std::memcpy(out, first, kRecordHeaderSize);
  base::store_be32(out, base::load_be32(first) + place);
}

// A whole RECORD packet: its header, and a part of the record. Nothing of it is authentic before
// the whole record is opened, and its header not before that was compared (opened_record()).
class RecordView : public CommonView {
 public:
  // `split` is the session's, which says what bits of the number are the record's index.
  static std::optional<RecordView> parse(const uint8_t* data, size_t size,
                                         const RecordNumberSplit& split) {
    if (check(data, size, split) != HeaderError::kNone) return std::nullopt;
    return RecordView(data, size, place_of(data, split));
  }
  static HeaderError check(const uint8_t* data, size_t size, const RecordNumberSplit& split);

  uint32_t record_length() const { return base::load_be16(data_ + offsets::kRecordLength); }
  // The part of the record that this packet has: [place, place + part().size()).
  uint32_t place() const { return place_; }
  std::span<const uint8_t> part() const {
    return {data_ + kRecordHeaderSize, size_ - kRecordHeaderSize};
  }
  // Writes the header of the record's first packet as its sender sealed it: 56 bytes.
  void first_header(uint8_t* out) const;

 private:
  RecordView(const uint8_t* data, size_t size, uint32_t place)
      : CommonView(data, size), place_(place) {}
  static uint32_t place_of(const uint8_t* data, const RecordNumberSplit& split) {
    const uint32_t index = base::load_be32(data + offsets::kRecordNumber + 4) & split.max_index();
    return base::load_be32(data + offsets::kSequence) -
           record_sequence(base::load_be32(data + offsets::kRecordOffset), index);
  }

  uint32_t place_;
};

// Lays out a record that is to be sealed in place from kTlsHeaderSize on: the TLS header and the
// plaintext, and zeros where its tag will be. `header` is that of its first packet; `out` has room
// for record_size(content).
void lay_out_record(const uint8_t* header, std::span<const uint8_t> content, uint8_t* out);
// The same but for the `content` message bytes: returns where the caller is to write them.
uint8_t* lay_out_record(const uint8_t* header, size_t content, uint8_t* out);

// Of a record of `size` bytes whose sealed part was opened in place: the message's bytes, or
// nothing if the framing is not TLS 1.3's or another header was sealed than `header`, the one of
// its first packet as it arrived.
std::optional<std::span<const uint8_t>> opened_record(const uint8_t* header, const uint8_t* record,
                                                      size_t size);

static_assert(kPortBytes + kRecordHeaderSize == 60, "a TCP header has no more room");
static_assert(doff_version_byte(kRecordHeaderSize) == 0xf1);
static_assert(kMaxRecordSize == 16406 && kMaxRecordSize <= UINT16_MAX);

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_RECORD_PACKET_H_
