// SPDX-License-Identifier: Apache-2.0
//
// The frames that a BUNDLE carries in clear (authenticated): values, a reader and a writer.
// FrameReader and FrameWriter borrow the memory they are given and never allocate.
#ifndef SLUICE_WIRE_CONTROL_FRAMES_H_
#define SLUICE_WIRE_CONTROL_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_order.h"

namespace sluice::wire {

enum class FrameType : uint8_t {
  kPad = 0x00,
  kMsg = 0x01,
  kGrant = 0x02,
  kResend = 0x03,
  kBusy = 0x04,
  kAck = 0x05,
  kUnknown = 0x06,
  kFloor = 0x07,
  kRelease = 0x08,
  kPing = 0x09,
  kPong = 0x0a,
  kCutoffs = 0x0b,
  kProbe = 0x0c,
  kProbeAck = 0x0d,
  kClose = 0x0e,
  kGone = 0x0f,
  kNeedAck = 0x10,
  kAckRun = 0x11,
  kAvoid = 0x12,
};
const char* frame_type_name(FrameType type);

// Types from here on carry their length in the byte after the type, so that a receiver that does
// not know them steps over them. Unknown types below are an error of the whole bundle.
inline constexpr uint8_t kFirstExtensionFrame = 0x40;

// Bits of MSG, the same values as in the common header's `bits`.
inline constexpr uint8_t kMsgRetransmission = 0x04;
inline constexpr uint8_t kMsgOneWay = 0x08;
inline constexpr uint8_t kMsgInitiator = 0x10;  // the sender of the packet started the exchange
inline constexpr uint8_t kMsgLazy = 0x20;

// Bits of the frames that name an exchange.
inline constexpr uint8_t kExchangeInitiator = 0x10;  // started by the sender of the frame
inline constexpr uint8_t kExchangeResponse = 0x20;   // about the response, else the request

inline constexpr size_t kPriorityLevels = 8;

// Every frame value: kType, kSize (on the wire, with the type byte), emit() of kSize bytes, and
// load() of kSize bytes that are known to be there. Value-initialise them ({}): they have no
// default initializers so that Frame can hold them in a union.

// A whole small message; its bytes lie in the sealed part, in the order of the MSG frames.
struct MsgFrame {
  uint8_t bits;
  uint16_t service;
  uint16_t length;  // at least 1
  uint32_t floor_delta;
  uint64_t id;
  uint32_t response_credit;

  static constexpr FrameType kType = FrameType::kMsg;
  static constexpr size_t kSize = 22;
  bool initiator() const { return (bits & kMsgInitiator) != 0; }
  bool one_way() const { return (bits & kMsgOneWay) != 0; }
  bool retransmission() const { return (bits & kMsgRetransmission) != 0; }
  bool lazy() const { return (bits & kMsgLazy) != 0; }
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    out[1] = bits;
    base::store_be16(out + 2, service);
    base::store_be16(out + 4, length);
    base::store_be32(out + 6, floor_delta);
    base::store_be64(out + 10, id);
    base::store_be32(out + 18, response_credit);
  }
  static MsgFrame load(const uint8_t* in) {
    return {in[1],
            base::load_be16(in + 2),
            base::load_be16(in + 4),
            base::load_be32(in + 6),
            base::load_be64(in + 10),
            base::load_be32(in + 18)};
  }
  friend bool operator==(const MsgFrame&, const MsgFrame&) = default;
};

// BUSY, ACK, UNKNOWN and NEED_ACK share this form: they only name one part of one exchange.
template <FrameType kFrameType>
struct ExchangeFrame {
  uint8_t bits;
  uint64_t id;

  static constexpr FrameType kType = kFrameType;
  static constexpr size_t kSize = 10;
  bool initiator() const { return (bits & kExchangeInitiator) != 0; }
  bool response() const { return (bits & kExchangeResponse) != 0; }
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    out[1] = bits;
    base::store_be64(out + 2, id);
  }
  static ExchangeFrame load(const uint8_t* in) { return {in[1], base::load_be64(in + 2)}; }
  friend bool operator==(const ExchangeFrame&, const ExchangeFrame&) = default;
};
using BusyFrame = ExchangeFrame<FrameType::kBusy>;
using AckFrame = ExchangeFrame<FrameType::kAck>;
using UnknownFrame = ExchangeFrame<FrameType::kUnknown>;
using NeedAckFrame = ExchangeFrame<FrameType::kNeedAck>;

