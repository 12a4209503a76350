// SPDX-License-Identifier: Apache-2.0
#include "transport/fair_policy.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::transport {

void FairPolicy::add(Grantable* message) {
  SLUICE_DCHECK(message->received <= message->granted);
  outstanding_ += message->granted - message->received;
  if (message->granted < message->goal()) turns_.push_back(*message);
}

void FairPolicy::on_progress(Grantable* message, const Arrival& arrival) {
  SLUICE_DCHECK(outstanding_ >= arrival.bytes);
  outstanding_ -= arrival.bytes;
  const bool waits = message->node.linked();
  if (!waits && message->granted < message->goal()) turns_.push_back(*message);
}

void FairPolicy::remove(Grantable* message) {
  outstanding_ -= message->granted - message->received;
  if (message->node.linked()) turns_.erase(*message);
}

size_t FairPolicy::decide(base::Nanos, std::span<GrantDecision> out) {
  size_t count = 0;
  while (count < out.size()) {
    Grantable* message = turns_.front();
    if (message == nullptr) break;
    const uint32_t offset = message->whole(message->granted + std::max(increment_, message->unit));
    const uint32_t step = offset - message->granted;
    if (outstanding_ + step > credit_) break;
    turns_.erase(*message);
    message->granted += step;  // PROTOCOL MUST-T4: a grant always adds something.
    outstanding_ += step;
    if (message->granted < message->goal()) turns_.push_back(*message);
    out[count++] = {message, message->granted, 0};
  }
  return count;
}

}  // namespace sluice::transport
