// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_watch.h"

#include <cstring>

#include "base/byte_order.h"
#include "base/hash.h"
#include "wire/control_frames.h"
#include "wire/esp.h"
#include "wire/header.h"
#include "wire/padding.h"
#include "wire/record_packet.h"

namespace sluice::sim {
namespace {

using wire::FrameType;
using wire::PacketType;

bool is_type(std::span<const uint8_t> bytes, PacketType type) {
  return bytes.size() >= wire::offsets::kRecordNumber + 8 &&
         bytes[wire::offsets::kType] == static_cast<uint8_t>(type);
}

uint64_t session_of(std::span<const uint8_t> bytes) {
  return uint64_t{base::load_be32(bytes.data() + wire::offsets::kSession)} << 8 |
         bytes[wire::offsets::kLane];
}

// The marker may begin anywhere, so every place is compared, a word at a time.
bool holds_marker(std::span<const uint8_t> bytes) {
  const uint8_t* at = bytes.data();
  const uint8_t* const end = at + bytes.size();
  while (end - at >= static_cast<ptrdiff_t>(sizeof(kPlaintextMarker))) {
    at = static_cast<const uint8_t*>(std::memchr(
        at, kPlaintextMarker[0], static_cast<size_t>(end - at) - sizeof(kPlaintextMarker) + 1));
    if (at == nullptr) return false;
    if (std::memcmp(at, kPlaintextMarker, sizeof(kPlaintextMarker)) == 0) return true;
    ++at;
  }
  return false;
}

}  // namespace

// Four streams, so that the multiplications of one word need not wait for those of the last.
uint64_t FaultWatch::digest(int to, std::span<const uint8_t> bytes) {
  uint64_t lanes[4] = {1, 2, 3, 4};
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 32; left -= 32, at += 32) {
    for (int i = 0; i < 4; ++i) {
      lanes[i] = base::folded_multiply(lanes[i] ^ base::load_be64(at + i * 8), 0x9E3779B97F4A7C15u);
    }
  }
  uint8_t rest[32] = {};
  if (left != 0) std::memcpy(rest, at, left);
  uint64_t hash = base::mix64(bytes.size(), static_cast<uint64_t>(to));
  for (int i = 0; i < 4; ++i) hash = base::mix64(hash ^ base::load_be64(rest + i * 8), lanes[i]);
  return hash;
}

void FaultWatch::inspect(int from, std::span<const uint8_t> bytes) {
  const uint64_t packet = digest(1 - from, bytes);
  hash_ = base::mix64(hash_, packet);
  sent_.insert(packet);
  if (holds_marker(bytes)) accuse("plaintext on the wire");
  inspect_number(bytes);
  inspect_data(bytes);
  inspect_record(bytes);
  inspect_bundle(bytes);
}

// A nonce under one key may be used once. An SPI has another key each time that it comes round, and
// with it another IV for any number.
void FaultWatch::inspect_esp(int from, std::span<const uint8_t> bytes) {
  const uint64_t packet = digest(1 - from, bytes);
  hash_ = base::mix64(hash_, packet);
  sent_.insert(packet);
  ++esp_;
  if (holds_marker(bytes)) accuse("plaintext on the wire");
  const auto view = wire::EspView::parse(bytes.data(), bytes.size());
  if (!view.has_value()) return accuse("a packet that nobody can read");
  if (!numbers_.insert(base::mix64(view->spi(), view->iv())).second) {
    accuse("a record number sealed twice under one key");
  }
}

// A number under one key may be sealed once. Sessions differ by their id, which the machine never
// gives out twice in a run; directions by the session id that the receiver chose.
void FaultWatch::inspect_number(std::span<const uint8_t> bytes) {
  if (!is_type(bytes, PacketType::kData) && !is_type(bytes, PacketType::kBundle)) return;
  const uint64_t key = session_of(bytes) << 8 | bytes[wire::offsets::kEpoch];
  const uint64_t number = base::load_be64(bytes.data() + wire::offsets::kRecordNumber);
  if (!numbers_.insert(base::mix64(key, number)).second) {
    accuse("a record number sealed twice under one key");
  }
}

