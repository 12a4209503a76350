// SPDX-License-Identifier: Apache-2.0
//
// Holds back from one lcore's application what its peers may not send.
#ifndef SLUICE_ENGINE_GATE_H_
#define SLUICE_ENGINE_GATE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.h"
#include "crypto/policy.h"
#include "engine/limits.h"
#include "engine/stats.h"
#include "engine/uses.h"
#include "transport/commands.h"
#include "transport/endpoint.h"

namespace sluice::engine {

// Only nodes with a policy or an audit log have one. Everything but uses() is for the lcore.
class Gate {
 public:
  // `stats` is the lcore's and outlives the gate.
  Gate(uint32_t max_lanes, uint32_t max_buffered_message, LcoreStats* stats)
      : max_buffered_message_(max_buffered_message),
        stats_(stats),
        lanes_(max_lanes),
        uses_(limits::kMaxUses) {}

  // What a lane's peer may send from now on; null: everything. It outlives the lane, or the next
  // call for it.
  void set(transport::LaneRef lane, base::SessionId session, const crypto::Permissions* permitted);

  // Refuses what may not be: its sender is told (a one-way message that is whole has been taken
  // already, and is dropped), and the event becomes the end of a message that the application never
  // heard of. A message is judged when it begins. True when the control thread has something new in
  // uses().
  bool filter(transport::Endpoint& endpoint, base::Nanos now, std::span<transport::Event> events);

  // For the control thread: see there.
  Uses& uses() { return uses_; }

 private:
  struct Lane {
    uint32_t generation = 0;
    bool known = false;
    uint16_t kinds = 0;  // In uses(), on this lane's account.
    base::SessionId session;
    const crypto::Permissions* permitted = nullptr;
  };

  bool admit(const transport::Event& event, crypto::PolicyLayer layer);
  void count(Lane* lane, Use use);
  void refuse(transport::Endpoint& endpoint, base::Nanos now, transport::Event* event);

  uint32_t max_buffered_message_;
  LcoreStats* stats_;
  std::vector<Lane> lanes_;
  Uses uses_;
  bool fresh_ = false;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_GATE_H_
