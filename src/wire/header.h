// SPDX-License-Identifier: Apache-2.0
//
// The Sluice packet headers: the common header and the DATA, BUNDLE, HANDSHAKE and RESET packets.
// For each there is a value (plain struct with emit and parse) and a view (checked once by
// parse(), then read in place). A view borrows the packet: it is valid while the packet is.
// All integers are big-endian. Nothing here allocates, throws or touches a clock.
#ifndef SLUICE_WIRE_HEADER_H_
#define SLUICE_WIRE_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "base/byte_order.h"
#include "wire/record_number.h"

namespace sluice::wire {

inline constexpr uint8_t kWireVersion = 1;
inline constexpr size_t kTagBytes = 16;  // AEAD tag that ends a sealed packet
inline constexpr size_t kCommonHeaderSize = 24;
inline constexpr size_t kDataHeaderSize = 48;
inline constexpr size_t kBundleHeaderSize = 32;
inline constexpr size_t kHandshakeHeaderSize = 28;
inline constexpr size_t kResetTokenSize = 16;
inline constexpr size_t kResetPacketSize = kCommonHeaderSize + kResetTokenSize;
inline constexpr size_t kPortBytes = 4;  // the ports that precede the header in native mode
inline constexpr uint8_t kFlagsByte = 0x10;
inline constexpr uint8_t kHandshakeLane = 0xff;
inline constexpr uint8_t kMaxHandshakeFragments = 16;
// Ways through the network that a sender tells apart; a packet says which one it took.
inline constexpr uint32_t kPaths = 16;

enum class PacketType : uint8_t {
  kData = 1,
  kBundle = 2,
  kHandshake = 3,
  kReset = 4,
  kRecord = 5,  // wire/record_packet.h
};

// The `bits` byte. Bit 7 is sent as zero and ignored on receipt.
inline constexpr uint8_t kBitCongestedSender = 0x01;  // the sender has more credit than it can use
inline constexpr uint8_t kBitEcnEcho = 0x02;          // the sender saw CE on this path lately
inline constexpr uint8_t kBitRetransmission = 0x04;   // repeats bytes sent before
inline constexpr uint8_t kBitOneWay = 0x08;           // no response will follow this message
inline constexpr uint8_t kBitInitiator = 0x10;        // equals bit 62 of the record number
inline constexpr uint8_t kBitLazy = 0x20;       // one-way: the ACK may wait; response: its release
inline constexpr uint8_t kBitOutranked = 0x40;  // this message had to wait for others
inline constexpr uint8_t kKnownBits = 0x7f;

// Byte offsets in the common header.
namespace offsets {
inline constexpr size_t kSequence = 0;
inline constexpr size_t kSession = 4;
inline constexpr size_t kDoffVersion = 8;
inline constexpr size_t kFlags = 9;
inline constexpr size_t kType = 10;
inline constexpr size_t kEpoch = 11;
inline constexpr size_t kChecksum = 12;
inline constexpr size_t kLane = 14;
inline constexpr size_t kBits = 15;
inline constexpr size_t kRecordNumber = 16;
inline constexpr size_t kMessageLength = 24;
inline constexpr size_t kGranted = 28;
inline constexpr size_t kResponseCredit = 32;
inline constexpr size_t kFloorDelta = 36;
inline constexpr size_t kDataTimestamp = 40;
inline constexpr size_t kService = 44;
inline constexpr size_t kPathSequence = 46;
inline constexpr size_t kClearLength = 24;
inline constexpr size_t kRxEpoch = 26;
inline constexpr size_t kBundlePath = 27;
inline constexpr size_t kBundleTimestamp = 28;
inline constexpr size_t kMessageType = 24;
inline constexpr size_t kFragmentIndex = 25;
inline constexpr size_t kFragmentCount = 26;
inline constexpr size_t kHandshakeReserved = 27;
}  // namespace offsets

// Why a packet was refused before any cryptography; each cause has its counter.
enum class HeaderError : uint8_t {
  kNone,
  kTruncated,          // shorter than the header of its type plus the tag
  kVersion,            // another wire version
  kUnknownType,        // PROTOCOL MUST-W3: counted and ignored
  kNumberSpace,        // the record number is in the wrong space for the type
  kInitiatorMismatch,  // the initiator bit differs from bit 62 of the record number
  kLength,             // lengths and offsets contradict each other
  kFragment,           // handshake fragment index or count out of range
};
const char* header_error_name(HeaderError error);

// The path that a DATA, RECORD or BUNDLE packet names; `packet` is one that its view has checked.
inline uint8_t path_of(const uint8_t* packet) {
  const bool bundle = packet[offsets::kType] == static_cast<uint8_t>(PacketType::kBundle);
  return packet[bundle ? offsets::kBundlePath : offsets::kPathSequence + 1] & (kPaths - 1);
}

// The value of the byte at offset 8: the length of the header and the 4 port bytes in 32-bit
// words (what a TSO engine must repeat; at most 15) in the high nibble, the version in the low.
constexpr uint8_t doff_version_byte(size_t header_size) {  // PROTOCOL MUST-W4
  const size_t words = (header_size + kPortBytes) / 4;
  return static_cast<uint8_t>(((words > 15 ? 15 : words) << 4) | kWireVersion);
}

// What every packet starts with. Value form; `flags`, `checksum` and the version byte are not
// fields because a sender has no choice about them.
struct CommonHeader {
  uint32_t sequence = 0;  // DATA: byte offset of this record in its message; else 0
  uint32_t session = 0;   // chosen by the receiver of this packet
  uint8_t type = 0;
  uint8_t epoch = 0;  // low 8 bits of the sending key epoch
  uint8_t lane = 0;
  uint8_t bits = 0;
  uint64_t record_number = 0;

