// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_HOMA_POLICY_H_
#define SLUICE_TRANSPORT_HOMA_POLICY_H_

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "transport/grant_policy.h"
#include "transport/size_buckets.h"

namespace sluice::transport {

// Homa's receiver (SIGCOMM 2018 §3.3-3.5; the dynamic window of HomaModule 2026): the `overcommit`
// messages with the fewest bytes left may send at a time, each up to max_incoming / (active + 1)
// bytes ahead of what has arrived, all together at most max_incoming. The one with the fewest
// bytes left gets the highest of the scheduled priorities in use, and as few of them are used as
// there are active messages, so that a new short one can pass.
class HomaPolicy final : public GrantPolicy {
 public:
  explicit HomaPolicy(const EndpointConfig& config);

  void add(Grantable* message) override;
  void on_progress(Grantable* message, const Arrival& arrival) override;
  void remove(Grantable* message) override;
  size_t decide(base::Nanos now, std::span<GrantDecision> out) override;
  uint64_t outstanding() const override { return outstanding_; }

  void set_levels(uint8_t levels) override { levels_ = levels; }

 private:
  void activate(Grantable* message);
  void deactivate(Grantable* message);
  void refill();
  void sort_active();
  // How far this message may be granted now, by window and landing memory.
  static uint32_t wanted(const Grantable& message, uint64_t window);
  // There is something to grant, and landing memory behind it.
  static bool can_grant(const Grantable& message) {
    return message.granted < std::min(message.length, message.limit);
  }

  const uint32_t max_incoming_;
  const uint32_t increment_;
  const uint32_t overcommit_;
  uint64_t outstanding_ = 0;
  uint32_t active_count_ = 0;
  uint32_t levels_ = kDefaultLevels;  // Of scheduled bytes.
  bool dirty_ = false;                // Something changed since the last decide().
  std::array<Grantable*, base::limits::kMaxOvercommit>
      active_{};  // By bytes remaining, after sort.
  SizeBuckets<Grantable, &Grantable::node, &Grantable::bucket> waiting_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_HOMA_POLICY_H_
