// SPDX-License-Identifier: Apache-2.0
#include "transport/events.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace sluice::transport {
namespace {

constexpr uint8_t bit(EventKind kind) {
  return static_cast<uint8_t>(1u << static_cast<uint8_t>(kind));
}

// The order in which several events of one exchange are told.
constexpr EventKind kOrder[] = {EventKind::kOffer,   EventKind::kRequest, EventKind::kOneWay,
                                EventKind::kLost,    EventKind::kStream,  EventKind::kCallDone,
                                EventKind::kSendDone};
static_assert(static_cast<uint8_t>(EventKind::kLost) < 8, "Exchange::events holds the others");

EventKind first_of(uint8_t events) {
  if ((events & (events - 1)) == 0) [[likely]]
    return static_cast<EventKind>(std::countr_zero(events));
  for (const EventKind kind : kOrder) {
    if ((events & bit(kind)) != 0) return kind;
  }
  SLUICE_CHECK(false);
}

}  // namespace

size_t Events::poll(std::span<Event> out) {
  size_t count = 0;
  while (count < out.size() && next_lane_event(&out[count])) ++count;
  while (count < out.size()) {
    const bool from_back = ctx_.config.shuffle_deliveries && ctx_.prng.uniform(2) == 1;
    Exchange* exchange = from_back ? ctx_.events.back() : ctx_.events.front();
    if (exchange == nullptr) break;
    next_of(*exchange, &out[count++]);
  }
  return count;
}

bool Events::next_lane_event(Event* out) {
  if (ctx_.lane_event_count == 0) return false;
  const LaneEvent& event = ctx_.lane_events[ctx_.lane_event_head];
  *out = Event{};
  out->kind = event.kind;
  out->code = event.code;
  out->lane = event.lane;
  ctx_.lane_event_head =
      (ctx_.lane_event_head + 1) % static_cast<uint32_t>(ctx_.lane_events.size());
  --ctx_.lane_event_count;
  if (event.kind == EventKind::kLaneDown) lifecycle_.recycle_lane(event.lane);
  return true;
}

void Events::next_of(Exchange& exchange, Event* out) {
  const EventKind kind = first_of(exchange.events);
  *out = Event{};
  out->kind = kind;
  out->one_way = exchange.one_way;
  out->service = exchange.service;
  out->exchange = ctx_.ref_of(exchange);
  out->lane = {exchange.lane->index, exchange.lane_generation};
  out->user = exchange.user;
  bool more = false;
  const Incoming& in = exchange.in;
  switch (kind) {
    case EventKind::kOffer:
      out->length = in.length;
      break;
    case EventKind::kRequest:
    case EventKind::kOneWay:
      out->data = in.window == 0 ? in.memory : nullptr;
      out->length = in.length;
      out->last = in.window == 0;
      break;
    case EventKind::kStream:
      more = fill_stream(exchange, out);
      break;
    case EventKind::kLost:
      out->code = exchange.code;
      break;
    default:
      out->code = exchange.code;
      out->may_have_executed = exchange.may_have_executed;
      if (exchange.code == base::Code::kOk && in.window == 0) {
        out->data = in.memory;
        out->length = in.length;
      }
  }
  if (!more) exchange.events = static_cast<uint8_t>(exchange.events & ~bit(kind));
  if (exchange.events == 0) ctx_.events.erase(exchange);
  if (kind == EventKind::kSendDone) lifecycle_.free(exchange);
}

// The next stretch of the verified prefix that lies in one piece of the ring; true when another
// follows it. An exchange that ended early tells so, once.
bool Events::fill_stream(Exchange& exchange, Event* out) {
  Reassembly* r = exchange.in.reassembly;
  if (r == nullptr) {
    out->code = exchange.code == base::Code::kOk ? base::Code::kAborted : exchange.code;
    out->last = true;
    return false;
  }
  const uint32_t verified = r->readable();
  const uint32_t at = r->delivered & (exchange.in.window - 1);
  const uint32_t length = std::min(verified - r->delivered, exchange.in.window - at);
  out->data = exchange.in.memory + at;
  out->offset = r->delivered;
  out->length = length;
  r->delivered += length;
  out->last = r->delivered == exchange.in.length;
  return r->delivered < verified;
}

}  // namespace sluice::transport
