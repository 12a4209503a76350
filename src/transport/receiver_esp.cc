// SPDX-License-Identifier: Apache-2.0
//
// The Receiver's share of ESP (PROTOCOL.md §18.4). A packet is opened where it lies; what it
// carries of a message is then copied, as of a record, since more was sealed with it.
#include <utility>

#include "base/byte_order.h"
#include "transport/receiver.h"
#include "wire/esp.h"
#include "wire/header.h"

namespace sluice::transport {
namespace {

// The low bits of the epoch, among those that the lane may hold keys of, that an SPI names.
uint8_t epoch_of(const crypto::ReceiveKeys& keys, uint32_t spi) {
  const auto current = keys.epoch_low();
  for (const int step : {0, 1, -1}) {
    const auto epoch = static_cast<uint8_t>(current + step);
    if (epoch % wire::kEspEpochs == spi % wire::kEspEpochs) return epoch;
  }
  return static_cast<uint8_t>(current + 2);  // No key of it is ever held.
}

// A DATA packet of `size` bytes as the record that it is as good as.
wire::RecordHeader header_of(const uint8_t* packet, uint32_t size) {
  const uint32_t content = size - static_cast<uint32_t>(wire::kDataHeaderSize);
  wire::RecordHeader header;
  header.message = wire::DataHeader::fields(packet);
  header.length = static_cast<uint16_t>(wire::record_size(content));
  return header;
}

}  // namespace

// Whether a record of that number was let in before, or is of an exchange that is over: as far as
// the number tells, which is all that is known before the opening. Counts.
bool Receiver::brings_nothing(Lane& lane, uint64_t record_number) {
  if (wire::is_counter_number(record_number)) {  // PROTOCOL MUST-C10
    if (lane.receive.window().check(wire::counter_of(record_number))) return false;
    ctx_.stats.drop_replay.add();
    return true;
  }
  const auto number = wire::split_message_number(lane.split, record_number);
  if (number.initiator) {
    const uint64_t id = wire::expand_message_id(lane.split, number.id_low, lane.peer_ids.highest());
    const PeerIds::Class known = lane.peer_ids.classify(id);
    const bool over = known == PeerIds::Class::kBelow ||
                      (known == PeerIds::Class::kSeen && !ctx_.find_exchange(lane, false, id));
    if (over) ctx_.stats.drop_duplicate.add();
    return over;
  }
  const uint64_t id = wire::expand_message_id(lane.split, number.id_low, lane.own_ids.next());
  const bool over = ctx_.find_exchange(lane, true, id) == nullptr;
  if (over) ctx_.stats.drop_late.add();  // PROTOCOL MUST-T2
  return over;
}

// PROTOCOL MUST-S3, MUST-S5: form, lane, epoch and replay, before the opening.
[[gnu::noinline]] void Receiver::take_esp(RxPacket& packet, base::Nanos /*now*/) {
  const uint32_t length = std::exchange(packet.esp_length, uint16_t{0});
  ctx_.stats.rx_bytes.add(length);
  const auto view = wire::EspView::parse(packet.data, length);
  if (!view.has_value()) {
    ctx_.stats.drop_esp_length.add();
    return;
  }
  Lane* const lane = ctx_.find_spi(view->spi());
  if (lane == nullptr) {  // No hint to answer RESET either: nothing in clear names a session.
    ctx_.stats.drop_spi.add();
    return;
  }
  const uint8_t epoch = epoch_of(lane->receive, view->spi());
  const crypto::AeadKey* const key =
      lane->receive.exhausted() ? nullptr : lane->receive.select(epoch);
  if (key == nullptr) {
    ctx_.stats.drop_epoch.add();
    return;
  }
  const uint64_t number = view->iv() ^ base::load_be64(key->iv + 4);
  if (brings_nothing(*lane, number)) return;
  stage(Action::kEsp, lane);
  enqueue(packet, key, static_cast<uint32_t>(wire::kEspAadSize), packet.data + wire::kEspHeaderSize,
          view->sealed_length());
  pending_[count_ - 1].epoch = epoch;
  jobs_[count_ - 1].in = packet.data + wire::kEspHeaderSize;
  jobs_[count_ - 1].record_number = number;
}

// PROTOCOL MUST-S3, MUST-S5: the tag is right; what is inside has to agree with what led to the
// key.
bool Receiver::esp_as_sent(Pending& pending, const crypto::AeadJob& job) {
  Lane& lane = *pending.lane;
  const auto size = wire::esp_content(job.out, job.length, lane.esp.next_header);
  if (!size.has_value()) {
    ctx_.stats.drop_esp_trailer.add();
    return false;
  }
  const uint8_t* const header = job.out;
  const bool bundle = wire::looks_like_bundle(header, *size);
  const wire::HeaderError error =
      bundle ? wire::BundleView::check(header, *size, 0) : wire::DataView::check(header, *size, 0);
  const bool same =
      error == wire::HeaderError::kNone &&
      base::load_be64(header + wire::offsets::kRecordNumber) == job.record_number &&
      base::load_be32(header + wire::offsets::kSession) == lane.local_session.value() &&
      header[wire::offsets::kLane] == lane.number && header[wire::offsets::kEpoch] == pending.epoch;
  if (!same) {
    ctx_.stats.drop_esp_header.add();
    return false;
  }
  pending.offset = *size;
  pending.marks.bits = header[wire::offsets::kBits];
  Exchange* exchange = nullptr;
  uint64_t id = 0;
  return bundle || place_of(lane, header_of(header, *size), &exchange, &id) != RecordPlace::kNone;
}

void Receiver::commit_esp(Pending& pending, const crypto::AeadJob& job, base::Nanos now) {
  uint8_t* const packet = job.out;
  const uint32_t size = pending.offset;
  ctx_.stats.rx_esp.add();
  if (wire::looks_like_bundle(packet, size)) {
    crypto::AeadJob inside = job;
    inside.aad = packet;
    inside.aad_length = static_cast<uint32_t>(wire::kBundleHeaderSize) +
                        base::load_be16(packet + wire::offsets::kClearLength);
    inside.out = packet + inside.aad_length;
    inside.length = size - inside.aad_length;
    return commit_bundle(pending, inside, now);
  }
  deliver_record(*pending.lane, header_of(packet, size),
                 {packet + wire::kDataHeaderSize, size - wire::kDataHeaderSize}, now);
}

}  // namespace sluice::transport