void FaultWatch::inspect_data(std::span<const uint8_t> bytes) {
  if (!is_type(bytes, PacketType::kData)) return;
  const auto view = wire::DataView::parse(bytes.data(), bytes.size());
  if (!view.has_value()) return accuse("a packet that nobody can read");
  if (view->offset() + view->payload_length() > view->granted()) {
    accuse("bytes sent beyond their grant");
  }
  inspect_length(view->message_length());
}

// A record is sealed once, whatever the number of its packets: they share a header, and its bytes
// go out once, in their order.
void FaultWatch::inspect_record(std::span<const uint8_t> bytes) {
  if (!is_type(bytes, PacketType::kRecord)) return;
  const auto view = wire::RecordView::parse(bytes.data(), bytes.size(), {});
  if (!view.has_value()) return accuse("a packet that nobody can read");
  const wire::RecordHeader header = wire::RecordHeader::read(bytes.data(), {});
  if (header.message.offset + header.content() > header.message.granted) {
    accuse("bytes sent beyond their grant");
  }
  inspect_length(header.message.message_length);
  uint8_t first[wire::kRecordHeaderSize];
  view->first_header(first);
  const uint64_t key = session_of(bytes) << 8 | bytes[wire::offsets::kEpoch];
  const uint64_t number = base::mix64(key, view->record_number());
  if (view->place() == 0) {
    if (!numbers_.insert(number).second) accuse("a record number sealed twice under one key");
    records_[number] = {digest(0, first), 0};
  }
  const auto found = records_.find(number);
  if (found == records_.end() || found->second.header != digest(0, first) ||
      found->second.sent != view->place()) {
    return accuse("a record sent otherwise than it was sealed");
  }
  found->second.sent += static_cast<uint32_t>(view->part().size());
}

// A bucket is the size of the longest content that it holds.
void FaultWatch::inspect_length(uint64_t length) {
  if (!padded_) return;
  const auto longest = static_cast<uint32_t>(length - wire::kLengthPrefix);
  if (length <= wire::kLengthPrefix || wire::padded_length(longest) != length) {
    accuse("a length that is no bucket");
  }
}

// Frames are authenticated, and in clear.
void FaultWatch::inspect_bundle(std::span<const uint8_t> bytes) {
  if (!is_type(bytes, PacketType::kBundle)) return;
  const auto view = wire::BundleView::parse(bytes.data(), bytes.size());
  if (!view.has_value()) return accuse("a packet that nobody can read");
  const uint64_t session = session_of(bytes);
  const auto knows = [this, session](uint64_t id) { known_.insert(base::mix64(id, session)); };
  wire::FrameReader reader(view->frames(), view->sealed_length());
  wire::Frame frame;
  while (reader.next(&frame)) {
    switch (frame.type) {
      case FrameType::kMsg:
        inspect_length(frame.msg.length);
        break;
      case FrameType::kAck:
        knows(frame.ack.id);
        break;
      case FrameType::kAckRun:
        for (uint32_t i = 0; i < frame.ack_run.count; ++i) knows(frame.ack_run.first + i);
        break;
      case FrameType::kBusy:
        knows(frame.busy.id);
        break;
      case FrameType::kGone:
        knows(frame.gone.id);
        break;
      case FrameType::kUnknown:
        if (known_.contains(base::mix64(frame.unknown.id, session))) {
          accuse("an UNKNOWN for a call that its sender knew");
        }
        break;
      default:
        break;
    }
  }
  if (!reader.ok()) accuse("a bundle that nobody can read");
}

FaultWatch::Arrival FaultWatch::examine(int to, std::span<const uint8_t> bytes, bool esp) const {
  Arrival arrival{digest(to, bytes), !esp && is_type(bytes, PacketType::kBundle)};
  if (esp) {  // Whether it is a bundle, only its receiver knows.
    arrival.wrong = !sent_.contains(arrival.digest);
    return arrival;
  }
  // A packet of a record is judged with all of it, by what is delivered.
  arrival.wrong = !is_type(bytes, PacketType::kRecord) &&
                  (!sent_.contains(arrival.digest) || accepted_.contains(arrival.digest));
  return arrival;
}

}  // namespace sluice::sim
