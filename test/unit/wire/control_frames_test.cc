// SPDX-License-Identifier: Apache-2.0
#include "wire/control_frames.h"

#include <gtest/gtest.h>

#include "wire_test_util.h"

namespace sluice::wire {
namespace {

constexpr MsgFrame kMsg{kMsgInitiator | kMsgOneWay, 0x0203,    7, 0x06070809,
                        0x0a0b0c0d0e0f1011,         0x12131415};
constexpr GrantFrame kGrant{kExchangeInitiator | kExchangeResponse, 0x0203040506070809, 0x0a0b0c0d,
                            6};
constexpr ResendFrame kResend{kExchangeResponse, 0x0203040506070809, 0x0a0b0c0d, 0x0e0f1011, 5};
constexpr BusyFrame kBusy{kExchangeInitiator, 0x0203040506070809};
constexpr AckFrame kAck{0, 0x0203040506070809};
constexpr UnknownFrame kUnknown{kExchangeResponse, 0x0203040506070809};
constexpr NeedAckFrame kNeedAck{kExchangeInitiator, 0x0203040506070809};
constexpr AckRunFrame kAckRun{0x0102030405060708, 0x090a0b0c};
constexpr AvoidFrame kAvoid{0x0102};
constexpr GoneFrame kGone{0, 0x0203040506070809, 4};
constexpr FloorFrame kFloor{0x0102030405060708};
constexpr ReleaseFrame kRelease{0x0102030405060708, 0x090a0b0c};
constexpr PingFrame kPing{0x01020304};
constexpr PongFrame kPong{0x01020304, 0x05060708, 0x090a0b0c};
constexpr CutoffsFrame kCutoffs{9, 0x01020304, {1, 2, 3, 4, 5, 6, 7, 8}};
constexpr ProbeFrame kProbe{0x2328};
constexpr ProbeAckFrame kProbeAck{0x05dc};
constexpr CloseFrame kClose{9};

template <typename F>
std::string hex_of(const F& frame) {
  ByteVector out(F::kSize, 0xee);
  frame.emit(out.data());
  return to_hex(out);
}

std::string hex(std::string_view text) { return to_hex(from_hex(text)); }

// Verifies MUST-W1: the layout of every frame.
TEST(ControlFrames, have_golden_bytes) {
  EXPECT_EQ(hex_of(kMsg), hex("01 18 0203 0007 06070809 0a0b0c0d0e0f1011 12131415"));
  EXPECT_EQ(hex_of(kGrant), hex("02 30 0203040506070809 0a0b0c0d 06"));
  EXPECT_EQ(hex_of(kResend), hex("03 20 0203040506070809 0a0b0c0d 0e0f1011 05"));
  EXPECT_EQ(hex_of(kBusy), hex("04 10 0203040506070809"));
  EXPECT_EQ(hex_of(kAck), hex("05 00 0203040506070809"));
  EXPECT_EQ(hex_of(kUnknown), hex("06 20 0203040506070809"));
  EXPECT_EQ(hex_of(kFloor), hex("07 0102030405060708"));
  EXPECT_EQ(hex_of(kRelease), hex("08 0102030405060708 090a0b0c"));
  EXPECT_EQ(hex_of(kPing), hex("09 01020304"));
  EXPECT_EQ(hex_of(kPong), hex("0a 01020304 05060708 090a0b0c"));
  EXPECT_EQ(hex_of(kCutoffs), hex("0b 09 01020304 00000001 00000002 00000003 00000004"
                                  "00000005 00000006 00000007 00000008"));
  EXPECT_EQ(hex_of(kProbe), hex("0c 2328"));
  EXPECT_EQ(hex_of(kProbeAck), hex("0d 05dc"));
  EXPECT_EQ(hex_of(kClose), hex("0e 09"));
  EXPECT_EQ(hex_of(kGone), hex("0f 00 0203040506070809 04"));
  EXPECT_EQ(hex_of(kNeedAck), hex("10 10 0203040506070809"));
  EXPECT_EQ(hex_of(kAckRun), hex("11 0102030405060708 090a0b0c"));
  EXPECT_EQ(hex_of(kAvoid), hex("12 0102"));
}

// Writes every frame once, in the order of the types, and two MSG frames of 7 bytes each.
size_t write_all(FrameWriter* writer) {
  bool ok = writer->append(kMsg) && writer->append(kGrant) && writer->append(kResend) &&
            writer->append(kBusy) && writer->append(kAck) && writer->append(kUnknown) &&
            writer->append(kFloor) && writer->append(kRelease) && writer->append(kPing) &&
            writer->append(kPong) && writer->append(kCutoffs) && writer->append(kProbe) &&
            writer->append(kProbeAck) && writer->append(kClose) && writer->append(kGone) &&
            writer->append(kNeedAck) && writer->append(kAckRun) && writer->append(kAvoid) &&
            writer->pad(3) && writer->append(kMsg);
  EXPECT_TRUE(ok);
  return writer->size();
}

TEST(ControlFrames, round_trip_through_writer_and_reader) {
  ByteVector memory(400);
  FrameWriter writer(memory);
  const size_t size = write_all(&writer);
  EXPECT_EQ(writer.clear_length(), size);
  EXPECT_EQ(writer.remaining(), memory.size() - size);
  FrameReader reader({memory.data(), size}, 14);
  Frame frame;
  const auto next = [&](FrameType type) { return reader.next(&frame) && frame.type == type; };
  ASSERT_TRUE(next(FrameType::kMsg));
  EXPECT_EQ(frame.msg, kMsg);
  EXPECT_EQ(frame.payload_offset, 0u);
  EXPECT_TRUE(frame.msg.initiator() && frame.msg.one_way() && !frame.msg.retransmission());
  ASSERT_TRUE(next(FrameType::kGrant));
  EXPECT_EQ(frame.grant, kGrant);
  EXPECT_TRUE(frame.grant.initiator() && frame.grant.response());
  ASSERT_TRUE(next(FrameType::kResend));
  EXPECT_EQ(frame.resend, kResend);
  ASSERT_TRUE(next(FrameType::kBusy));
  EXPECT_EQ(frame.busy, kBusy);
  ASSERT_TRUE(next(FrameType::kAck));
  EXPECT_EQ(frame.ack, kAck);
  ASSERT_TRUE(next(FrameType::kUnknown));
  EXPECT_EQ(frame.unknown, kUnknown);
  ASSERT_TRUE(next(FrameType::kFloor));
  EXPECT_EQ(frame.floor, kFloor);
  ASSERT_TRUE(next(FrameType::kRelease));
  EXPECT_EQ(frame.release, kRelease);
  ASSERT_TRUE(next(FrameType::kPing));
  EXPECT_EQ(frame.ping, kPing);
  ASSERT_TRUE(next(FrameType::kPong));
  EXPECT_EQ(frame.pong, kPong);
  ASSERT_TRUE(next(FrameType::kCutoffs));
  EXPECT_EQ(frame.cutoffs, kCutoffs);
  ASSERT_TRUE(next(FrameType::kProbe));
  EXPECT_EQ(frame.probe, kProbe);
  ASSERT_TRUE(next(FrameType::kProbeAck));
  EXPECT_EQ(frame.probe_ack, kProbeAck);
  ASSERT_TRUE(next(FrameType::kClose));
  EXPECT_EQ(frame.close, kClose);
  ASSERT_TRUE(next(FrameType::kGone));
  EXPECT_EQ(frame.gone, kGone);
  ASSERT_TRUE(next(FrameType::kNeedAck));
  EXPECT_EQ(frame.need_ack, kNeedAck);
  ASSERT_TRUE(next(FrameType::kAckRun));
  EXPECT_EQ(frame.ack_run, kAckRun);
  ASSERT_TRUE(next(FrameType::kAvoid));
  EXPECT_EQ(frame.avoid, kAvoid);
  ASSERT_TRUE(next(FrameType::kMsg));
  EXPECT_EQ(frame.payload_offset, 7u);
  EXPECT_FALSE(reader.next(&frame));
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.next(&frame)) << "the end stays the end";
}

TEST(ControlFrames, writer_changes_nothing_when_a_frame_does_not_fit) {
  ByteVector memory(GrantFrame::kSize - 1, 0xee);
  FrameWriter writer(memory);
  EXPECT_FALSE(writer.append(kGrant));
  EXPECT_EQ(writer.size(), 0u);
  EXPECT_EQ(memory, ByteVector(GrantFrame::kSize - 1, 0xee));
  EXPECT_TRUE(writer.append(kBusy));
  EXPECT_FALSE(writer.pad(5));
  EXPECT_TRUE(writer.pad(4));
  EXPECT_EQ(writer.remaining(), 0u);
  writer.clear();
  EXPECT_EQ(writer.size(), 0u);
}

// Verifies MUST-W15: a cut anywhere inside a frame is an error, one between frames is not, and
// nothing is read past the end.
TEST(ControlFrames, refuse_truncation_at_every_length) {
  ByteVector memory(400);
  FrameWriter writer(memory);
  const size_t size = write_all(&writer);
  size_t clean = 0;
  for (size_t cut = 0; cut <= size; ++cut) {
    const ExactCopy copy(memory.data(), cut);
    FrameReader reader({copy.data(), cut}, 14);
    Frame frame;
    while (reader.next(&frame)) {
    }
    const FrameError error = reader.error();
    EXPECT_EQ(check_frames({copy.data(), cut}, 14), error);
    if (error == FrameError::kNone || error == FrameError::kPayload) ++clean;
    EXPECT_EQ(error == FrameError::kNone, cut == size);
  }
  EXPECT_EQ(clean, 18u + 3u + 1u + 1u) << "after each of 18 frames, 3 pads, the last, and empty";
}

// Verifies MUST-W15: the MSG lengths and the sealed part must agree exactly.
TEST(ControlFrames, message_lengths_must_fill_the_sealed_part) {
  ByteVector memory(400);
  FrameWriter writer(memory);
  const size_t size = write_all(&writer);
  for (uint32_t sealed = 0; sealed < 30; ++sealed) {
    EXPECT_EQ(check_frames({memory.data(), size}, sealed),
              sealed == 14 ? FrameError::kNone : FrameError::kPayload);
  }
  MsgFrame empty = kMsg;
  empty.length = 0;
  FrameWriter again(memory);
  EXPECT_TRUE(again.append(empty));
  EXPECT_EQ(check_frames({memory.data(), again.size()}, 0), FrameError::kEmptyMessage);
  EXPECT_EQ(check_frames({}, 0), FrameError::kNone);
  EXPECT_EQ(check_frames({}, 1), FrameError::kPayload);
}

// Verifies MUST-W16: extension frames are stepped over; other unknown types are errors.
TEST(ControlFrames, step_over_extensions_and_refuse_unknown_types) {
  for (unsigned type = 0x13; type < 256; ++type) {
    ByteVector clear = {static_cast<uint8_t>(type), 2, 0xaa, 0xbb};
    clear.resize(4 + PingFrame::kSize);
    kPing.emit(clear.data() + 4);
    FrameReader reader(clear, 0);
    Frame frame;
    if (type < kFirstExtensionFrame) {
      EXPECT_FALSE(reader.next(&frame));
      EXPECT_EQ(reader.error(), FrameError::kUnknownType);
      continue;
    }
    ASSERT_TRUE(reader.next(&frame));
    EXPECT_EQ(frame.ping, kPing);
    EXPECT_EQ(reader.extensions_skipped(), 1u);
    for (size_t cut = 1; cut < 4; ++cut) {
      const ExactCopy copy(clear.data(), cut);
      EXPECT_EQ(check_frames({copy.data(), cut}, 0), FrameError::kTruncated);
    }
  }
}

// Verifies MUST-W20: padding means nothing, whatever its length.
TEST(ControlFrames, ignore_padding) {
  ByteVector memory(9000);
  FrameWriter writer(memory);
  EXPECT_TRUE(writer.append(kProbe) && writer.pad(8000) && writer.append(kPing));
  FrameReader reader({memory.data(), writer.size()}, 0);
  Frame frame;
  ASSERT_TRUE(reader.next(&frame));
  EXPECT_EQ(frame.probe, kProbe);
  ASSERT_TRUE(reader.next(&frame));
  EXPECT_EQ(frame.ping, kPing);
  EXPECT_FALSE(reader.next(&frame));
  EXPECT_TRUE(reader.ok());
}

TEST(ControlFrames, name_every_type_and_error) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(FrameType::kAvoid); ++i) {
    EXPECT_STRNE(frame_type_name(static_cast<FrameType>(i)), "extension");
  }
  EXPECT_STREQ(frame_type_name(static_cast<FrameType>(0x40)), "extension");
  for (uint8_t i = 0; i <= static_cast<uint8_t>(FrameError::kPayload); ++i) {
    EXPECT_STRNE(frame_error_name(static_cast<FrameError>(i)), "invalid");
  }
}

}  // namespace
}  // namespace sluice::wire