  static constexpr size_t kSize = kCommonHeaderSize;

  // Writes 24 bytes. `header_size` is the full size of the header of this type.
  void emit(uint8_t* out, size_t header_size) const {  // PROTOCOL MUST-W1
    base::store_be32(out + offsets::kSequence, sequence);
    base::store_be32(out + offsets::kSession, session);
    out[offsets::kDoffVersion] = doff_version_byte(header_size);
    out[offsets::kFlags] = kFlagsByte;  // PROTOCOL MUST-W5
    out[offsets::kType] = type;
    out[offsets::kEpoch] = epoch;
    base::store_be16(out + offsets::kChecksum, 0);
    out[offsets::kLane] = lane;
    out[offsets::kBits] = bits & kKnownBits;  // PROTOCOL MUST-W7
    base::store_be64(out + offsets::kRecordNumber, record_number);
  }
  // nullopt when shorter than 24 bytes or of another version; any type is accepted.
  static std::optional<CommonHeader> parse(const uint8_t* data, size_t size);

  friend bool operator==(const CommonHeader&, const CommonHeader&) = default;
};

// A packet whose common header is present and of this version. The type may still be unknown.
class CommonView {
 public:
  static std::optional<CommonView> parse(const uint8_t* data, size_t size) {
    if (check(data, size) != HeaderError::kNone) return std::nullopt;
    return CommonView(data, size);
  }
  static HeaderError check(const uint8_t* data, size_t size) {
    if (size < kCommonHeaderSize) return HeaderError::kTruncated;
    // PROTOCOL MUST-W2
    if ((data[offsets::kDoffVersion] & 0x0f) != kWireVersion) return HeaderError::kVersion;
    return HeaderError::kNone;
  }

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  uint32_t sequence() const { return base::load_be32(data_ + offsets::kSequence); }
  uint32_t session() const { return base::load_be32(data_ + offsets::kSession); }
  uint8_t type() const { return data_[offsets::kType]; }
  uint8_t epoch() const { return data_[offsets::kEpoch]; }
  uint8_t lane() const { return data_[offsets::kLane]; }
  uint8_t bits() const { return data_[offsets::kBits] & kKnownBits; }
  bool congested_sender() const { return (bits() & kBitCongestedSender) != 0; }
  bool ecn_echo() const { return (bits() & kBitEcnEcho) != 0; }
  bool retransmission() const { return (bits() & kBitRetransmission) != 0; }
  bool one_way() const { return (bits() & kBitOneWay) != 0; }
  bool initiator() const { return (bits() & kBitInitiator) != 0; }
  bool lazy() const { return (bits() & kBitLazy) != 0; }
  uint64_t record_number() const { return base::load_be64(data_ + offsets::kRecordNumber); }

 protected:
  CommonView(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  const uint8_t* data_;
  size_t size_;
};

// The value of a DATA header; see PROTOCOL.md for what each field tells the receiver.
struct DataHeader {
  uint32_t offset = 0;  // of the payload's first byte in the message
  uint32_t session = 0;
  uint8_t epoch = 0;
  uint8_t lane = 0;
  uint8_t bits = 0;  // kBitInitiator is set from the record number, whatever is given here
  uint64_t record_number = 0;
  uint32_t message_length = 0;
  uint32_t granted = 0;          // the sender will send up to here without more grants
  uint32_t response_credit = 0;  // bytes of response the caller grants in advance
  uint32_t floor_delta = 0;      // message id minus the lowest id the caller still cares about
  uint32_t timestamp = 0;        // sender's clock in ns, truncated
  uint16_t service = 0;
  uint8_t path = 0;            // below kPaths
  uint16_t path_sequence = 0;  // of the lane's DATA packets; 12 bits

