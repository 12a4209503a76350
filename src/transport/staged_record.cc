// SPDX-License-Identifier: Apache-2.0
#include "transport/staged_record.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace sluice::transport {

uint32_t StagedRecord::most_content(uint32_t packet_bytes) {
  const auto part = packet_bytes - static_cast<uint32_t>(wire::kRecordHeaderSize);
  const auto most = static_cast<uint32_t>(wire::kMaxRecordSize);
  const uint32_t packets = most / part;
  const uint32_t size = packets > 1 ? packets * part : most;
  return size - static_cast<uint32_t>(wire::kRecordOverhead);
}

void StagedRecord::begin(const wire::RecordHeader& header, std::span<const uint8_t> content,
                         LaneRef lane, const TxPacket& way) {
  const std::span<uint8_t> place = begin(header, lane, way);
  SLUICE_DCHECK(place.size() == content.size());
  std::memcpy(place.data(), content.data(), content.size());
}

std::span<uint8_t> StagedRecord::begin(const wire::RecordHeader& header, LaneRef lane,
                                       const TxPacket& way) {
  SLUICE_DCHECK(!pending());
  header.emit(header_);
  const uint32_t content = header.content();
  uint8_t* const place = wire::lay_out_record(header_, content, bytes_.data());
  size_ = header.length;
  place_ = 0;
  lane_ = lane;
  way_ = way;
  number_ = header.message.record_number;
  context_ = crypto::kNoInlineContext;
  return {place, content};
}

void StagedRecord::seal(crypto::AeadBackend* backend, const crypto::AeadKey* key) {
  crypto::AeadJob job;
  job.key = key;
  job.record_number = number_;
  job.aad = bytes_.data();
  job.aad_length = static_cast<uint32_t>(wire::kTlsHeaderSize);
  job.in = job.out = bytes_.data() + wire::kTlsHeaderSize;
  job.length = size_ - static_cast<uint32_t>(wire::kTlsHeaderSize + wire::kTagBytes);
  backend->submit_seal({&job, 1});
}

void StagedRecord::cut(TxPacket* slot, uint32_t packet_bytes) {
  const auto header = static_cast<uint32_t>(wire::kRecordHeaderSize);
  SLUICE_DCHECK(pending() && std::min(slot->capacity, packet_bytes) > header);
  const uint32_t part = std::min(std::min(slot->capacity, packet_bytes) - header, size_ - place_);
  wire::copy_record_header(header_, place_, slot->data);
  std::memcpy(slot->data + header, bytes_.data() + place_, part);
  if (context_ != crypto::kNoInlineContext) {
    const unsigned first = place_ == 0 ? kPieceFirst : 0;
    const unsigned last = place_ + part == size_ ? kPieceLast : 0;
    slot->piece = static_cast<uint8_t>(kPieceInside | first | last);
    slot->context = context_;
  }
  place_ += part;
  slot->length = header + part;
  slot->route = way_.route;
  slot->entropy = way_.entropy;
  slot->priority = way_.priority;
}

}  // namespace sluice::transport
