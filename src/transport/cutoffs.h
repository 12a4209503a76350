// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_CUTOFFS_H_
#define SLUICE_TRANSPORT_CUTOFFS_H_

#include <array>
#include <bit>
#include <cstdint>

#include "wire/control_frames.h"

namespace sluice::transport {

// The priority of a message's unscheduled bytes by its length: the shorter, the higher (Homa,
// SIGCOMM 2018 §3.4). Kept by a sender for each lane, as the receiver of the lane told it last.
class Cutoffs {
 public:
  static constexpr uint32_t kLevels = wire::kPriorityLevels;
  // HomaModule's defaults, until a receiver tells its own: four levels.
  static constexpr std::array<uint32_t, kLevels> kDefault = {
      200, 2800, 15000, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};

  uint8_t priority(uint32_t length) const {
    uint8_t level = 0;
    while (level < kLevels - 1 && length > upto_[level]) ++level;
    return static_cast<uint8_t>(kLevels - 1 - level);
  }
  // Takes what a CUTOFFS frame says; false, with nothing changed, when its cutoffs fall.
  bool take(const wire::CutoffsFrame& frame);
  void reset() { upto_ = kDefault; }

 private:
  std::array<uint32_t, kLevels> upto_ = kDefault;
};

// A receiver's view of the traffic that comes unasked, from which it works out how many priorities
// that needs, by its share of all bytes (Homa §3.4), and the cutoffs that give each of them the
// same share of these bytes. Recent messages count most.
class CutoffEstimator {
 public:
  // The rest of the eight is for scheduled bytes. With fewer than four the short messages of a
  // workload of long ones wait behind the first bytes of these.
  static constexpr uint32_t kMinLevels = 4;
  static constexpr uint32_t kMaxLevels = 7;

  // Messages between two looks; what was counted before counts half afterwards.
  static constexpr uint32_t kPeriod = 4096;

  // A message begins: its length, and how much of it comes unasked. True when there is news.
  bool note(uint32_t length, uint32_t unscheduled) {
    bytes_[bucket_of(length)] += unscheduled;
    all_bytes_ += length;
    return ++messages_ == kPeriod && look();
  }
  // Counts the changes of the cutoffs that were worth telling; 0: none to tell yet.
  uint8_t version() const { return frame_.version; }
  // What to tell the senders.
  const wire::CutoffsFrame& frame() const { return frame_; }
  // Priorities, from 0 on, that unscheduled bytes leave to the scheduled ones.
  uint8_t scheduled_levels() const { return static_cast<uint8_t>(Cutoffs::kLevels - levels_); }

 private:
  // Four buckets for each doubling of the length.
  static constexpr uint32_t kBuckets = 4 * 32;
  static uint32_t bucket_of(uint32_t length) {
    const auto octave = static_cast<uint32_t>(std::bit_width(length | 4u)) - 3;
    return octave * 4 + ((length >> octave) & 3);
  }
  static uint32_t upper_end(uint32_t bucket);

  bool look();

  std::array<uint64_t, kBuckets> bytes_{};  // Unscheduled ones, by the length of the message.
  uint64_t all_bytes_ = 0;
  uint32_t messages_ = 0;
  uint32_t levels_ = kMinLevels;
  wire::CutoffsFrame frame_{};
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CUTOFFS_H_