  static constexpr size_t kSize = kDataHeaderSize;

  void emit(uint8_t* out) const {
    CommonHeader common{offset,       session, static_cast<uint8_t>(PacketType::kData),
                        epoch,        lane,    static_cast<uint8_t>(bits & ~kBitInitiator),
                        record_number};
    if (is_initiator_number(record_number)) common.bits |= kBitInitiator;  // PROTOCOL MUST-W8
    common.emit(out, kSize);
    base::store_be32(out + offsets::kMessageLength, message_length);
    base::store_be32(out + offsets::kGranted, granted);
    base::store_be32(out + offsets::kResponseCredit, response_credit);
    base::store_be32(out + offsets::kFloorDelta, floor_delta);
    base::store_be32(out + offsets::kDataTimestamp, timestamp);
    base::store_be16(out + offsets::kService, service);
    base::store_be16(out + offsets::kPathSequence,
                     static_cast<uint16_t>(path_sequence << 4 | (path & (kPaths - 1))));
  }
  // Reads the 48 bytes at `data` (a whole packet or only its header) without looking at the
  // payload; nullopt when short, of another version or type, or in the wrong number space.
  static std::optional<DataHeader> parse(const uint8_t* data, size_t size);
  // The same of 48 bytes that were checked, or that begin the header of a RECORD packet.
  static DataHeader fields(const uint8_t* data);

  friend bool operator==(const DataHeader&, const DataHeader&) = default;
};

// A whole DATA packet, header and sealed payload, whose lengths agree with each other.
class DataView : public CommonView {
 public:
  // `tag_size` is the AEAD tag's size in this session: kTagBytes, or 0 in plaintext sessions.
  static std::optional<DataView> parse(const uint8_t* data, size_t size,
                                       size_t tag_size = kTagBytes) {
    if (check(data, size, tag_size) != HeaderError::kNone) return std::nullopt;
    return DataView(data, size, tag_size);
  }
  static HeaderError check(const uint8_t* data, size_t size, size_t tag_size = kTagBytes) {
    const HeaderError error = check_header(data, size);
    if (error != HeaderError::kNone) return error;
    if (size <= kDataHeaderSize + tag_size) return HeaderError::kTruncated;
    // PROTOCOL MUST-W9
    const uint64_t end =
        uint64_t{base::load_be32(data + offsets::kSequence)} + size - kDataHeaderSize - tag_size;
    if (end > base::load_be32(data + offsets::kMessageLength)) return HeaderError::kLength;
    return HeaderError::kNone;
  }
  // The checks that need only the header's 48 bytes.
  static HeaderError check_header(const uint8_t* data, size_t size) {
    const HeaderError error = CommonView::check(data, size);
    if (error != HeaderError::kNone) return error;
    if (data[offsets::kType] != static_cast<uint8_t>(PacketType::kData)) {
      return HeaderError::kUnknownType;
    }
    if (size < kDataHeaderSize) return HeaderError::kTruncated;
    const uint64_t number = base::load_be64(data + offsets::kRecordNumber);
    if (is_counter_number(number)) return HeaderError::kNumberSpace;  // PROTOCOL MUST-W8
    if (is_initiator_number(number) != ((data[offsets::kBits] & kBitInitiator) != 0)) {
      return HeaderError::kInitiatorMismatch;
    }
    return HeaderError::kNone;
  }

  uint32_t offset() const { return sequence(); }
  uint32_t message_length() const { return base::load_be32(data_ + offsets::kMessageLength); }
  uint32_t granted() const { return base::load_be32(data_ + offsets::kGranted); }
  uint32_t response_credit() const { return base::load_be32(data_ + offsets::kResponseCredit); }
  uint32_t floor_delta() const { return base::load_be32(data_ + offsets::kFloorDelta); }
  uint32_t timestamp() const { return base::load_be32(data_ + offsets::kDataTimestamp); }
  uint16_t service() const { return base::load_be16(data_ + offsets::kService); }
  uint16_t path_sequence() const { return base::load_be16(data_ + offsets::kPathSequence) >> 4; }
  const uint8_t* payload() const { return data_ + kDataHeaderSize; }  // sealed; tag follows
  uint32_t payload_length() const {                                   // without the tag; at least 1
    return static_cast<uint32_t>(size_ - kDataHeaderSize - tag_size_);
  }
  DataHeader value() const;

