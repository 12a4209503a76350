// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_FAIR_POLICY_H_
#define SLUICE_TRANSPORT_FAIR_POLICY_H_

#include <cstdint>
#include <span>

#include "base/intrusive_list.h"
#include "transport/config.h"
#include "transport/grant_policy.h"

namespace sluice::transport {

// Everybody in turn: each message that waits gets one increment after another, whatever its size,
// while all that is under way stays within credit_bytes. The receiver's side of RCCC (Ultra
// Ethernet 1.0) without its pacer, for comparison: fair, and so slow for what is short.
class FairPolicy final : public GrantPolicy {
 public:
  // Takes credit_bytes and grant_increment.
  explicit FairPolicy(const EndpointConfig& config)
      : credit_(config.credit_bytes), increment_(config.grant_increment) {}

  void add(Grantable* message) override;
  void on_progress(Grantable* message, const Arrival& arrival) override;
  void remove(Grantable* message) override;
  size_t decide(base::Nanos now, std::span<GrantDecision> out) override;
  uint64_t outstanding() const override { return outstanding_; }

 private:
  const uint64_t credit_;
  const uint32_t increment_;
  uint64_t outstanding_ = 0;
  base::IntrusiveList<Grantable, &Grantable::node> turns_;  // The next one first.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_FAIR_POLICY_H_
