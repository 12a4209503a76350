// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_LIFECYCLE_H_
#define SLUICE_TRANSPORT_LIFECYCLE_H_

#include "transport/context.h"
#include "transport/grant_policy.h"

namespace sluice::transport {

class Sender;

// Births and deaths: exchanges and lanes come into being, complete and are freed here and nowhere
// else, so that each completes exactly once and gives back exactly what it took.
class Lifecycle {
 public:
  Lifecycle(Context* context, GrantPolicy* policy) : ctx_(*context), policy_(*policy) {}
  void set_sender(Sender* sender) { sender_ = sender; }

  // A fresh exchange of the slab, with nothing linked; nullptr when the table is full.
  Exchange* allocate(Lane& lane, bool caller);
  // Makes the lane know it, and find_exchange().
  void enlist(Exchange& exchange, uint64_t id);
  // Gives a provisional exchange back that was never enlisted.
  void discard(Exchange& exchange);

  // The caller's exchange ends: raises its one completion, releases its id.
  void complete(Exchange& exchange, base::Code code);
  // The callee's exchange is released by its caller, or its lane ended; `why` is what an
  // application hears that was promised the rest of the message.
  void release_callee(Exchange& exchange, base::Code why = base::Code::kAborted);
  // The application gave the callee's request memory back.
  void release_request(Exchange& exchange);
  // The callee's message will not be executed: its caller is told, whenever it asks.
  void refuse(Exchange& exchange, base::Code why);
  // Nothing refers to it any more.
  void free(Exchange& exchange);

  // Gives a new call its response credit, and takes what the policy counts of it back.
  void solicit(Exchange& exchange) {
    const uint32_t packet = exchange.lane->record_bytes();
    exchange.response_credit = packet;
    if (exchange.lane->expected_response > packet) solicit_long(exchange, packet);
  }
  void settle_credit(Exchange& exchange) {
    if (exchange.solicited == 0) return;
    policy_.unsolicit(exchange.solicited);
    exchange.solicited = 0;
  }

  // The grant policy forgets the message: it is complete, or gone.
  void leave_policy(Reassembly& reassembly);
  // Stops receiving: the message leaves the grant policy and gives its reassembly back.
  void end_reassembly(Exchange& exchange);
  // Gives landing memory back to the arena, if it came from there.
  void drop_landing(Incoming& in);

  base::Code open_lane(const InstallLane& command, base::Nanos now, LaneRef* ref);
  // Ends every exchange of the lane with `code`, wipes its keys and raises kLaneDown.
  void close_lane(Lane& lane, base::Code code);
  // The application has read the lane's last event: the place may be used again.
  void recycle_lane(LaneRef ref);

 private:
  // What a response longer than a packet brings of itself where there is no credit: enough to ask.
  static constexpr uint32_t kLeastSolicited = 256;

  void solicit_long(Exchange& exchange, uint32_t packet);
  void complete_all(Lane& lane, base::Code code);
  // Both directions' keys; where it is told so (Lane::records), those that seal go to a port too.
  bool install_keys(const InstallLane& command, Lane* lane);
  bool may_use_esp(const InstallLane& command);
  void begin_esp(const InstallLane& command, Lane* lane);
  uint32_t most_packet(const InstallLane& command) const;

  Context& ctx_;
  GrantPolicy& policy_;
  Sender* sender_ = nullptr;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_LIFECYCLE_H_
