// SPDX-License-Identifier: Apache-2.0
#include "transport/homa_policy.h"

#include <algorithm>

#include "base/check.h"
#include "transport/credit_policy.h"
#include "transport/fair_policy.h"

namespace sluice::transport {

HomaPolicy::HomaPolicy(const EndpointConfig& config)
    : max_incoming_(config.max_incoming_bytes),
      increment_(config.grant_increment),
      overcommit_(std::clamp<uint32_t>(config.overcommit, 1, base::limits::kMaxOvercommit)) {}

void HomaPolicy::add(Grantable* message) {
  SLUICE_DCHECK(message->received <= message->granted);
  outstanding_ += message->granted - message->received;
  if (!can_grant(*message)) return;
  waiting_.insert(*message, message->remaining());
  dirty_ = true;
}

void HomaPolicy::on_progress(Grantable* message, const Arrival& arrival) {
  SLUICE_DCHECK(outstanding_ >= arrival.bytes);
  outstanding_ -= arrival.bytes;
  dirty_ = true;
  if (waiting_.contains(*message)) {
    waiting_.update(*message, message->remaining());
  } else if (!message->active && can_grant(*message)) {
    waiting_.insert(*message, message->remaining());  // Its limit rose.
  }
}

void HomaPolicy::remove(Grantable* message) {
  outstanding_ -= message->granted - message->received;
  dirty_ = true;
  if (message->active) {
    deactivate(message);
  } else if (waiting_.contains(*message)) {
    waiting_.erase(*message);
  }
}

void HomaPolicy::activate(Grantable* message) {
  message->active = true;
  active_[active_count_++] = message;
}

void HomaPolicy::deactivate(Grantable* message) {
  message->active = false;
  for (uint32_t i = 0; i < active_count_; ++i) {
    if (active_[i] != message) continue;
    active_[i] = active_[--active_count_];
    return;
  }
  SLUICE_CHECK(false);
}

// What cannot be granted, as its application does not consume, keeps no place from the others
// (PROTOCOL MUST-T6). Free places go to the shortest waiting messages; then a shorter waiting one
// takes the place of the longest active one.
void HomaPolicy::refill() {
  for (uint32_t i = active_count_; i-- > 0;) {
    if (!can_grant(*active_[i])) deactivate(active_[i]);
  }
  while (Grantable* candidate = waiting_.front()) {
    if (active_count_ == overcommit_) {
      Grantable* worst = *std::max_element(
          active_.begin(), active_.begin() + active_count_,
          [](Grantable* a, Grantable* b) { return a->remaining() < b->remaining(); });
      if (candidate->remaining() >= worst->remaining()) return;
      deactivate(worst);
      waiting_.insert(*worst, worst->remaining());
    }
    waiting_.erase(*candidate);
    activate(candidate);
  }
}

void HomaPolicy::sort_active() {
  std::sort(active_.begin(), active_.begin() + active_count_, [](Grantable* a, Grantable* b) {
    return a->remaining() != b->remaining() ? a->remaining() < b->remaining() : a->birth < b->birth;
  });
}

uint32_t HomaPolicy::wanted(const Grantable& message, uint64_t window) {  // PROTOCOL MUST-T5
  const uint64_t ahead = message.received + window;
  return static_cast<uint32_t>(std::min<uint64_t>({ahead, message.length, message.limit}));
}

size_t HomaPolicy::decide(base::Nanos, std::span<GrantDecision> out) {
  if (!dirty_) return 0;
  dirty_ = false;
  refill();
  if (active_count_ == 0) return 0;
  sort_active();
  const uint64_t window = std::max<uint64_t>(max_incoming_ / (active_count_ + 1), increment_);
  size_t count = 0;
  for (uint32_t rank = 0; rank < active_count_ && count < out.size(); ++rank) {
    Grantable& message = *active_[rank];
    const uint32_t want = wanted(message, std::max<uint64_t>(window, message.unit));
    if (want <= message.granted) continue;  // PROTOCOL MUST-T4: a grant always adds something.
    // Coalesced: small steps wait, unless they are the last or landing memory allows no more.
    const bool final_step = want == message.goal();
    if (want - message.granted < increment_ && !final_step) continue;
    // Whole packets only: its sender would keep back the rest, and the credit would be stuck.
    const uint64_t room = max_incoming_ > outstanding_ ? max_incoming_ - outstanding_ : 0;
    const uint64_t most = std::min<uint64_t>(want - message.granted, room);
    const uint32_t offset = message.whole(message.granted + most);
    if (offset <= message.granted) continue;
    const uint32_t step = offset - message.granted;
    if (step + message.unit <= increment_ && offset != want) continue;
    message.granted += step;
    outstanding_ += step;
    const uint32_t levels = std::min(active_count_, levels_);
    const uint32_t level = rank < levels ? levels - 1 - rank : 0;
    out[count++] = {&message, message.granted, static_cast<uint8_t>(level)};
  }
  dirty_ = count == out.size();
  return count;
}

std::unique_ptr<GrantPolicy> make_grant_policy(const EndpointConfig& config) {
  switch (config.grant_policy) {
    case GrantPolicyKind::kHoma:
      break;
    case GrantPolicyKind::kSird:
    case GrantPolicyKind::kHybrid:
      return std::make_unique<CreditPolicy>(config);
    case GrantPolicyKind::kFair:
      return std::make_unique<FairPolicy>(config);
  }
  return std::make_unique<HomaPolicy>(config);
}

}  // namespace sluice::transport