 private:
  DataView(const uint8_t* data, size_t size, size_t tag_size)
      : CommonView(data, size), tag_size_(tag_size) {}

  size_t tag_size_;
};

// The value of a BUNDLE's fixed part. `clear_length` bytes of frames follow it.
struct BundleHeader {
  uint32_t session = 0;
  uint8_t epoch = 0;
  uint8_t lane = 0;
  uint8_t bits = 0;            // only kBitCongestedSender and kBitEcnEcho have a meaning here
  uint64_t record_number = 0;  // in the counter space
  uint16_t clear_length = 0;
  uint8_t rx_epoch = 0;    // low 8 bits of the highest epoch received
  uint8_t path = 0;        // below kPaths
  uint32_t timestamp = 0;  // sender's clock in ns, truncated

  static constexpr size_t kSize = kBundleHeaderSize;

  // `clear_length` may be patched later with set_bundle_clear_length().
  void emit(uint8_t* out) const {
    const CommonHeader common{
        0, session, static_cast<uint8_t>(PacketType::kBundle), epoch, lane, bits, record_number};
    common.emit(out, kSize);
    base::store_be16(out + offsets::kClearLength, clear_length);
    out[offsets::kRxEpoch] = rx_epoch;
    out[offsets::kBundlePath] = path & (kPaths - 1);
    base::store_be32(out + offsets::kBundleTimestamp, timestamp);
  }
  static std::optional<BundleHeader> parse(const uint8_t* data, size_t size);

  friend bool operator==(const BundleHeader&, const BundleHeader&) = default;
};

inline void set_bundle_clear_length(uint8_t* header, uint16_t clear_length) {
  base::store_be16(header + offsets::kClearLength, clear_length);
}

// A whole BUNDLE packet: header, frames in clear, sealed payloads, tag. The frames are not yet
// checked (FrameReader does that) and nothing is authentic before the record is opened.
class BundleView : public CommonView {
 public:
  static std::optional<BundleView> parse(const uint8_t* data, size_t size,
                                         size_t tag_size = kTagBytes) {
    if (check(data, size, tag_size) != HeaderError::kNone) return std::nullopt;
    return BundleView(data, size, tag_size);
  }
  static HeaderError check(const uint8_t* data, size_t size, size_t tag_size = kTagBytes) {
    const HeaderError error = check_header(data, size);
    if (error != HeaderError::kNone) return error;
    if (size < kBundleHeaderSize + tag_size) return HeaderError::kTruncated;
    // PROTOCOL MUST-W10
    if (base::load_be16(data + offsets::kClearLength) > size - kBundleHeaderSize - tag_size) {
      return HeaderError::kLength;
    }
    return HeaderError::kNone;
  }
  static HeaderError check_header(const uint8_t* data, size_t size) {
    const HeaderError error = CommonView::check(data, size);
    if (error != HeaderError::kNone) return error;
    if (data[offsets::kType] != static_cast<uint8_t>(PacketType::kBundle)) {
      return HeaderError::kUnknownType;
    }
    if (size < kBundleHeaderSize) return HeaderError::kTruncated;
    if (!is_counter_number(base::load_be64(data + offsets::kRecordNumber))) {
      return HeaderError::kNumberSpace;  // PROTOCOL MUST-W10
    }
    return HeaderError::kNone;
  }

  uint16_t clear_length() const { return base::load_be16(data_ + offsets::kClearLength); }
  uint8_t rx_epoch() const { return data_[offsets::kRxEpoch]; }
  uint32_t timestamp() const { return base::load_be32(data_ + offsets::kBundleTimestamp); }
  // Header and frames: what the record authenticates without encrypting.
  uint32_t aad_length() const { return static_cast<uint32_t>(kBundleHeaderSize) + clear_length(); }
  std::span<const uint8_t> frames() const { return {data_ + kBundleHeaderSize, clear_length()}; }
  const uint8_t* sealed() const { return data_ + aad_length(); }
  uint32_t sealed_length() const {  // without the tag; 0 in a bundle of control frames only
    return static_cast<uint32_t>(size_ - tag_size_) - aad_length();
  }
  BundleHeader value() const;

 private:
  BundleView(const uint8_t* data, size_t size, size_t tag_size)
      : CommonView(data, size), tag_size_(tag_size) {}

  size_t tag_size_;
};

// A HANDSHAKE packet carries one fragment of one handshake message, in clear.
struct HandshakeHeader {
  uint32_t session = 0;        // 0 until the receiver's session id is known
  uint64_t connection_id = 0;  // the client's random id of this attempt, in both directions
  uint8_t message_type = 0;
  uint8_t fragment_index = 0;
  uint8_t fragment_count = 1;

