// SPDX-License-Identifier: Apache-2.0
#include "transport/rack_recovery.h"

#include <algorithm>

namespace sluice::transport {

// Where a higher priority overtook, or the hole was asked for, it tells nothing of the paths.
void RackRecovery::learn(const Reassembly& message, base::Nanos now) {
  if (message.gap_first < std::max(message.class_begin, message.gap_known)) return;
  skew_ = std::max(base::elapsed(message.gap_since, now), skew_ - skew_ / kForget);
}

size_t RackRecovery::on_progress(Reassembly* message, const RttEstimator& rtt, uint32_t /*packet*/,
                                 base::Nanos now, std::span<ResendRange> out) {
  const auto& received = message->received;
  const base::Nanos answer = rtt.expected() * kAnswerRoundTrips;
  if (received.contiguous_end(0) < message->gap_asked &&
      base::elapsed(message->asked_at, now) >= std::min(answer, rtt.timeout(0))) {
    message->gap_asked = received.contiguous_end(0);
    message->gap_since = base::Nanos::max();
  }
  const uint32_t highest = received[received.size() - 1].end;
  const bool none_open =
      message->gap_asked >= highest || received.contiguous_end(message->gap_asked) >= highest;
  const uint32_t first =
      none_open ? highest : received.first_gap(message->gap_asked, highest).begin;
  if (message->gap_since != base::Nanos::max() && first > message->gap_first) {
    learn(*message, now);
    message->gap_since = base::Nanos::max();
  }
  if (none_open) return 0;
  if (message->gap_since == base::Nanos::max()) {
    message->gap_first = first;
    message->gap_since = now;
    // Later bytes may have been here for long; holes behind this one are younger than it.
    message->gap_end = highest;
  }
  const base::Nanos waited = base::elapsed(message->gap_since, now);
  const base::Nanos overtaken = first < message->class_begin ? rtt.timeout(0) : base::Nanos();
  const base::Nanos window =
      std::clamp(skew_ * 2, std::min(rtt.reordering(), rtt.timeout(0)), rtt.timeout(0));
  if (waited < std::max(window, overtaken)) return 0;
  const size_t count = collect_holes(*message, message->gap_asked, message->gap_end, out);
  note_asked(message, count == out.size() ? out[count - 1].end : message->gap_end, now);
  return count;
}

void RackRecovery::on_closed(Reassembly* message, base::Nanos now) {
  if (message->gap_since == base::Nanos::max()) return;
  learn(*message, now);
  message->gap_since = base::Nanos::max();
}

size_t RackRecovery::on_timeout(Reassembly* message, base::Nanos now, std::span<ResendRange> out) {
  return ask_for_all(message, now, out);
}

}  // namespace sluice::transport
