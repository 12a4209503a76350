// SPDX-License-Identifier: Apache-2.0
#include "engine/uses.h"

#include <bit>

#include "base/check.h"

namespace sluice::engine {

Uses::Uses(size_t capacity) : entries_(std::make_unique<Entry[]>(capacity)), mask_(capacity - 1) {
  SLUICE_CHECK(std::has_single_bit(capacity) && capacity >= kReach);
}

// Peers choose services, and this side sessions; who fills one reach has spent its own uses on it.
size_t Uses::first_place(const Use& use) const {
  const uint64_t key = uint64_t{use.session.value()} << 18 | uint64_t{use.service} << 2 |
                       static_cast<uint64_t>(use.layer) << 1 | (use.allowed ? 1 : 0);
  return static_cast<size_t>(key * 0x9e3779b97f4a7c15u >> 32) & mask_;
}

Uses::Count Uses::count(const Use& use, bool may_add) {
  Entry* free = nullptr;
  const size_t first = first_place(use);
  for (size_t i = 0; i < kReach; ++i) {
    Entry& entry = entries_[(first + i) & mask_];
    if (!entry.live.load(std::memory_order_acquire)) {
      if (free == nullptr) free = &entry;
    } else if (entry.use == use) {
      entry.messages.store(entry.messages.load(std::memory_order_relaxed) + 1,
                           std::memory_order_relaxed);
      return Count::kAgain;
    }
  }
  if (free == nullptr || !may_add) return Count::kFull;
  free->use = use;
  free->messages.store(1, std::memory_order_relaxed);
  free->live.store(true, std::memory_order_release);
  added_.store(added_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  return Count::kFirst;
}

bool Uses::any_fresh() { return added_.load(std::memory_order_acquire) != visited_; }

void Uses::fresh(const std::function<void(const Use&)>& visit) {
  visited_ = added_.load(std::memory_order_acquire);
  for (size_t i = 0; i <= mask_; ++i) {
    Entry& entry = entries_[i];
    if (!entry.live.load(std::memory_order_acquire) || entry.seen) continue;
    entry.seen = true;
    visit(entry.use);
  }
}

void Uses::end(base::SessionId session, const std::function<void(const Use&, uint64_t)>& visit) {
  for (size_t i = 0; i <= mask_; ++i) {
    Entry& entry = entries_[i];
    if (!entry.live.load(std::memory_order_acquire) || entry.use.session != session) continue;
    visit(entry.use, entry.messages.load(std::memory_order_relaxed));
    entry.seen = false;
    entry.live.store(false, std::memory_order_release);
  }
}

}  // namespace sluice::engine
