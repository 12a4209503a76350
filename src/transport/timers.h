// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_TIMERS_H_
#define SLUICE_TRANSPORT_TIMERS_H_

#include "transport/context.h"
#include "transport/control.h"
#include "transport/inbound.h"
#include "transport/lifecycle.h"
#include "transport/sender.h"

namespace sluice::transport {

// What time alone brings about: retransmission, deadlines, floors, round-trip and path probes,
// and the end of silent peers. Timers are lazy: progress only notes the time, and a timer that
// fires too early for it arms itself again, so that a packet costs no timer operation.
class Timers {
 public:
  // A message that keeps to a path leaves it after so many time-outs in a row.
  static constexpr uint32_t kTimeoutsPerPath = 2;

  Timers(Context* context, Lifecycle* lifecycle, Sender* sender, Inbound* inbound, Control* control)
      : ctx_(*context),
        lifecycle_(*lifecycle),
        sender_(*sender),
        inbound_(*inbound),
        control_(*control) {}

  // Fires what is due at `now` and returns how many there were. A call that comes far later than
  // it was asked for shows that this endpoint was not driven meanwhile (its thread had no CPU,
  // say): that time is not held against its peers.
  size_t advance(base::Nanos now);

 private:
  static constexpr uint64_t kLivelyFactor = 4;

  void fire(base::TimerNode& node, base::Nanos now);
  void excuse(base::Nanos late, base::Nanos now);
  base::Nanos patience(const Exchange& exchange, base::Nanos now) const;
  void on_exchange(Exchange& exchange, base::Nanos now);
  void on_lane(Lane& lane, base::Nanos now);
  void leave_path(Exchange& exchange);
  void retransmit(Exchange& exchange, base::Nanos now);
  static const Exchange* one_waiting(Lane::Exchanges& list);
  void ask_release(Lane& lane, base::Nanos now);
  base::Nanos next_ping(const Lane& lane, bool busy) const;
  void measure(Lane& lane, bool busy, base::Nanos now);
  // Nothing of it is on its way, by this side's own decision.
  static bool held_back(const Exchange& exchange);
  bool lost(Lane& lane, base::Nanos silent_since, base::Nanos now);
  void arm_lane(Lane& lane, bool busy, base::Nanos now);

  Context& ctx_;
  Lifecycle& lifecycle_;
  Sender& sender_;
  Inbound& inbound_;
  Control& control_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_TIMERS_H_