  static constexpr size_t kSize = kHandshakeHeaderSize;

  void emit(uint8_t* out) const;
  static std::optional<HandshakeHeader> parse(const uint8_t* data, size_t size);

  friend bool operator==(const HandshakeHeader&, const HandshakeHeader&) = default;
};

class HandshakeView : public CommonView {
 public:
  static std::optional<HandshakeView> parse(const uint8_t* data, size_t size) {
    if (check(data, size) != HeaderError::kNone) return std::nullopt;
    return HandshakeView(data, size);
  }
  static HeaderError check(const uint8_t* data, size_t size);

  uint64_t connection_id() const { return record_number(); }
  uint8_t message_type() const { return data_[offsets::kMessageType]; }
  uint8_t fragment_index() const { return data_[offsets::kFragmentIndex]; }
  uint8_t fragment_count() const { return data_[offsets::kFragmentCount]; }
  std::span<const uint8_t> fragment() const {
    return {data_ + kHandshakeHeaderSize, size_ - kHandshakeHeaderSize};
  }
  HandshakeHeader value() const;

 private:
  using CommonView::CommonView;
};

// A stateless reset: says that the sender does not know the session. Believed only when the token
// equals the one that the peer gave for the session during its handshake.
struct ResetPacket {
  uint32_t session = 0;  // the session id of the packet that is answered, as it was received
  uint8_t lane = 0;
  uint8_t token[kResetTokenSize] = {};

  static constexpr size_t kSize = kResetPacketSize;

  void emit(uint8_t* out) const;
  static std::optional<ResetPacket> parse(const uint8_t* data, size_t size);

  friend bool operator==(const ResetPacket&, const ResetPacket&) = default;
};

class ResetView : public CommonView {
 public:
  static std::optional<ResetView> parse(const uint8_t* data, size_t size) {
    if (check(data, size) != HeaderError::kNone) return std::nullopt;
    return ResetView(data, size);
  }
  static HeaderError check(const uint8_t* data, size_t size);

  // Compare it in constant time.
  std::span<const uint8_t, kResetTokenSize> token() const {
    return std::span<const uint8_t, kResetTokenSize>(data_ + kCommonHeaderSize, kResetTokenSize);
  }
  ResetPacket value() const;

 private:
  using CommonView::CommonView;
};

// In native mode the NIC or the network may have written the flags and the checksum. Puts back
// the bytes that the sender sealed; call it on receipt, before aad_of_header(), never under UDP.
inline void restore_native_header(uint8_t* header) {  // PROTOCOL MUST-W6
  header[offsets::kFlags] = kFlagsByte;
  base::store_be16(header + offsets::kChecksum, 0);
}

// What the type byte says, before anything was checked: a hint of how much work a packet brings.
inline bool looks_like_bundle(const uint8_t* packet, size_t length) {
  return length > offsets::kType &&
         packet[offsets::kType] == static_cast<uint8_t>(PacketType::kBundle);
}

// The AAD of the record in `packet`: the header as sealed, for a bundle with its clear frames.
// The caller has parsed the packet as DATA or BUNDLE (DataView, BundleView), and in native mode
// has called restore_native_header(). Under UDP the bytes are the AAD as they arrived.
inline std::span<const uint8_t> aad_of_header(const uint8_t* packet) {  // PROTOCOL MUST-W6
  if (packet[offsets::kType] == static_cast<uint8_t>(PacketType::kData)) {
    return {packet, kDataHeaderSize};
  }
  return {packet, kBundleHeaderSize + base::load_be16(packet + offsets::kClearLength)};
}

static_assert(offsets::kRecordNumber + 8 == kCommonHeaderSize);
static_assert(offsets::kPathSequence + 2 == kDataHeaderSize);
static_assert(offsets::kBundleTimestamp + 4 == kBundleHeaderSize);
static_assert(offsets::kHandshakeReserved + 1 == kHandshakeHeaderSize);
static_assert(kPortBytes + offsets::kDoffVersion == 12, "the nibble must lie on TCP's doff");
static_assert(kPortBytes + offsets::kFlags == 13, "flags must lie on TCP's");
static_assert(kPortBytes + offsets::kChecksum == 16, "the checksum must lie on TCP's");
static_assert(doff_version_byte(kDataHeaderSize) == 0xd1);
static_assert(doff_version_byte(kBundleHeaderSize) == 0x91);

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_HEADER_H_
