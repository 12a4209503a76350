// SPDX-License-Identifier: Apache-2.0
//
// What EndpointCore makes of the transport's events.
#include <utility>

#include "api/endpoint_core.h"

namespace sluice::internal {
namespace {

using transport::Event;
using transport::EventKind;

constexpr uint32_t kSessionSlotMask = 0xFFFF;

}  // namespace

void EndpointCore::on_lane(engine::LcoreContext& context, const engine::LaneInfo& lane,
                           const transport::PeerAddress& /*peer*/, bool /*initiator*/) {
  now_ = context.now;
  const uint32_t id = lane.session.value();
  const uint32_t slot = id & kSessionSlotMask;
  if (slot >= sessions_.size() || lane.ref.index >= lanes_.size()) return;
  SessionEntry& entry = sessions_[slot];
  if (entry.id != id) {
    entry = SessionEntry();
    entry.id = id;
  }
  if (entry.count == kMaxLanesPerSession) return;
  entry.numbers[entry.count] = lane.lane;
  entry.lanes[entry.count] = lane.ref;
  ++entry.count;
  lanes_[lane.ref.index] = {lane.ref.generation, id};
}

void EndpointCore::on_events(engine::LcoreContext& context, std::span<const Event> events) {
  now_ = context.now;
  for (size_t i = 0; i < events.size(); ++i) {
    if (i + 1 < events.size() && events[i + 1].user != 0) {
      __builtin_prefetch(reinterpret_cast<const void*>(events[i + 1].user));
    }
    dispatch(events[i]);
  }
  more_events_ = events.size() >= kEventBatch;
}

void EndpointCore::dispatch(const Event& event) {
  switch (event.kind) {
    case EventKind::kRequest:
      return on_request(event);
    case EventKind::kOneWay:
      return on_one_way(event);
    case EventKind::kCallDone:
      return on_call_done(event);
    case EventKind::kSendDone:
      return on_send_done(event);
    case EventKind::kOffer:
      return on_offer(event);
    case EventKind::kStream:
      return on_stream(event);
    case EventKind::kLost:
      return on_lost(event);
    case EventKind::kLaneUp:
      return on_lane_up(event);
    case EventKind::kLaneDown:
      return on_lane_down(event);
  }
}

Session EndpointCore::session_of(transport::LaneRef lane) const {
  if (lane.index >= lanes_.size() || lanes_[lane.index].generation != lane.generation) return {};
  return {lanes_[lane.index].session, config_.node};
}

void EndpointCore::on_request(const Event& event) {
  if (event.data == nullptr) {
    start_incoming(event);
    return;
  }
  Request request(public_, session_of(event.lane));
  fill_reply(&request.reply_, event);
  if (incoming_active_ != 0) request.context_ = take_context(event.exchange);
  if (draining_) [[unlikely]] {
    stats_.draining.add();
    request.reject(StatusCode::kUnavailable);
    return;
  }
  Handler* handler = handler_for(event.service);
  if (handler == nullptr) [[unlikely]] {
    stats_.no_handler.add();
    request.reject(StatusCode::kNotFound);
    return;
  }
  handler->on_request(request);
}

void EndpointCore::on_one_way(const Event& event) {
  if (event.data == nullptr) {
    start_incoming(event);
    return;
  }
  OneWay one_way{public_, session_of(event.lane), event.service,
                 Message(event.data, event.length, &release_message, this,
                         uint64_t{event.exchange.index} << 32 | event.exchange.generation)};
  if (incoming_active_ != 0) one_way.context = take_context(event.exchange);
  Handler* handler = handler_for(event.service);
  if (handler == nullptr) {
    stats_.no_handler.add();
    return;
  }
  handler->on_one_way(one_way);
}

// The slot is free before the completion runs, so that it may start the next call with it.
void EndpointCore::complete(Slot* slot, CallResult* result) {
  const CallFn done = slot->done;
  void* const context = slot->context;
  const Buffer buffer = std::move(slot->buffer);
  const bool timed = slot->kind == SlotKind::kCall && result->code == StatusCode::kOk;
  if (latency_ != nullptr && timed) latency_->record(base::elapsed(slot->started, now_).value());
  free_slot(slot);
  if (done != nullptr) done(context, *result);
}

void EndpointCore::on_call_done(const Event& event) {
  CallResult result;
  result.code = to_public(event.code);
  result.may_have_executed = event.may_have_executed;
  result.response = Message(event.data, event.data == nullptr ? 0 : event.length, &release_message,
                            this, uint64_t{event.exchange.index} << 32 | event.exchange.generation);
  if (event.user == 0) return;
  complete(reinterpret_cast<Slot*>(event.user), &result);
}

void EndpointCore::on_send_done(const Event& event) {
  if (event.user == 0) return;
  CallResult result;
  result.code = to_public(event.code);
  result.may_have_executed = event.may_have_executed;
  complete(reinterpret_cast<Slot*>(event.user), &result);
}

// What the engine's last events did not complete ends here: the lcore stops.
void EndpointCore::fail_pending_calls() {
  for (uint32_t i = 0; i < slots_.capacity(); ++i) {
    if (!slots_.is_live(i)) continue;
    CallResult result;
    result.code = StatusCode::kClosed;
    result.may_have_executed = true;
    complete(&slots_.at(i), &result);
  }
}

EndpointCore::IncomingEntry* EndpointCore::find_incoming(transport::ExchangeRef exchange) {
  if (exchange.index >= incoming_.size()) return nullptr;
  IncomingEntry& entry = incoming_[exchange.index];
  return entry.active && entry.generation == exchange.generation ? &entry : nullptr;
}

EndpointCore::IncomingEntry* EndpointCore::start_incoming(const Event& event) {
  if (event.exchange.index >= incoming_.size()) return nullptr;
  IncomingEntry& entry = incoming_[event.exchange.index];
  // The exchange's place was used again without a word about the message before.
  if (entry.active) lose_incoming(&entry, event.exchange.index, StatusCode::kAborted);
  entry = IncomingEntry();
  entry.active = true;
  entry.one_way = event.one_way;
  entry.service = event.service;
  entry.generation = event.exchange.generation;
  entry.lane = event.lane;
  ++incoming_active_;
  return &entry;
}

void EndpointCore::end_incoming(IncomingEntry* entry) {
  entry->active = false;
  --incoming_active_;
}

void EndpointCore::lose_incoming(IncomingEntry* entry, uint32_t index, StatusCode code) {
  const transport::ExchangeRef exchange{index, entry->generation};
  end_incoming(entry);
  stats_.lost.add();
  if (Handler* handler = handler_for(entry->service)) {
    handler->on_lost(public_, entry->service, entry->context, code);
  }
  release_exchange(exchange);
}

// What the engine's last events did not end is lost with the lcore: nothing drives the transport
// any more, so nothing touches the memory.
void EndpointCore::lose_all_incoming() {
  for (uint32_t i = 0; incoming_active_ != 0 && i < incoming_.size(); ++i) {
    if (incoming_[i].active) lose_incoming(&incoming_[i], i, StatusCode::kClosed);
  }
}

// A message whose landing was named has arrived whole.
void* EndpointCore::take_context(transport::ExchangeRef exchange) {
  IncomingEntry* entry = find_incoming(exchange);
  if (entry == nullptr) return nullptr;
  end_incoming(entry);
  return entry->context;
}

void EndpointCore::on_offer(const Event& event) {
  Handler* handler = handler_for(event.service);
  Offer offer{public_, session_of(event.lane), event.service, event.length, event.one_way};
  Landing landing = Landing::refuse();
  if (handler != nullptr && !draining_) landing = handler->on_offer(offer);
  worked_ = true;
  const bool lands = landing.mode == LandingMode::kNamed || landing.mode == LandingMode::kStream;
  if (!lands) {
    stats_.offers_refused.add();
    endpoint_->submit(transport::Reject{event.exchange, base::Code::kTooLarge}, now_);
    return;
  }
  IncomingEntry* entry = start_incoming(event);
  if (entry != nullptr) entry->context = offer.context;
  const base::Code code =
      endpoint_->submit(transport::Land{event.exchange, to_landing(landing)}, now_);
  if (code == base::Code::kOk) return;
  endpoint_->submit(transport::Reject{event.exchange, code}, now_);
  if (entry != nullptr) lose_incoming(entry, event.exchange.index, to_public(code));
}

// A message that was landing in named memory ended early.
void EndpointCore::on_lost(const Event& event) {
  IncomingEntry* entry = find_incoming(event.exchange);
  if (entry != nullptr) lose_incoming(entry, event.exchange.index, to_public(event.code));
}

void EndpointCore::on_stream(const Event& event) {
  if (event.user != 0) {
    on_response_chunk(event);
    return;
  }
  IncomingEntry* entry = find_incoming(event.exchange);
  if (entry == nullptr) return;  // Refused meanwhile.
  if (event.code != base::Code::kOk || event.data == nullptr) {
    lose_incoming(entry, event.exchange.index, to_public(event.code));
    return;
  }
  on_incoming_chunk(event, entry);
}

void EndpointCore::on_response_chunk(const Event& event) {
  Slot* slot = reinterpret_cast<Slot*>(event.user);
  if (event.data == nullptr || slot->on_stream == nullptr) return;
  StreamChunk chunk(public_, slot->session);
  chunk.id_ = {event.exchange.index, event.exchange.generation};
  chunk.data_ = event.data;
  chunk.length_ = event.length;
  chunk.offset_ = event.offset;
  chunk.service_ = event.service;
  chunk.last_ = event.last;
  chunk.context_ = slot->context;
  slot->on_stream(slot->context, chunk);
  if (chunk.kept_) return;
  worked_ = true;
  endpoint_->submit(transport::Consume{event.exchange, event.length}, now_);
}

void EndpointCore::on_incoming_chunk(const Event& event, IncomingEntry* entry) {
  Handler* handler = handler_for(entry->service);
  StreamChunk chunk(public_, session_of(event.lane));
  chunk.id_ = {event.exchange.index, event.exchange.generation};
  chunk.data_ = event.data;
  chunk.length_ = event.length;
  chunk.offset_ = event.offset;
  chunk.service_ = entry->service;
  chunk.last_ = event.last;
  chunk.context_ = entry->context;
  if (handler == nullptr) {
    stats_.no_handler.add();
    chunk.refuse(StatusCode::kNotFound);
  } else if (event.last && !entry->one_way) {
    Event whole = event;
    whole.data = nullptr;
    whole.service = entry->service;
    Request request(public_, chunk.session_);
    fill_reply(&request.reply_, whole);
    request.context_ = entry->context;
    chunk.request_ = &request;
    handler->on_stream(chunk);
    if (chunk.refused_ != StatusCode::kOk) request.reject(chunk.refused_);
    chunk.refused_ = StatusCode::kOk;
  } else {
    handler->on_stream(chunk);
  }
  after_chunk(event, chunk, entry);
}

void EndpointCore::after_chunk(const Event& event, const StreamChunk& chunk, IncomingEntry* entry) {
  worked_ = true;
  if (!entry->active) return;  // The handler has answered: the message is over.
  entry->context = chunk.context_;
  if (chunk.refused_ != StatusCode::kOk) {
    endpoint_->submit(transport::Reject{event.exchange, to_base(chunk.refused_)}, now_);
    end_incoming(entry);
    return;
  }
  if (chunk.kept_ || entry->unconsumed != 0) {
    entry->unconsumed += event.length;
  } else if (!event.last) {
    endpoint_->submit(transport::Consume{event.exchange, event.length}, now_);
  }
  if (!event.last) return;
  if (entry->one_way && entry->unconsumed == 0) release_exchange(event.exchange);
  if (entry->unconsumed == 0) {
    end_incoming(entry);
  } else {
    entry->ended = true;
  }
}

void EndpointCore::on_lane_up(const Event& event) {
  const Session session = session_of(event.lane);
  SessionEntry* entry = find_session(session.id);
  if (entry == nullptr || entry->told_up) return;
  entry->told_up = true;
  if (handler_ != nullptr) handler_->on_session_up(public_, session);
}

// The transport tells of a lane's end before the last events of its exchanges. Messages that were
// landing on it are declared lost only after those, so that none is lost and then delivered.
void EndpointCore::on_lane_down(const Event& event) {
  if (ended_count_ == ended_lanes_.size()) end_lanes();
  const uint32_t session = session_of(event.lane).id;
  ended_lanes_[ended_count_++] = {event.lane, session, to_public(event.code)};
}

void EndpointCore::end_lanes() {
  for (uint32_t i = 0; i < ended_count_; ++i) end_lane(ended_lanes_[i]);
  ended_count_ = 0;
}

void EndpointCore::end_lane(const EndedLane& ended) {
  for (uint32_t i = 0; incoming_active_ != 0 && i < incoming_.size(); ++i) {
    IncomingEntry& entry = incoming_[i];
    const bool lost = entry.active && !entry.ended && entry.lane == ended.lane;
    if (lost) lose_incoming(&entry, i, ended.code);
  }
  LaneEntry& lane = lanes_[ended.lane.index];
  if (lane.generation == ended.lane.generation) lane = LaneEntry();
  SessionEntry* entry = find_session(ended.session);
  if (entry == nullptr) return;
  for (uint32_t i = 0; i < entry->count; ++i) {
    if (!(entry->lanes[i] == ended.lane)) continue;
    --entry->count;
    entry->lanes[i] = entry->lanes[entry->count];
    entry->numbers[i] = entry->numbers[entry->count];
    break;
  }
  if (entry->count != 0) return;
  const bool told = entry->told_up;
  *entry = SessionEntry();
  if (told && handler_ != nullptr) {
    handler_->on_session_down(public_, {ended.session, config_.node}, ended.code);
  }
}

}  // namespace sluice::internal
