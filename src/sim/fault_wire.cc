// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_wire.h"

#include <algorithm>

#include "base/byte_order.h"
#include "base/hash.h"
#include "wire/header.h"
#include "wire/record_packet.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kTag = 16;
constexpr size_t kLargePacket = 1300;

}  // namespace

FaultWire::FaultWire(const FaultPlan& plan, FaultCounts* counts)
    : plan_(plan), counts_(counts), prng_(base::mix64(plan.seed, 0x77697265u)) {}

bool FaultWire::fires(FaultKind kind) {
  const uint32_t rate = plan_.rate_of(kind);
  if (mended_ || rate == 0 || prng_.uniform(1'000'000) >= rate) return false;
  count(kind);
  return true;
}

void FaultWire::partition(int from, base::Nanos until) {
  if (from != 1) cut_until_[0] = std::max(cut_until_[0], until);
  if (from != 0) cut_until_[1] = std::max(cut_until_[1], until);
}

void FaultWire::kill_paths(base::Nanos until) { paths_dead_until_ = until; }

void FaultWire::session_ended() {
  for (WirePacket& packet : recent_) {
    old_sessions_.push_back(std::move(packet));
    if (old_sessions_.size() > kKept) old_sessions_.pop_front();
  }
  recent_.clear();
}

void FaultWire::mend() {
  mended_ = true;
  cut_until_[0] = cut_until_[1] = paths_dead_until_ = base::Nanos::zero();
}

base::Nanos FaultWire::next_arrival() const {
  return in_flight_.empty() ? base::Nanos::max() : in_flight_.begin()->first.first;
}

std::optional<WirePacket> FaultWire::receive(base::Nanos now) {
  if (in_flight_.empty() || in_flight_.begin()->first.first > now) return std::nullopt;
  WirePacket packet = std::move(in_flight_.begin()->second);
  in_flight_.erase(in_flight_.begin());
  return packet;
}

bool FaultWire::blocked(int from, uint16_t entropy, base::Nanos now) {
  if (now < cut_until_[from]) return true;
  return now < paths_dead_until_ && (base::mix64(entropy, plan_.seed) & 1) != 0;
}

void FaultWire::send(int from, std::span<const uint8_t> bytes, uint16_t entropy, base::Nanos now,
                     bool esp) {
  ++packets_;
  if (esp) {
    watch_.inspect_esp(from, bytes);
  } else {
    watch_.inspect(from, bytes);
  }
  recent_.push_back({1 - from, false, {bytes.begin(), bytes.end()}, esp});
  if (recent_.size() > kKept) recent_.pop_front();
  forge(from, now);
  if (blocked(from, entropy, now)) return;
  if (bytes.size() > kLargePacket && fires(FaultKind::kSmallMtu)) return;
  if (burst_left_ > 0) {
    --burst_left_;
    count(FaultKind::kBurstLoss);
    return;
  }
  if (fires(FaultKind::kLoss)) return;
  if (fires(FaultKind::kBurstLoss)) {
    burst_left_ = static_cast<uint32_t>(prng_.uniform(30));
    return;
  }
  tamper(from, {bytes.begin(), bytes.end()}, esp, now);
}