// The sender may send all bytes below `offset` (cumulative), at `priority`.
struct GrantFrame {
  uint8_t bits;
  uint64_t id;
  uint32_t offset;
  uint8_t priority;

  static constexpr FrameType kType = FrameType::kGrant;
  static constexpr size_t kSize = 15;
  bool initiator() const { return (bits & kExchangeInitiator) != 0; }
  bool response() const { return (bits & kExchangeResponse) != 0; }
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    out[1] = bits;
    base::store_be64(out + 2, id);
    base::store_be32(out + 10, offset);
    out[14] = priority;
  }
  static GrantFrame load(const uint8_t* in) {
    return {in[1], base::load_be64(in + 2), base::load_be32(in + 10), in[14]};
  }
  friend bool operator==(const GrantFrame&, const GrantFrame&) = default;
};

// Asks for [offset, offset + length) of a message again.
struct ResendFrame {
  uint8_t bits;
  uint64_t id;
  uint32_t offset;
  uint32_t length;
  uint8_t priority;

  static constexpr FrameType kType = FrameType::kResend;
  static constexpr size_t kSize = 19;
  bool initiator() const { return (bits & kExchangeInitiator) != 0; }
  bool response() const { return (bits & kExchangeResponse) != 0; }
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    out[1] = bits;
    base::store_be64(out + 2, id);
    base::store_be32(out + 10, offset);
    base::store_be32(out + 14, length);
    out[18] = priority;
  }
  static ResendFrame load(const uint8_t* in) {
    return {in[1], base::load_be64(in + 2), base::load_be32(in + 10), base::load_be32(in + 14),
            in[18]};
  }
  friend bool operator==(const ResendFrame&, const ResendFrame&) = default;
};

// The exchange was refused, or is no longer known after it may have executed.
struct GoneFrame {
  uint8_t bits;
  uint64_t id;
  uint8_t reason;  // a base::Code value

  static constexpr FrameType kType = FrameType::kGone;
  static constexpr size_t kSize = 11;
  bool initiator() const { return (bits & kExchangeInitiator) != 0; }
  bool response() const { return (bits & kExchangeResponse) != 0; }
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    out[1] = bits;
    base::store_be64(out + 2, id);
    out[10] = reason;
  }
  static GoneFrame load(const uint8_t* in) { return {in[1], base::load_be64(in + 2), in[10]}; }
  friend bool operator==(const GoneFrame&, const GoneFrame&) = default;
};

// All ids below `floor` that the frame's sender initiated are released.
struct FloorFrame {
  uint64_t floor;

  static constexpr FrameType kType = FrameType::kFloor;
  static constexpr size_t kSize = 9;
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    base::store_be64(out + 1, floor);
  }
  static FloorFrame load(const uint8_t* in) { return {base::load_be64(in + 1)}; }
  friend bool operator==(const FloorFrame&, const FloorFrame&) = default;
};

// RELEASE and ACK_RUN share this form: ids [first, first + count).
template <FrameType kFrameType>
struct IdRunFrame {
  uint64_t first;
  uint32_t count;

  static constexpr FrameType kType = kFrameType;
  static constexpr size_t kSize = 13;
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    base::store_be64(out + 1, first);
    base::store_be32(out + 9, count);
  }
  static IdRunFrame load(const uint8_t* in) {
    return {base::load_be64(in + 1), base::load_be32(in + 9)};
  }
  friend bool operator==(const IdRunFrame&, const IdRunFrame&) = default;
};
// Initiated by the frame's sender and above its floor: released.
using ReleaseFrame = IdRunFrame<FrameType::kRelease>;
// One-way messages of the frame's receiver: held whole, each as if by an ACK of its own.
using AckRunFrame = IdRunFrame<FrameType::kAckRun>;

