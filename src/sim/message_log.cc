// SPDX-License-Identifier: Apache-2.0
#include "sim/message_log.h"

#include "base/check.h"
#include "base/hash.h"

namespace sluice::sim {

uint32_t MessageLog::submitted(uint16_t src, uint16_t dst, uint16_t service, uint32_t size,
                               Picos now, bool pull) {
  const auto index = static_cast<uint32_t>(records_.size());
  records_.push_back({size, src, dst, pull, now, Picos::max()});
  submitted_bytes_ += size;
  SLUICE_CHECK(open_.emplace(key(src, dst, service), index).second);
  return index;
}

const MessageRecord& MessageLog::delivered(uint16_t src, uint16_t dst, uint16_t service,
                                           uint32_t size, Picos now) {
  const auto found = open_.find(key(src, dst, service));
  SLUICE_CHECK(found != open_.end());
  MessageRecord& record = records_[found->second];
  SLUICE_CHECK(record.size == size);
  record.done = now;
  open_.erase(found);
  return record;
}

uint32_t MessageLog::size_of(uint16_t src, uint16_t dst, uint16_t service) const {
  const auto found = open_.find(key(src, dst, service));
  SLUICE_CHECK(found != open_.end());
  return records_[found->second].size;
}

uint64_t MessageLog::hash() const {
  uint64_t hash = records_.size();
  for (const MessageRecord& record : records_) {
    hash = base::mix64(hash ^ record.size, uint64_t{record.src} << 16 | record.dst);
    hash = base::mix64(hash ^ record.start.value(), record.done.value());
  }
  return hash;
}

}  // namespace sluice::sim
