// SPDX-License-Identifier: Apache-2.0
#include "transport/id_window.h"

#include <algorithm>

namespace sluice::transport {

void IdBits::clear_all() {
  if (words_ != nobodys()) std::fill_n(words_, size() / 64, 0);
}

void OwnIds::reset() {
  next_ = 1;
  floor_ = 1;
  released_above_ = 0;
  done_.clear_all();
  told_.clear_all();
}

void OwnIds::release(uint64_t id) {
  SLUICE_CHECK(id >= floor_ && id < next_);
  // In their order: none above is released, and no bit has to be looked at.
  if (id == floor_ && released_above_ == 0) [[likely]] {
    ++floor_;
    return;
  }
  SLUICE_CHECK(!done_.test(id));
  done_.set(id);
  ++released_above_;
  while (floor_ < next_ && done_.test(floor_)) {
    done_.clear(floor_);
    told_.clear(floor_);
    ++floor_;
    --released_above_;
  }
}

OwnIds::Run OwnIds::next_untold(uint64_t from) {
  Run run;
  if (released_above_ == 0) return run;
  uint64_t id = std::max(from, floor_);
  // Word by word: thousands may be under way, and this happens every release_delay. No bit is set
  // of an id that is not given out.
  for (; id < next_; id = (id | 63) + 1) {
    const uint64_t news = (done_.word_at(id) & ~told_.word_at(id)) >> (id & 63);
    if (news == 0) continue;
    id += static_cast<uint64_t>(std::countr_zero(news));
    break;
  }
  run.first = id;
  while (id < next_ && done_.test(id) && !told_.test(id)) {
    told_.set(id);
    ++run.count;
    ++id;
  }
  return run;
}

void PeerIds::reset() {
  floor_ = 1;
  highest_ = 0;
  any_released_ = false;
  seen_.clear_all();
  released_.clear_all();
}

void PeerIds::commit(uint64_t id) {
  SLUICE_CHECK(classify(id) == Class::kNew);
  seen_.set(id);
  highest_ = std::max(highest_, id);
}

}  // namespace sluice::transport
