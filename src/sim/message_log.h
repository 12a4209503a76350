// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_MESSAGE_LOG_H_
#define SLUICE_SIM_MESSAGE_LOG_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/time.h"

namespace sluice::sim {

// One message of a run, from its submission to its delivery.
struct MessageRecord {
  uint32_t size = 0;  // Bytes of payload.
  uint16_t src = 0;
  uint16_t dst = 0;
  bool pull = false;          // Background that keeps links full, beside what is measured.
  Picos start;                // When the application submitted it.
  Picos done = Picos::max();  // When the receiver had all of it; "never" until then.

  bool delivered() const { return done != Picos::max(); }
};

// Every message of a run, in the order of submission. Payloads are virtual, so a message is known
// at the receiver by who sent it and by its `service` field, which senders count up for each
// destination: it names one message among the last 65,536 between two hosts.
class MessageLog {
 public:
  // Remembers a submission and returns its index.
  uint32_t submitted(uint16_t src, uint16_t dst, uint16_t service, uint32_t size, Picos now,
                     bool pull = false);
  // The receiver has it; returns its record, which the next submission may move. An unknown message
  // (a second delivery, or one of another size) stops the process: the protocol broke its promise.
  const MessageRecord& delivered(uint16_t src, uint16_t dst, uint16_t service, uint32_t size,
                                 Picos now);

  // The size of a message that was submitted and is not delivered.
  uint32_t size_of(uint16_t src, uint16_t dst, uint16_t service) const;

  const std::vector<MessageRecord>& records() const { return records_; }
  uint64_t submitted_bytes() const { return submitted_bytes_; }  // Of payload, so far.
  uint64_t outstanding() const { return open_.size(); }          // Submitted and not delivered.

  // A hash over all records: two runs that did the same have the same.
  uint64_t hash() const;

 private:
  static uint64_t key(uint16_t src, uint16_t dst, uint16_t service) {
    return uint64_t{src} << 32 | uint64_t{dst} << 16 | service;
  }

  std::vector<MessageRecord> records_;
  uint64_t submitted_bytes_ = 0;
  absl::flat_hash_map<uint64_t, uint32_t> open_;  // Only looked up, never walked over.
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_MESSAGE_LOG_H_
