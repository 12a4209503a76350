// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_CUTOFFS_H_
#define SLUICE_TRANSPORT_CUTOFFS_H_

#include <array>
#include <cstdint>

#include "wire/control_frames.h"

namespace sluice::transport {

// The priority of a message's unscheduled bytes by its length: the shorter, the higher (Homa,
// SIGCOMM 2018 §3.4). Kept by a sender for each lane, as the receiver of the lane told it last.
class Cutoffs {
 public:
  static constexpr uint32_t kLevels = 4;  // Of unscheduled bytes: priorities 7 to 4.

  // HomaModule's defaults, until a receiver tells its own.
  static constexpr std::array<uint32_t, kLevels - 1> kDefault = {200, 2800, 15000};

  uint8_t priority(uint32_t length) const {
    uint8_t level = 0;
    while (level < kLevels - 1 && length > upto_[level]) ++level;
    return static_cast<uint8_t>(7 - level);
  }
  // Takes what a CUTOFFS frame says; false, with nothing changed, when its cutoffs fall.
  bool take(const wire::CutoffsFrame& frame);
  void reset() { upto_ = kDefault; }

 private:
  std::array<uint32_t, kLevels - 1> upto_ = kDefault;
};

// A receiver's view of the traffic that comes unasked, from which it works out the cutoffs that
// give each unscheduled priority the same share of these bytes. Recent messages count most.
class CutoffEstimator {
 public:
  // Messages between two looks; what was counted before counts half afterwards.
  static constexpr uint32_t kPeriod = 4096;

  // A message begins: its length, and how much of it comes unasked.
  void note(uint32_t length, uint32_t unscheduled);
  // Counts the changes of the cutoffs that were worth telling; 0: none to tell yet.
  uint8_t version() const { return frame_.version; }
  // What to tell the senders.
  const wire::CutoffsFrame& frame() const { return frame_; }

 private:
  // Four buckets for each doubling of the length.
  static constexpr uint32_t kBuckets = 4 * 32;
  static uint32_t bucket_of(uint32_t length);
  static uint32_t upper_end(uint32_t bucket);

  void look();

  std::array<uint64_t, kBuckets> bytes_{};
  uint32_t messages_ = 0;
  wire::CutoffsFrame frame_{};
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CUTOFFS_H_
