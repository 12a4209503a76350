// SPDX-License-Identifier: Apache-2.0
#include "forge.h"

#include <algorithm>
#include <limits>

#include "base/byte_order.h"
#include "crypto/handshake.h"
#include "wire/record_packet.h"

namespace sluice::attack {
namespace {

using namespace wire::offsets;
using wire::FrameType;

constexpr uint64_t kAhead = 1000;  // Of the numbers in use, where a forger gains most.

template <class F>
Bytes emitted(const F& frame) {
  Bytes out(F::kSize);
  frame.emit(out.data());
  return out;
}

void randomize(Bytes* bytes, size_t from, base::Prng* prng) {
  for (size_t i = from; i < bytes->size(); ++i) {
    (*bytes)[i] = static_cast<uint8_t>(prng->next_u64());
  }
}

void renumber(Bytes* bytes, uint64_t ahead) {
  uint8_t* at = bytes->data() + kRecordNumber;
  base::store_be64(at, base::load_be64(at) + ahead);
}

// A bundle in the place of one that was seen.
Bytes bundle(const Bytes& seen, const Bytes& frames, const Bytes& tag) {
  Bytes out(seen.begin(), seen.begin() + wire::kBundleHeaderSize);
  wire::set_bundle_clear_length(out.data(), static_cast<uint16_t>(frames.size()));
  out.insert(out.end(), frames.begin(), frames.end());
  out.insert(out.end(), tag.begin(), tag.end());
  return out;
}

}  // namespace

Bytes harmful_frame(FrameType type, uint64_t id) {
  constexpr uint32_t kMost = std::numeric_limits<uint32_t>::max();
  switch (type) {
    case FrameType::kPad:
      return {0};
    case FrameType::kMsg:
      // One whose bytes are those sealed behind it: sixteen.
      return emitted(wire::MsgFrame{wire::kMsgInitiator, 1, 16, 0, id, kMost});
    case FrameType::kGrant:
      return emitted(wire::GrantFrame{0, id, kMost, 7});
    case FrameType::kResend:
      return emitted(wire::ResendFrame{0, id, 0, kMost, 7});
    case FrameType::kBusy:
      return emitted(wire::BusyFrame{0, id});
    case FrameType::kAck:
      return emitted(wire::AckFrame{0, id});
    case FrameType::kUnknown:
      return emitted(wire::UnknownFrame{0, id});
    case FrameType::kFloor:
      return emitted(wire::FloorFrame{id + kAhead});
    case FrameType::kRelease:
      return emitted(wire::ReleaseFrame{1, kMost});
    case FrameType::kPing:
      return emitted(wire::PingFrame{1});
    case FrameType::kPong:
      return emitted(wire::PongFrame{1, 1, 0});
    case FrameType::kCutoffs:
      return emitted(wire::CutoffsFrame{255, kMost, {}});
    case FrameType::kProbe:
      return emitted(wire::ProbeFrame{9000});
    case FrameType::kProbeAck:
      return emitted(wire::ProbeAckFrame{9000});
    case FrameType::kClose:
      return emitted(wire::CloseFrame{9});
    case FrameType::kGone:
      return emitted(wire::GoneFrame{0, id, 6});
    case FrameType::kNeedAck:
      return emitted(wire::NeedAckFrame{0x10, id});
    case FrameType::kAckRun:
      return emitted(wire::AckRunFrame{1, kMost});
    case FrameType::kAvoid:
      return emitted(wire::AvoidFrame{0xffff});
  }
  return {};
}

std::vector<FrameType> frame_types() {
  std::vector<FrameType> out;
  for (unsigned type = 0; type < wire::kFirstExtensionFrame; ++type) {
    if (!harmful_frame(static_cast<FrameType>(type), 1).empty()) {
      out.push_back(static_cast<FrameType>(type));
    }
  }
  return out;
}

std::vector<Forgery> forge_control(const std::vector<Packet>& seen, base::Prng* prng) {
  std::vector<Forgery> out;
  for (const Packet& packet : seen) {
    if (!is_type(packet.bytes, wire::PacketType::kBundle)) continue;
    for (const FrameType type : frame_types()) {
      Bytes tag(wire::kTagBytes + (type == FrameType::kMsg ? 16u : 0u));
      const Bytes frame = harmful_frame(type, 1 + prng->uniform(40));
      const auto add = [&](const char* what) {
        Forgery forged{{packet.way, bundle(packet.bytes, frame, tag)},
                       std::string(wire::frame_type_name(type)) + what};
        renumber(&forged.packet.bytes, 1 + prng->uniform(kAhead));
        out.push_back(std::move(forged));
      };
      add(" without a tag");
      randomize(&tag, 0, prng);
      add(" with a random tag");
      std::copy(packet.bytes.end() - wire::kTagBytes, packet.bytes.end(),
                tag.end() - wire::kTagBytes);
      add(" with a seen tag");
    }
  }
  return out;
}

std::vector<Forgery> forge_data(const std::vector<Packet>& seen, base::Prng* prng) {
  std::vector<Forgery> out;
  for (const Packet& packet : seen) {
    const bool data = is_type(packet.bytes, wire::PacketType::kData);
    if (!data && !is_type(packet.bytes, wire::PacketType::kRecord)) continue;
    Forgery same{packet, "other bytes of a message"};
    randomize(&same.packet.bytes, clear_size(packet.bytes), prng);
    out.push_back(same);
    Forgery next = same;
    next.what = "a message that nobody sent";
    // Ids lie above attempt and index: 28 bits of a default split.
    renumber(&next.packet.bytes, (1 + prng->uniform(64)) << 28);
    out.push_back(next);
    Forgery again = same;
    again.what = "another attempt";
    renumber(&again.packet.bytes, uint64_t{1} << 20);
    out.push_back(again);
    if (!data) continue;
    base::store_be32(next.packet.bytes.data() + kMessageLength, 1u << 30);
    base::store_be32(next.packet.bytes.data() + kGranted, 1u << 30);
    next.what = "a message of a gigabyte";
    out.push_back(std::move(next));
  }
  return out;
}

std::vector<Forgery> forge_types(const std::vector<Packet>& seen, base::Prng* prng) {
  std::vector<Forgery> out;
  for (const Packet& packet : seen) {
    if (!has_header(packet.bytes) || is_type(packet.bytes, wire::PacketType::kHandshake)) continue;
    wire::ResetPacket reset;
    reset.session = base::load_be32(packet.bytes.data() + kSession);
    reset.lane = packet.bytes[kLane];
    // The session that the receiver of a RESET means is the one the sender has chosen: what stands
    // in packets to it, which go the other way.
    const auto add = [&](Way way, const char* what) {
      Bytes bytes(wire::ResetPacket::kSize);
      reset.emit(bytes.data());
      out.push_back({{way, std::move(bytes)}, what});
    };
    for (const Way way : {packet.way, reverse(packet.way)}) {
      std::fill(std::begin(reset.token), std::end(reset.token), uint8_t{0});
      add(way, "RESET with a token of zeros");
      for (uint8_t& byte : reset.token) byte = static_cast<uint8_t>(prng->next_u64());
      add(way, "RESET with a random token");
      std::copy(packet.bytes.end() - wire::kResetTokenSize, packet.bytes.end(), reset.token);
      add(way, "RESET with a token cut out of traffic");
    }
    for (unsigned type = 0; type < 256; ++type) {
      if (type == type_byte(packet.bytes)) continue;
      Forgery forged{packet, "as of type " + std::to_string(type)};
      forged.packet.bytes[kType] = static_cast<uint8_t>(type);
      out.push_back(std::move(forged));
    }
  }
  return out;
}

std::vector<Forgery> forge_handshakes(const std::vector<Packet>& seen, base::Prng* prng) {
  std::vector<Forgery> out;
  for (const Packet& packet : seen) {
    if (!is_type(packet.bytes, wire::PacketType::kHandshake)) continue;
    if (packet.bytes.size() < wire::kHandshakeHeaderSize) continue;
    for (unsigned type = 0; type < 256; ++type) {
      Forgery forged{packet, "handshake message " + std::to_string(type)};
      forged.packet.bytes[kMessageType] = static_cast<uint8_t>(type);
      forged.packet.way = static_cast<Way>(type % 2);
      randomize(&forged.packet.bytes, wire::kHandshakeHeaderSize, prng);
      out.push_back(forged);
      base::store_be64(forged.packet.bytes.data() + kRecordNumber, prng->next_u64());
      forged.packet.way = reverse(forged.packet.way);
      forged.what += " of an attempt that nobody made";
      out.push_back(std::move(forged));
    }
  }
  return out;
}

}  // namespace sluice::attack
