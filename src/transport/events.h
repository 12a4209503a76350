// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_EVENTS_H_
#define SLUICE_TRANSPORT_EVENTS_H_

#include <cstdint>
#include <span>

#include "transport/commands.h"
#include "transport/context.h"
#include "transport/lifecycle.h"

namespace sluice::transport {

// Hands the application what has happened, in the order in which it happened (shuffled over
// exchanges in the debug mode). Each exchange waits in the queue at most once, so the queue is
// as bounded as the exchanges are and nothing can be lost.
class Events {
 public:
  Events(Context* context, Lifecycle* lifecycle) : ctx_(*context), lifecycle_(*lifecycle) {}

  bool waiting() const { return ctx_.lane_event_count > 0 || !ctx_.events.empty(); }
  size_t poll(std::span<Event> out);

 private:
  bool next_lane_event(Event* out);
  void next_of(Exchange& exchange, Event* out);
  bool fill_stream(Exchange& exchange, Event* out);

  Context& ctx_;
  Lifecycle& lifecycle_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_EVENTS_H_
