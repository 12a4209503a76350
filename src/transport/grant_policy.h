// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_GRANT_POLICY_H_
#define SLUICE_TRANSPORT_GRANT_POLICY_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

#include "base/intrusive_list.h"
#include "base/types.h"
#include "transport/config.h"

namespace sluice::transport {

// A message being received, as a grant policy sees it. The fields of the first group belong to the
// endpoint and are up to date before every call; those of the second belong to the policy.
struct Grantable {
  uint32_t length = 0;
  uint32_t received = 0;  // Bytes, wherever they lie in the message.
  uint32_t limit = 0;     // Never grant beyond: what landing memory backs.
  uint32_t sender = 0;    // The place of the lane it comes by, below EndpointConfig::busy_lanes().
  uint64_t lane = 0;      // And that lane: others may have had the place before.
  uint32_t unit = 1;      // Bytes of a full packet: a sender keeps back what does not fill one.
  base::Nanos birth{};

  uint32_t granted = 0;  // The sender may send bytes below this.
  bool active = false;
  bool blocked = false;
  uint8_t bucket = 0;
  base::ListNode node;
  base::ListNode age_node;

  uint32_t remaining() const { return length - received; }
  // What may be granted in the end, as landing memory is now.
  uint32_t goal() const { return std::min(length, limit); }
  // The furthest offset up to `offset` that leaves its sender nothing to keep back.
  uint32_t whole(uint64_t offset) const {
    const uint32_t end = goal();
    return offset >= end ? end : static_cast<uint32_t>(offset - offset % unit);
  }
};

// What arrived of a message in one burst, and how many of these bytes were marked.
struct Arrival {
  uint32_t bytes = 0;
  uint32_t congested = 0;  // By their sender: it holds more credit than it can use.
  uint32_t marked = 0;     // By the network: ECN's congestion experienced.
  uint32_t outranked = 0;  // By their sender: the message has had to wait for others there.
};

// One grant to be sent: the new cumulative offset, and the priority of the bytes it allows.
struct GrantDecision {
  Grantable* message = nullptr;
  uint32_t offset = 0;
  uint8_t priority = 0;
};

// Who may send, and how much: the receiver's side of scheduling. Called once per burst, never per
// packet; deterministic; allocates nothing after construction. Grants are cumulative offsets, so
// a lost one leaks nothing, and a decision never repeats the offset already granted.
class GrantPolicy {
 public:
  // Priorities of scheduled bytes, 0 to 3, until set_levels() (HomaModule's max_sched_prio is 3).
  static constexpr uint32_t kDefaultLevels = 4;

  virtual ~GrantPolicy() = default;

  // A message of several packets has begun; `granted` is what its sender may send unasked.
  virtual void add(Grantable* message) = 0;
  // Bytes of it arrived since the last call, or its limit rose (no bytes then).
  virtual void on_progress(Grantable* message, const Arrival& arrival) = 0;
  // It is complete or gone.
  virtual void remove(Grantable* message) = 0;
  // Writes the grants that are due and returns how many; called again while it fills `out`.
  virtual size_t decide(base::Nanos now, std::span<GrantDecision> out) = 0;
  // How many priorities, from 0 on, scheduled bytes may use from now on: at least one.
  virtual void set_levels(uint8_t /*levels*/) {}
  // Credit for a response that a request will ask for: at most `wanted` bytes, at least `least`,
  // one packet. It is outstanding until unsolicit() is called with the same figure.
  virtual uint32_t solicit(uint32_t wanted, uint32_t /*least*/) { return wanted; }
  virtual void unsolicit(uint32_t /*bytes*/) {}
  // Bytes granted (or unscheduled) and not yet received, over all messages.
  virtual uint64_t outstanding() const = 0;
};

// The policy named by config.grant_policy.
std::unique_ptr<GrantPolicy> make_grant_policy(const EndpointConfig& config);

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_GRANT_POLICY_H_
