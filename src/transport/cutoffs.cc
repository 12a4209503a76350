// SPDX-License-Identifier: Apache-2.0
#include "transport/cutoffs.h"

#include <algorithm>

namespace sluice::transport {
namespace {

// A cutoff that moved by less than a quarter is not worth a frame to every sender.
bool moved(uint32_t before, uint32_t after) {
  const uint32_t low = std::min(before, after);
  return std::max(before, after) - low > low / 4;
}

}  // namespace

bool Cutoffs::take(const wire::CutoffsFrame& frame) {
  if (!std::is_sorted(frame.cutoffs, frame.cutoffs + wire::kPriorityLevels)) return false;
  std::copy_n(frame.cutoffs, kLevels, upto_.begin());
  return true;
}

// The longest length of the bucket.
uint32_t CutoffEstimator::upper_end(uint32_t bucket) {
  const uint64_t steps = 4 + bucket % 4;
  return static_cast<uint32_t>(std::min<uint64_t>(((steps + 1) << (bucket / 4)) - 1, UINT32_MAX));
}

bool CutoffEstimator::look() {
  messages_ = 0;
  uint64_t total = 0;
  for (const uint64_t bytes : bytes_) total += bytes;
  const auto share = static_cast<uint32_t>((total * Cutoffs::kLevels + all_bytes_ / 2) /
                                           std::max<uint64_t>(all_bytes_, 1));
  const uint32_t levels = std::clamp(share, kMinLevels, kMaxLevels);
  std::array<uint32_t, Cutoffs::kLevels> found;
  found.fill(UINT32_MAX);
  uint64_t sum = 0;
  uint32_t level = 0;
  for (uint32_t bucket = 0; bucket < kBuckets && level + 1 < levels; ++bucket) {
    sum += bytes_[bucket];
    while (level + 1 < levels && sum * levels >= total * (level + 1)) {
      found[level++] = upper_end(bucket);
    }
  }
  for (uint64_t& bytes : bytes_) bytes /= 2;
  all_bytes_ /= 2;
  bool news = frame_.version == 0 || levels != levels_;
  for (uint32_t i = 0; i < Cutoffs::kLevels; ++i) news |= moved(frame_.cutoffs[i], found[i]);
  if (!news) return false;
  levels_ = levels;
  // 0 stays the version of those who have told nothing.
  frame_.version = frame_.version == UINT8_MAX ? 1 : static_cast<uint8_t>(frame_.version + 1);
  frame_.unscheduled_limit = UINT32_MAX;
  std::copy(found.begin(), found.end(), frame_.cutoffs);
  return true;
}

}  // namespace sluice::transport
