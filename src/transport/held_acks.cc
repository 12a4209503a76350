// SPDX-License-Identifier: Apache-2.0
#include "transport/held_acks.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::transport {

void HeldAcks::add(uint64_t id) {
  SLUICE_DCHECK(!full());
  ++ids_;
  for (uint32_t i = 0; i < runs_; ++i) {
    Run& run = run_[i];
    if (id == run.first + run.count) {
      ++run.count;
      return;
    }
    if (id + 1 == run.first) {
      --run.first;
      ++run.count;
      return;
    }
  }
  run_[runs_++] = {id, 1};
}

HeldAcks::Run HeldAcks::take() {
  if (runs_ == 0) return {};
  const Run oldest = run_[0];
  --runs_;
  ids_ -= oldest.count;
  std::copy(run_.begin() + 1, run_.begin() + 1 + runs_, run_.begin());
  return oldest;
}

bool AckBudget::afford(uint32_t bytes) {
  constexpr uint64_t kCost = uint64_t{kAckBytes} * kShare;
  saved_ = std::min<uint64_t>(saved_ + bytes, uint64_t{kMostBytes} * kShare);
  if (saved_ < kCost) return false;
  saved_ -= kCost;
  return true;
}

}  // namespace sluice::transport