void FaultWire::tamper(int from, std::vector<uint8_t> bytes, bool esp, base::Nanos now) {
  repeat(from, bytes, esp, now);
  change(&bytes, esp);
  base::Nanos at = base::after(now, plan_.delay);
  if (fires(FaultKind::kReorder)) at = base::after(at, base::Nanos(prng_.uniform(100'000)));
  if (fires(FaultKind::kLongDelay)) at = base::after(at, base::Nanos(prng_.uniform(20'000'000)));
  if (fires(FaultKind::kReflect)) deliver(from, bytes, esp, at);
  const bool marked = fires(FaultKind::kMark);
  deliver(1 - from, std::move(bytes), esp, at, marked);
}

void FaultWire::change(std::vector<uint8_t>* bytes, bool esp) {
  const auto flip = [this, bytes](size_t begin, size_t end) {
    if (end > bytes->size() || begin >= end) return;
    (*bytes)[begin + prng_.uniform(end - begin)] ^= static_cast<uint8_t>(1u << prng_.uniform(8));
  };
  const size_t size = bytes->size();
  if (fires(FaultKind::kCorruptBit)) flip(0, size);
  if ((esp || !change_record(bytes)) && fires(FaultKind::kCorruptHeader)) {
    flip(0, std::min(size, wire::kDataHeaderSize));
  }
  if (fires(FaultKind::kCorruptTag)) flip(size - std::min<size_t>(size, kTag), size);
  if (fires(FaultKind::kSplice) && !recent_.empty()) {
    const std::vector<uint8_t>& other = recent_[prng_.uniform(recent_.size())].bytes;
    const size_t from = prng_.uniform(size);
    for (size_t i = from; i < std::min(size, other.size()); ++i) (*bytes)[i] = other[i];
  }
  if (fires(FaultKind::kTruncate)) bytes->resize(prng_.uniform(size));
  if (fires(FaultKind::kCutToHeader)) bytes->resize(std::min(size, wire::kDataHeaderSize));
  if (fires(FaultKind::kExtend)) bytes->resize(size + 1 + prng_.uniform(40));
}

// What stands in all packets of a record, changed in the same way in all of them: whom it is for.
bool FaultWire::change_record(std::vector<uint8_t>* bytes) {
  if (bytes->size() <= wire::kRecordHeaderSize ||
      (*bytes)[wire::offsets::kType] != static_cast<uint8_t>(wire::PacketType::kRecord)) {
    return false;
  }
  const uint64_t number = base::load_be64(bytes->data() + wire::offsets::kRecordNumber);
  if (number != changed_.number && fires(FaultKind::kCorruptHeader)) {
    changed_.number = number;
    changed_.at = wire::offsets::kService + prng_.uniform(2);
    changed_.bit = static_cast<uint8_t>(1u << prng_.uniform(8));
  }
  if (number != changed_.number) return false;
  (*bytes)[changed_.at] ^= changed_.bit;
  return true;
}

void FaultWire::repeat(int from, const std::vector<uint8_t>& bytes, bool esp, base::Nanos now) {
  const auto soon = [this, now](uint64_t spread) {
    return base::after(base::after(now, plan_.delay), base::Nanos(prng_.uniform(spread)));
  };
  if (fires(FaultKind::kDuplicate)) deliver(1 - from, bytes, esp, soon(50'000));
  if (fires(FaultKind::kManyDuplicates)) {
    for (int i = 0; i < 20; ++i) deliver(1 - from, bytes, esp, soon(1'000'000));
  }
  if (fires(FaultKind::kReplay) && !recent_.empty()) {
    const WirePacket& old = recent_[prng_.uniform(recent_.size())];
    deliver(old.to, old.bytes, old.esp, soon(5'000'000));
  }
  if (!old_sessions_.empty() && fires(FaultKind::kReplayOldSession)) {
    const WirePacket& old = old_sessions_[prng_.uniform(old_sessions_.size())];
    deliver(old.to, old.bytes, old.esp, soon(1'000'000));
  }
}

void FaultWire::forge(int from, base::Nanos now) {
  for (const FaultKind kind :
       {FaultKind::kGarbage, FaultKind::kForgedData, FaultKind::kForgedBundle,
        FaultKind::kForgedReset, FaultKind::kForgedHandshake, FaultKind::kForgedUnknownType,
        FaultKind::kForgedOtherKey}) {
    if (!fires(kind)) continue;
    // With ESP a stranger may send either; what it makes of ESP has the SPI of a packet that it
    // saw.
    const bool esp = plan_.esp() && prng_.uniform(2) == 0;
    deliver(1 - from, made_up(kind), esp, base::after(now, plan_.delay));
  }
}

// A stranger has seen packets go by: the headers are right, as far as one can read them.
std::vector<uint8_t> FaultWire::made_up(FaultKind kind) {
  std::vector<uint8_t> bytes(1 + prng_.uniform(1400));
  if (kind != FaultKind::kGarbage && !recent_.empty()) {
    bytes = recent_[prng_.uniform(recent_.size())].bytes;
  }
  const size_t clear = kind == FaultKind::kGarbage ? 0 : std::min(bytes.size(), size_t{32});
  for (size_t i = clear; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(prng_.next_u64());
  if (bytes.size() <= wire::offsets::kRecordNumber + 8) return bytes;
  const auto set_type = [&bytes](wire::PacketType type) {
    bytes[wire::offsets::kType] = static_cast<uint8_t>(type);
  };
  // Numbers of its own, ahead of those in use, which is where a forger gains most.
  const uint64_t number = base::load_be64(bytes.data() + wire::offsets::kRecordNumber);
  base::store_be64(bytes.data() + wire::offsets::kRecordNumber, number + prng_.uniform(1000));
  switch (kind) {
    case FaultKind::kForgedData:
      set_type(wire::PacketType::kData);
      break;
    case FaultKind::kForgedBundle:
      set_type(wire::PacketType::kBundle);
      break;
    case FaultKind::kForgedReset:
      set_type(wire::PacketType::kReset);
      break;
    case FaultKind::kForgedHandshake:
      set_type(wire::PacketType::kHandshake);
      break;
    case FaultKind::kForgedUnknownType:
      bytes[wire::offsets::kType] = static_cast<uint8_t>(64 + prng_.uniform(190));
      break;
    default:
      break;
  }
  return bytes;
}

void FaultWire::deliver(int to, std::vector<uint8_t> bytes, bool esp, base::Nanos at, bool marked) {
  in_flight_.emplace(std::make_pair(at, sequence_++),
                     WirePacket{to, marked, std::move(bytes), esp});
}

}  // namespace sluice::sim
