// SPDX-License-Identifier: Apache-2.0
#include "engine/gate.h"

#include <utility>

namespace sluice::engine {

using transport::Event;
using transport::EventKind;

void Gate::set(transport::LaneRef lane, base::SessionId session,
               const crypto::Permissions* permitted) {
  if (lane.index >= lanes_.size()) return;
  Lane& entry = lanes_[lane.index];
  if (!entry.known || entry.generation != lane.generation) entry = Lane();
  entry.generation = lane.generation;
  entry.known = true;
  entry.session = session;
  entry.permitted = permitted;
}

bool Gate::filter(transport::Endpoint& endpoint, base::Nanos now, std::span<Event> events) {
  for (Event& event : events) {
    bool good = true;
    switch (event.kind) {
      case EventKind::kRequest:
        good = admit(event, crypto::PolicyLayer::kRpc);
        break;
      case EventKind::kOneWay:
        good = admit(event, crypto::PolicyLayer::kOneWay);
        break;
      case EventKind::kOffer:
        good =
            admit(event, event.one_way ? crypto::PolicyLayer::kOneWay : crypto::PolicyLayer::kRpc);
        break;
      case EventKind::kLaneDown:
        if (event.lane.index < lanes_.size()) lanes_[event.lane.index] = Lane();
        break;
      case EventKind::kCallDone:
      case EventKind::kSendDone:
      case EventKind::kStream:
      case EventKind::kLost:
      case EventKind::kLaneUp:
        break;
    }
    if (!good) [[unlikely]]
      refuse(endpoint, now, &event);
  }
  return std::exchange(fresh_, false);
}

// PROTOCOL MUST-P3
bool Gate::admit(const Event& event, crypto::PolicyLayer layer) {
  // So large a message has been offered before it came, and was judged then.
  const bool offered = event.kind != EventKind::kOffer && event.data != nullptr &&
                       event.length > max_buffered_message_;
  if (offered) return true;
  if (event.lane.index >= lanes_.size()) return false;
  Lane& lane = lanes_[event.lane.index];
  if (!lane.known || lane.generation != event.lane.generation) return false;
  const bool allowed = lane.permitted == nullptr || lane.permitted->allows(event.service, layer);
  count(&lane, {lane.session, event.service, layer, allowed});
  return allowed;
}

void Gate::count(Lane* lane, Use use) {
  Uses::Count counted = uses_.count(use, lane->kinds < limits::kMaxUsesOfLane);
  if (counted == Uses::Count::kFull) {
    use.service = 0;
    use.others = true;
    counted = uses_.count(use);
  }
  if (counted == Uses::Count::kFull) stats_->limit_uses.add();
  if (counted != Uses::Count::kFirst) return;
  ++lane->kinds;
  fresh_ = true;
}

void Gate::refuse(transport::Endpoint& endpoint, base::Nanos now, Event* event) {
  stats_->denied.add();
  if (event->kind == EventKind::kOneWay && event->data != nullptr) {
    endpoint.submit(transport::ReleaseMessage{.exchange = event->exchange}, now);
  } else {
    endpoint.submit(
        transport::Reject{.exchange = event->exchange, .code = base::Code::kPermissionDenied}, now);
  }
  event->kind = EventKind::kLost;
  event->code = base::Code::kPermissionDenied;
  event->data = nullptr;
  event->length = 0;
}

}  // namespace sluice::engine
