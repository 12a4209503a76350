// SPDX-License-Identifier: Apache-2.0
#include "wire/control_frames.h"

#include <cstring>

namespace sluice::wire {

const char* frame_type_name(FrameType type) {
  switch (type) {
    case FrameType::kPad:
      return "pad";
    case FrameType::kMsg:
      return "msg";
    case FrameType::kGrant:
      return "grant";
    case FrameType::kResend:
      return "resend";
    case FrameType::kBusy:
      return "busy";
    case FrameType::kAck:
      return "ack";
    case FrameType::kUnknown:
      return "unknown";
    case FrameType::kFloor:
      return "floor";
    case FrameType::kRelease:
      return "release";
    case FrameType::kPing:
      return "ping";
    case FrameType::kPong:
      return "pong";
    case FrameType::kCutoffs:
      return "cutoffs";
    case FrameType::kProbe:
      return "probe";
    case FrameType::kProbeAck:
      return "probe_ack";
    case FrameType::kClose:
      return "close";
    case FrameType::kGone:
      return "gone";
    case FrameType::kNeedAck:
      return "need_ack";
    case FrameType::kAckRun:
      return "ack_run";
    case FrameType::kAvoid:
      return "avoid";
  }
  return "extension";
}

const char* frame_error_name(FrameError error) {
  switch (error) {
    case FrameError::kNone:
      return "none";
    case FrameError::kTruncated:
      return "truncated";
    case FrameError::kUnknownType:
      return "unknown_type";
    case FrameError::kEmptyMessage:
      return "empty_message";
    case FrameError::kPayload:
      return "payload";
  }
  return "invalid";
}

void CutoffsFrame::emit(uint8_t* out) const {
  out[0] = static_cast<uint8_t>(kType);
  out[1] = version;
  base::store_be32(out + 2, unscheduled_limit);
  for (size_t i = 0; i < kPriorityLevels; ++i) base::store_be32(out + 6 + 4 * i, cutoffs[i]);
}

CutoffsFrame CutoffsFrame::load(const uint8_t* in) {
  CutoffsFrame out{};
  out.version = in[1];
  out.unscheduled_limit = base::load_be32(in + 2);
  for (size_t i = 0; i < kPriorityLevels; ++i) out.cutoffs[i] = base::load_be32(in + 6 + 4 * i);
  return out;
}

template <typename F>
bool FrameReader::take(Frame* out, F Frame::*member) {
  if (static_cast<size_t>(end_ - at_) < F::kSize) return fail(FrameError::kTruncated);
  out->type = F::kType;
  out->*member = F::load(at_);
  at_ += F::kSize;
  return true;
}

// Steps over one frame of a type from kFirstExtensionFrame on: type, length, that many bytes.
bool FrameReader::skip_extension() {
  const auto left = static_cast<size_t>(end_ - at_);
  if (left < 2 || left - 2 < at_[1]) return fail(FrameError::kTruncated);
  at_ += 2 + at_[1];
  ++extensions_skipped_;
  return true;
}

bool FrameReader::next_control(Frame* out) {
  while (at_ != end_) {
    const uint8_t raw = *at_;
    if (raw == static_cast<uint8_t>(FrameType::kPad)) {  // PROTOCOL MUST-W20
      ++at_;
      continue;
    }
    if (raw >= kFirstExtensionFrame) {  // PROTOCOL MUST-W16
      if (!skip_extension()) return false;
      continue;
    }
    switch (static_cast<FrameType>(raw)) {
      case FrameType::kMsg:
        return next_msg(out);
      case FrameType::kGrant:
        return take(out, &Frame::grant);
      case FrameType::kResend:
        return take(out, &Frame::resend);
      case FrameType::kBusy:
        return take(out, &Frame::busy);
      case FrameType::kAck:
        return take(out, &Frame::ack);
      case FrameType::kUnknown:
        return take(out, &Frame::unknown);
      case FrameType::kFloor:
        return take(out, &Frame::floor);
      case FrameType::kRelease:
        return take(out, &Frame::release);
      case FrameType::kPing:
        return take(out, &Frame::ping);
      case FrameType::kPong:
        return take(out, &Frame::pong);
      case FrameType::kCutoffs:
        return take(out, &Frame::cutoffs);
      case FrameType::kProbe:
        return take(out, &Frame::probe);
      case FrameType::kProbeAck:
        return take(out, &Frame::probe_ack);
      case FrameType::kClose:
        return take(out, &Frame::close);
      case FrameType::kGone:
        return take(out, &Frame::gone);
      case FrameType::kNeedAck:
        return take(out, &Frame::need_ack);
      case FrameType::kAckRun:
        return take(out, &Frame::ack_run);
      case FrameType::kAvoid:
        return take(out, &Frame::avoid);
      default:
        return fail(FrameError::kUnknownType);
    }
  }
  // PROTOCOL MUST-W15
  if (ok() && payload_offset_ != sealed_length_) error_ = FrameError::kPayload;
  return false;
}

FrameError check_frames(std::span<const uint8_t> clear, uint32_t sealed_length) {
  FrameReader reader(clear, sealed_length);
  Frame frame;
  while (reader.next(&frame)) {
  }
  return reader.error();
}

bool FrameWriter::pad(size_t count) {
  if (count > remaining()) return false;
  std::memset(out_ + size_, static_cast<int>(FrameType::kPad), count);
  size_ += count;
  return true;
}

}  // namespace sluice::wire
