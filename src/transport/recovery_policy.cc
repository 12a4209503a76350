// SPDX-License-Identifier: Apache-2.0
#include "transport/recovery_policy.h"

#include <algorithm>

#include "transport/rack_recovery.h"

namespace sluice::transport {

std::unique_ptr<RecoveryPolicy> make_recovery_policy(const EndpointConfig& config) {
  switch (config.recovery) {
    case RecoveryKind::kGap:
      break;
    case RecoveryKind::kRack:
      return std::make_unique<RackRecovery>();
  }
  return std::make_unique<GapRecovery>();
}

size_t collect_holes(const Reassembly& message, uint32_t from, uint32_t to,
                     std::span<ResendRange> out) {
  size_t count = 0;
  while (from < to && count < out.size()) {
    const auto gap = message.received.first_gap(from, to);
    if (gap.begin >= gap.end) break;
    out[count++] = {gap.begin, gap.end};
    from = gap.end;
  }
  return count;
}

size_t ask_for_all(Reassembly* message, base::Nanos now, std::span<ResendRange> out) {
  const size_t count = collect_holes(*message, 0, message->grant.granted, out);
  if (count != 0) {
    note_asked(message, count == out.size() ? out[count - 1].end : message->grant.granted, now);
  }
  message->gap_since = base::Nanos::max();
  return count;
}

void note_asked(Reassembly* message, uint32_t to, base::Nanos now) {
  message->gap_asked = to;
  message->gap_known = std::max(message->gap_known, to);
  message->asked_at = now;
  message->gap_since = base::Nanos::max();
}

size_t GapRecovery::on_progress(Reassembly* message, const RttEstimator& rtt, uint32_t packet,
                                base::Nanos now, std::span<ResendRange> out) {
  const auto& received = message->received;
  const uint32_t highest = received[received.size() - 1].end;
  if (message->gap_asked >= highest || received.contiguous_end(message->gap_asked) >= highest) {
    message->gap_since = base::Nanos::max();
    return 0;
  }
  const uint32_t first = received.first_gap(message->gap_asked, highest).begin;
  if (message->gap_since == base::Nanos::max() || first != message->gap_first) {
    message->gap_first = first;
    message->gap_since = now;
  }
  const base::Nanos waited = base::elapsed(message->gap_since, now);
  // Bytes allowed at an earlier priority may have been overtaken by those of later ones.
  if (first < message->class_begin && waited < rtt.timeout(0)) return 0;
  uint32_t to;
  if (waited >= rtt.reordering()) {
    to = highest;
  } else {
    const uint32_t margin = kReorderPackets * packet;
    to = highest > margin ? highest - margin : 0;
  }
  if (to <= message->gap_asked) return 0;
  const size_t count = collect_holes(*message, message->gap_asked, to, out);
  const uint32_t asked = count == out.size() ? out[count - 1].end : to;
  if (count != 0) {
    note_asked(message, asked, now);
  } else {
    message->gap_asked = asked;
  }
  return count;
}

size_t GapRecovery::on_timeout(Reassembly* message, base::Nanos now, std::span<ResendRange> out) {
  return ask_for_all(message, now, out);
}

}  // namespace sluice::transport
