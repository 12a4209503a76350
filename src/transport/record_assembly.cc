// SPDX-License-Identifier: Apache-2.0
#include "transport/record_assembly.h"

#include <cstring>

#include "transport/lane.h"

namespace sluice::transport {

RecordAssembly::RecordAssembly(uint64_t budget)
    : records_(static_cast<uint32_t>(budget / kStride)), bytes_(records_.capacity() * kStride) {}

// A lane has few of them, and what comes next belongs to the newest as a rule.
Gathering* RecordAssembly::find(Lane& lane, uint64_t number, uint8_t epoch) {
  for (Gathering& record : lane.gatherings) {
    if (record.number == number && record.header[wire::offsets::kEpoch] == epoch) return &record;
  }
  return nullptr;
}

Gathering* RecordAssembly::begin(Lane& lane, const wire::RecordView& packet, bool* displaced) {
  Gathering* oldest = nullptr;
  if (lane.gatherings.count() >= base::limits::kMaxUnverifiedRecordsPerLane) {
    oldest = lane.gatherings.back();
  } else if (records_.in_use() == records_.capacity()) {
    oldest = ages_.front();
  }
  if (oldest != nullptr) {  // PROTOCOL MUST-R7
    *displaced = true;
    release(*oldest);
  }
  Gathering* record = records_.allocate();
  if (record == nullptr) return nullptr;
  record->lane = &lane;
  record->number = packet.record_number();
  record->length = packet.record_length();
  record->congested = false;
  record->bytes = bytes_.data() + records_.index_of(record) * kStride;
  record->arrived.clear();
  packet.first_header(record->header);
  lane.gatherings.push_front(*record);
  ages_.push_back(*record);
  return record;
}

RecordAssembly::Result RecordAssembly::add(Lane& lane, const wire::RecordView& packet,
                                           bool congested) {
  Result result;
  Gathering* record = find(lane, packet.record_number(), packet.epoch());
  if (record == nullptr) {
    record = begin(lane, packet, &result.displaced);
    if (record == nullptr) {  // There is no budget at all.
      result.displaced = true;
      return result;
    }
  } else {
    uint8_t header[wire::kRecordHeaderSize];
    packet.first_header(header);
    if (std::memcmp(header, record->header, sizeof(header)) != 0) {
      result.outcome = Outcome::kMismatch;
      return result;
    }
  }
  const auto part = packet.part();
  const uint32_t begin = packet.place();
  const uint32_t end = begin + static_cast<uint32_t>(part.size());
  if (record->arrived.overlaps(begin, end)) {
    result.outcome = Outcome::kDuplicate;
    return result;
  }
  using Insert = decltype(record->arrived)::Insert;
  if (record->arrived.insert(begin, end) == Insert::kFull) {
    result.outcome = Outcome::kPieces;
    return result;
  }
  std::memcpy(record->bytes + begin, part.data(), part.size());
  record->congested |= congested;
  if (record->whole()) {
    result.outcome = Outcome::kWhole;
    result.record = record;
  }
  return result;
}

void RecordAssembly::release(Gathering& record) {
  record.lane->gatherings.erase(record);
  ages_.erase(record);
  records_.release(&record);
}

void RecordAssembly::release_all(Lane& lane) {
  while (Gathering* record = lane.gatherings.front()) release(*record);
}

}  // namespace sluice::transport