struct PingFrame {
  uint32_t nonce;

  static constexpr FrameType kType = FrameType::kPing;
  static constexpr size_t kSize = 5;
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    base::store_be32(out + 1, nonce);
  }
  static PingFrame load(const uint8_t* in) { return {base::load_be32(in + 1)}; }
  friend bool operator==(const PingFrame&, const PingFrame&) = default;
};

struct PongFrame {
  uint32_t nonce;           // of the PING that is answered
  uint32_t timestamp_echo;  // timestamp of the bundle that carried it
  uint32_t delay_ns;        // how long the answer waited at this side; saturates

  static constexpr FrameType kType = FrameType::kPong;
  static constexpr size_t kSize = 13;
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    base::store_be32(out + 1, nonce);
    base::store_be32(out + 5, timestamp_echo);
    base::store_be32(out + 9, delay_ns);
  }
  static PongFrame load(const uint8_t* in) {
    return {base::load_be32(in + 1), base::load_be32(in + 5), base::load_be32(in + 9)};
  }
  friend bool operator==(const PongFrame&, const PongFrame&) = default;
};

// How the receiver wants the unscheduled prefix of messages sent to it: its greatest length, and
// for each priority, 7 first, the largest message that uses it.
struct CutoffsFrame {
  uint8_t version;
  uint32_t unscheduled_limit;
  uint32_t cutoffs[kPriorityLevels];

  static constexpr FrameType kType = FrameType::kCutoffs;
  static constexpr size_t kSize = 38;
  void emit(uint8_t* out) const;
  static CutoffsFrame load(const uint8_t* in);
  friend bool operator==(const CutoffsFrame&, const CutoffsFrame&) = default;
};

// PROBE and PROBE_ACK name the size, from the first byte of the Sluice header to the end of the
// tag, of the probing packet.
template <FrameType kFrameType>
struct SizeFrame {
  uint16_t size;

  static constexpr FrameType kType = kFrameType;
  static constexpr size_t kSize = 3;
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    base::store_be16(out + 1, size);
  }
  static SizeFrame load(const uint8_t* in) { return {base::load_be16(in + 1)}; }
  friend bool operator==(const SizeFrame&, const SizeFrame&) = default;
};
using ProbeFrame = SizeFrame<FrameType::kProbe>;
using ProbeAckFrame = SizeFrame<FrameType::kProbeAck>;

// Paths of the frame's receiver that brought too little, or too much congestion.
struct AvoidFrame {
  uint16_t paths;  // a set of 1 << path

  static constexpr FrameType kType = FrameType::kAvoid;
  static constexpr size_t kSize = 3;
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    base::store_be16(out + 1, paths);
  }
  static AvoidFrame load(const uint8_t* in) { return {base::load_be16(in + 1)}; }
  friend bool operator==(const AvoidFrame&, const AvoidFrame&) = default;
};

// The sender has forgotten or is about to forget the session.
struct CloseFrame {
  uint8_t reason;  // a base::Code value

  static constexpr FrameType kType = FrameType::kClose;
  static constexpr size_t kSize = 2;
  void emit(uint8_t* out) const {
    out[0] = static_cast<uint8_t>(kType);
    out[1] = reason;
  }
  static CloseFrame load(const uint8_t* in) { return {in[1]}; }
  friend bool operator==(const CloseFrame&, const CloseFrame&) = default;
};

// One frame as read: `type` says which member of the union is set.
struct Frame {
  FrameType type;
  uint32_t payload_offset;  // MSG: where its bytes start in the opened part of the bundle
  union {
    MsgFrame msg;
    GrantFrame grant;
    ResendFrame resend;
    BusyFrame busy;
    AckFrame ack;
    AckRunFrame ack_run;
    UnknownFrame unknown;
    NeedAckFrame need_ack;
    GoneFrame gone;
    FloorFrame floor;
    ReleaseFrame release;
    PingFrame ping;
    PongFrame pong;
    CutoffsFrame cutoffs;
    ProbeFrame probe;
    ProbeAckFrame probe_ack;
    CloseFrame close;
    AvoidFrame avoid;
  };

