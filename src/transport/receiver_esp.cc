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

}  // namespace

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
  // PROTOCOL MUST-C10
  if (wire::is_counter_number(number) && !lane->receive.window().check(wire::counter_of(number))) {
    ctx_.stats.drop_replay.add();
    return;
  }
  Pending pending;
  pending.action = Action::kEsp;
  pending.lane = lane;
  enqueue(packet, pending, key, static_cast<uint32_t>(wire::kEspAadSize),
          packet.data + wire::kEspHeaderSize, view->sealed_length());
  pending_[count_ - 1].epoch = epoch;
  jobs_[count_ - 1].in = packet.data + wire::kEspHeaderSize;
  jobs_[count_ - 1].record_number = number;
}

// PROTOCOL MUST-S3, MUST-S5: the tag is right; what is inside has to agree with what led to the
// key.
bool Receiver::esp_as_sent(Pending& pending, const crypto::AeadJob& job) {
  const Lane& lane = *pending.lane;
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
  return true;
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
  const std::span<const uint8_t> content(packet + wire::kDataHeaderSize,
                                         size - wire::kDataHeaderSize);
  wire::RecordHeader header;
  header.message = wire::DataHeader::fields(packet);
  header.length = static_cast<uint16_t>(wire::record_size(static_cast<uint32_t>(content.size())));
  deliver_record(*pending.lane, header, content, now);
}

}  // namespace sluice::transport
