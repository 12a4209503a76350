// SPDX-License-Identifier: Apache-2.0
//
// The clear part of a bundle. The first two bytes of the input are the sealed part's length. What
// the reader yields, written again, must read the same.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire/control_frames.h"

namespace {

using namespace sluice::wire;

void expect(bool condition) {
  if (!condition) __builtin_trap();
}

bool append(FrameWriter* writer, const Frame& frame) {
  switch (frame.type) {
    case FrameType::kMsg:
      return writer->append(frame.msg);
    case FrameType::kGrant:
      return writer->append(frame.grant);
    case FrameType::kResend:
      return writer->append(frame.resend);
    case FrameType::kBusy:
      return writer->append(frame.busy);
    case FrameType::kAck:
      return writer->append(frame.ack);
    case FrameType::kUnknown:
      return writer->append(frame.unknown);
    case FrameType::kNeedAck:
      return writer->append(frame.need_ack);
    case FrameType::kAckRun:
      return writer->append(frame.ack_run);
    case FrameType::kAvoid:
      return writer->append(frame.avoid);
    case FrameType::kGone:
      return writer->append(frame.gone);
    case FrameType::kFloor:
      return writer->append(frame.floor);
    case FrameType::kRelease:
      return writer->append(frame.release);
    case FrameType::kPing:
      return writer->append(frame.ping);
    case FrameType::kPong:
      return writer->append(frame.pong);
    case FrameType::kCutoffs:
      return writer->append(frame.cutoffs);
    case FrameType::kProbe:
      return writer->append(frame.probe);
    case FrameType::kProbeAck:
      return writer->append(frame.probe_ack);
    case FrameType::kClose:
      return writer->append(frame.close);
    case FrameType::kPad:
      break;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint32_t sealed = sluice::base::load_be16(data);
  const std::span<const uint8_t> clear(data + 2, size - 2);
  std::vector<uint8_t> memory(clear.size());
  FrameWriter writer(memory);
  FrameReader reader(clear, sealed);
  Frame frame;
  uint32_t payload = 0;
  while (reader.next(&frame)) {
    if (frame.type == FrameType::kMsg) {
      expect(frame.payload_offset == payload && frame.msg.length != 0);
      payload += frame.msg.length;
      expect(payload <= sealed);
    }
    expect(append(&writer, frame));
  }
  const FrameError error = reader.error();
  expect(check_frames(clear, sealed) == error);
  expect(!reader.next(&frame));
  if (error == FrameError::kNone) expect(payload == sealed);
  // Without padding and extensions the bytes are canonical: the copy reads the same to its end.
  FrameReader again({memory.data(), writer.size()}, payload);
  while (again.next(&frame)) {
  }
  expect(again.ok());
  return 0;
}