  Frame() : type(FrameType::kPad), payload_offset(0), msg{} {}
};

enum class FrameError : uint8_t {
  kNone,
  kTruncated,     // a frame runs over the end of the clear part
  kUnknownType,   // a type below kFirstExtensionFrame that this version does not know
  kEmptyMessage,  // MSG of length 0
  kPayload,       // the MSG lengths do not add up to the sealed part's length
};
const char* frame_error_name(FrameError error);

// Walks over the clear part of a bundle. PAD and unknown extension frames are stepped over.
//
//   FrameReader reader(view.frames(), view.sealed_length());
//   Frame frame;
//   while (reader.next(&frame)) { ... }
//   if (!reader.ok()) ...
//
// A bundle with an error anywhere is dropped whole (MUST-W15): call check_frames() first.
class FrameReader {
 public:
  FrameReader(std::span<const uint8_t> clear, uint32_t sealed_length)
      : at_(clear.data()), end_(clear.data() + clear.size()), sealed_length_(sealed_length) {}

  // False at the end and at the first error; error() tells them apart.
  bool next(Frame* out) {
    if (at_ != end_ && *at_ == static_cast<uint8_t>(FrameType::kMsg)) return next_msg(out);
    return next_control(out);
  }
  bool ok() const { return error_ == FrameError::kNone; }
  FrameError error() const { return error_; }
  uint32_t extensions_skipped() const { return extensions_skipped_; }

 private:
  bool next_msg(Frame* out) {
    if (static_cast<size_t>(end_ - at_) < MsgFrame::kSize) return fail(FrameError::kTruncated);
    out->type = FrameType::kMsg;
    out->msg = MsgFrame::load(at_);
    out->payload_offset = payload_offset_;
    const uint32_t length = out->msg.length;
    if (length == 0) return fail(FrameError::kEmptyMessage);
    if (length > sealed_length_ - payload_offset_) return fail(FrameError::kPayload);
    payload_offset_ += length;
    at_ += MsgFrame::kSize;
    return true;
  }
  bool next_control(Frame* out);
  bool skip_extension();
  bool fail(FrameError error) {
    error_ = error;
    at_ = end_;
    return false;
  }
  template <typename F>
  bool take(Frame* out, F Frame::*member);

  const uint8_t* at_;
  const uint8_t* end_;
  uint32_t sealed_length_;
  uint32_t payload_offset_ = 0;
  uint32_t extensions_skipped_ = 0;
  FrameError error_ = FrameError::kNone;
};

// Reads the whole clear part without acting on it: kNone when a FrameReader over the same bytes
// will reach the end without an error. Cheap enough to run on every opened bundle.
FrameError check_frames(std::span<const uint8_t> clear, uint32_t sealed_length);

// Appends frames to memory it is given. Nothing is written when a frame does not fit.
class FrameWriter {
 public:
  FrameWriter(uint8_t* out, size_t capacity) : out_(out), capacity_(capacity) {}
  explicit FrameWriter(std::span<uint8_t> out) : FrameWriter(out.data(), out.size()) {}

  // False, and no change, when fewer than F::kSize bytes are left.
  template <typename F>
  bool append(const F& frame) {
    if (remaining() < F::kSize) return false;
    frame.emit(out_ + size_);
    size_ += F::kSize;
    return true;
  }
  // Appends `count` PAD frames, one byte each.
  bool pad(size_t count);

  size_t size() const { return size_; }
  size_t remaining() const { return capacity_ - size_; }
  // What set_bundle_clear_length() needs; the capacity given must not exceed 65535 for it.
  uint16_t clear_length() const { return static_cast<uint16_t>(size_); }
  void clear() { size_ = 0; }

 private:
  uint8_t* out_;
  size_t capacity_;
  size_t size_ = 0;
};

}  // namespace sluice::wire

#endif  // SLUICE_WIRE_CONTROL_FRAMES_H_
