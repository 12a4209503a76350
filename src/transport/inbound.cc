// SPDX-License-Identifier: Apache-2.0
#include "transport/inbound.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/container_of.h"
#include "wire/control_frames.h"
#include "wire/header.h"

namespace sluice::transport {

Landing Inbound::landing_for(uint16_t service) {
  const ServiceLanding chosen = ctx_.landing_of(service);
  Landing landing;
  landing.mode = chosen.mode;
  landing.capacity = chosen.stream_window;
  return landing;
}

Inbound::Reserve Inbound::reserve(Exchange& exchange, const Landing& landing, uint32_t length,
                                  Incoming* in) {
  in->mode = landing.mode;
  in->window = 0;
  in->unasked = length;
  in->from_arena = false;
  in->memory = nullptr;
  if (length > ctx_.config.max_message) return Reserve::kTooLarge;
  uint32_t bytes = length;
  if (exchange.lane->padded) [[unlikely]] {
    if (length <= wire::kLengthPrefix) return Reserve::kMalformed;  // PROTOCOL MUST-L3
    in->lead = wire::kLengthPrefix;
    bytes -= wire::kLengthPrefix;
    start_padded(&exchange.cold->padded, *in, length);
  }
  switch (landing.mode) {
    case LandingMode::kNamed:
      in->memory = landing.memory;
      if (bytes <= landing.capacity) return Reserve::kReserved;
      if (in->lead == 0) return Reserve::kTooLarge;
      exchange.cold->padded.capacity = landing.capacity;
      return Reserve::kReserved;  // Its content may fit.
    case LandingMode::kStream:
      in->window = std::max(landing.capacity, kMinStreamWindow);
      break;
    case LandingMode::kAsk:
      // What travels in a bundle comes whole or not at all, so it is never offered.
      if (length >
          std::max(ctx_.config.max_buffered_message, base::limits::kMaxBundledMessageBytes)) {
        return Reserve::kOffer;
      }
      in->mode = LandingMode::kBuffered;
      break;
    case LandingMode::kBuffered:
      if (length > ctx_.config.max_buffered_message) return Reserve::kTooLarge;
      break;
  }
  if (in->window == 0 && bytes <= kInlineBytes) {
    in->memory = exchange.inline_bytes;
    return Reserve::kReserved;
  }
  in->memory = ctx_.arena.allocate(in->window != 0 ? in->window : bytes);
  if (in->memory == nullptr) {
    ctx_.stats.limit_arena.add();
    return Reserve::kNoMemory;
  }
  in->from_arena = true;
  return Reserve::kReserved;
}

Inbound::Verdict Inbound::target(Exchange& exchange, uint32_t message_length, uint32_t offset,
                                 uint32_t length, uint8_t** out) {
  Incoming& in = exchange.in;
  if (message_length != in.length) return Verdict::kMalformed;  // PROTOCOL MUST-T18
  if (in.complete) return Verdict::kDuplicate;
  Reassembly& r = *in.reassembly;
  const uint32_t end = offset + length;
  // PROTOCOL MUST-T5, MUST-T15
  if (end > r.grant.granted) return Verdict::kUngranted;
  if (offset < r.opening_end && end > r.opening_begin) return Verdict::kBusy;
  if (r.received.overlaps(offset, end)) {
    return r.received.covers(offset, end) ? Verdict::kDuplicate : Verdict::kScratch;
  }
  if (!lands_whole(exchange, in, offset, end)) [[unlikely]]
    return Verdict::kScratch;
  if (in.window != 0) {
    const uint32_t at = (offset - in.lead) & (in.window - 1);
    if (at + length > in.window) return Verdict::kScratch;  // The ring wraps inside the packet.
    *out = in.memory + at;
  } else {
    *out = in.memory + (offset - in.lead);
  }
  if (r.opening_begin == r.opening_end) {
    r.opening_begin = offset;
    r.opening_end = end;
  } else {
    r.opening_begin = std::min(r.opening_begin, offset);
    r.opening_end = std::max(r.opening_end, end);
  }
  return Verdict::kInto;
}

Inbound::Verdict Inbound::fits(const Exchange& exchange, uint32_t message_length, uint32_t offset,
                               uint32_t length) const {
  const Incoming& in = exchange.in;
  if (message_length != in.length) return Verdict::kMalformed;  // PROTOCOL MUST-T18
  if (in.complete) return Verdict::kDuplicate;
  const Reassembly& r = *in.reassembly;
  if (offset + length > r.grant.granted) return Verdict::kUngranted;  // PROTOCOL MUST-T5
  return r.received.covers(offset, offset + length) ? Verdict::kDuplicate : Verdict::kScratch;
}

PeerIds::Class Inbound::admit(Lane& lane, const MessageStart& start) {
  // PROTOCOL MUST-T13: the floor is cumulative and authenticated, so it may only rise.
  const uint64_t floor = start.id - std::min<uint64_t>(start.floor_delta, start.id - 1);
  const bool sane = lane.peer_ids.raise_floor(floor, [&](uint64_t id) {
    if (Exchange* done = ctx_.find_exchange(lane, false, id)) lifecycle_.release_callee(*done);
  });
  if (!sane) return PeerIds::Class::kTooFar;
  return lane.peer_ids.classify(start.id);
}

bool Inbound::start_reassembly(Exchange& exchange, base::Nanos now) {
  Reassembly* r = ctx_.reassemblies.allocate();
  if (r == nullptr) {
    ctx_.stats.drop_no_memory.add();
    return false;
  }
  Incoming& in = exchange.in;
  r->received.clear();
  r->exchange = &exchange;
  r->gap_asked = r->gap_known = r->delivered = r->consumed = 0;
  r->burst = {};
  r->opening_begin = r->opening_end = 0;
  r->gap_since = base::Nanos::max();
  r->grant = Grantable{};
  r->grant.length = in.length;
  r->grant.birth = now;
  r->grant.sender = ctx_.busy_lanes.index_of(exchange.lane->busy);
  r->grant.lane = uint64_t{exchange.lane->generation} << 32 | exchange.lane->index;
  r->grant.unit = exchange.lane->record_bytes();
  r->grant.limit = landing_limit(exchange, 0);
  // A sender may hold itself to less than it is allowed; the rest then takes a grant.
  r->grant.granted = std::min({r->grant.limit, ctx_.unscheduled_limit(), in.unasked});
  r->granted_told = 0;
  r->allowed = r->grant.granted;
  r->class_begin = 0;
  r->priority = 7;  // What comes unasked goes before what was granted.
  r->in_policy = true;
  in.reassembly = r;
  policy_.add(&r->grant);
  exchange.last_progress = now;
  if (!exchange.caller) {
    ctx_.wheel.arm(exchange.timer, base::after(now, exchange.lane->rtt.timeout(0)));
  }
  return true;
}

uint32_t Inbound::landing_limit(const Exchange& exchange, uint32_t consumed) {
  const Incoming& in = exchange.in;
  if (in.window == 0) return in.length;
  const uint64_t end = uint64_t{consumed} + in.window;
  // Padding takes no room, once it is known where it begins.
  if (in.lead != 0 && exchange.cold->padded.known() && end >= exchange.cold->padded.content)
    return in.length;
  return static_cast<uint32_t>(std::min<uint64_t>(in.length, in.lead + end));
}

inline void Inbound::note_arrival(uint32_t length) {
  if (ctx_.cutoffs.note(length, std::min(length, ctx_.unscheduled_limit()))) [[unlikely]] {
    policy_.set_levels(ctx_.cutoffs.scheduled_levels());
  }
}

bool Inbound::begin_callee(Exchange& exchange, const MessageStart& start, uint32_t offset,
                           uint32_t length, base::Nanos now) {
  Lane& lane = *exchange.lane;
  exchange.service = start.service;
  exchange.one_way = start.one_way;
  exchange.lazy = start.lazy;
  exchange.response_credit = start.response_credit;
  exchange.started = now;
  Incoming& in = exchange.in;
  in.length = start.length;
  note_arrival(start.length);
  const bool whole = length == start.length;
  if (!(whole && in.window == 0) && !start_reassembly(exchange, now)) return false;
  lane.peer_ids.commit(start.id);
  lifecycle_.enlist(exchange, start.id);
  if (in.reassembly == nullptr) {
    in.complete = true;
    if (in.lead != 0 && !unpad(exchange)) [[unlikely]]
      return true;
    deliver(exchange);
    return true;
  }
  if (in.window != 0) {
    ctx_.raise(exchange, exchange.one_way ? EventKind::kOneWay : EventKind::kRequest);
  }
  add_range(exchange, offset, length, now);
  return true;
}

void Inbound::begin_unlanded(Exchange& exchange, const MessageStart& start, Reserve why) {
  Lane& lane = *exchange.lane;
  exchange.service = start.service;
  exchange.one_way = start.one_way;
  exchange.lazy = start.lazy;
  exchange.response_credit = start.response_credit;
  exchange.in.length = start.length;
  lane.peer_ids.commit(start.id);
  lifecycle_.enlist(exchange, start.id);
  if (why == Reserve::kOffer) {
    exchange.state = ExchangeState::kOffered;
    ctx_.raise(exchange, EventKind::kOffer);
    return;
  }
  exchange.state = ExchangeState::kRefused;
  exchange.code = refusal(why);
  sender_.queue(lane, wire::GoneFrame{0, start.id, static_cast<uint8_t>(exchange.code)});
}

bool Inbound::begin_response(Exchange& exchange, const Incoming& landing, uint32_t message_length,
                             uint32_t offset, uint32_t length, base::Nanos now) {
  SLUICE_DCHECK(exchange.caller && exchange.state == ExchangeState::kSending);
  Incoming& in = exchange.in;
  in.memory = landing.memory;
  in.mode = landing.mode;
  in.window = landing.window;
  in.unasked = landing.unasked;
  in.from_arena = landing.from_arena;
  const bool padded = landing.lead != 0;
  if (padded) [[unlikely]]
    in.lead = landing.lead;
  in.length = message_length;
  note_arrival(message_length);
  lifecycle_.settle_credit(exchange);
  uint32_t& expected = exchange.lane->expected_response;
  const bool shorter = expected != UINT32_MAX && message_length < expected;
  expected = shorter ? expected - (expected - message_length) / 8 : message_length;
  exchange.last_progress = now;
  exchange.backoff = 0;
  if (length == message_length && in.window == 0) {
    in.complete = true;
    if (padded && !unpad(exchange)) [[unlikely]]
      return true;
    lifecycle_.complete(exchange, base::Code::kOk);
    return true;
  }
  if (!start_reassembly(exchange, now)) {
    lifecycle_.drop_landing(in);
    in.length = 0;
    return false;
  }
  exchange.state = ExchangeState::kReceiving;
  sender_.forget(exchange);  // A response proves that the whole request arrived.
  exchange.out.sent = exchange.out.length;
  add_range(exchange, offset, length, now);
  return true;
}

void Inbound::touch(Reassembly& reassembly) {
  if (!reassembly.touched.linked()) sender_.touched().push_back(reassembly);
}

void Inbound::extend(Exchange& exchange, uint32_t offset, uint32_t length, base::Nanos now) {
  Reassembly& r = *exchange.in.reassembly;
  r.opening_begin = r.opening_end = 0;
  if (exchange.in.lead != 0) [[unlikely]]
    return extend_padded(exchange, offset, length, now);
  add_range(exchange, offset, length, now);
}

// Out of line, like what follows of its kind: a message without padding is not to pay for it.
[[gnu::noinline, gnu::cold]] void Inbound::extend_padded(Exchange& exchange, uint32_t offset,
                                                         uint32_t length, base::Nanos now) {
  check_landed(&exchange, offset, offset + length);
  add_range(exchange, offset, length, now);
}

// All of the message is there: from now on its length is that of its content. False where it is no
// padded message.
[[gnu::noinline, gnu::cold]] bool Inbound::unpad(Exchange& exchange) {
  if (spoilt(exchange)) {
    spoil(exchange);
    return false;
  }
  exchange.in.length = exchange.cold->padded.content;
  return true;
}

// What the peer sent is no padded message. Its lender hears that the memory is free, and who has
// read some of it that no more will come.
[[gnu::noinline, gnu::cold]] void Inbound::spoil(Exchange& exchange) {
  const base::Code why = exchange.cold->padded.fault;
  ctx_.stats.drop_padding.add();
  const bool shown = exchange.in.window != 0 || exchange.in.mode == LandingMode::kNamed;
  if (exchange.caller) {
    lifecycle_.complete(exchange, why);
  } else if (shown) {
    sender_.queue(*exchange.lane,
                  wire::GoneFrame{0, exchange.id, static_cast<uint8_t>(base::Code::kAborted)});
    lifecycle_.release_callee(exchange, why);
  } else {
    lifecycle_.refuse(exchange, why);
  }
}

void Inbound::add_range(Exchange& exchange, uint32_t offset, uint32_t length, base::Nanos now) {
  Reassembly& r = *exchange.in.reassembly;
  if (spoilt(exchange)) [[unlikely]]
    return spoil(exchange);
  const uint64_t before = r.received.total();
  const auto result = r.received.insert(offset, offset + length);
  using Insert = decltype(r.received)::Insert;
  if (result == Insert::kFull) {
    ctx_.stats.drop_holes.add();
    return;
  }
  if (result == Insert::kDuplicate) return;
  const uint32_t added = static_cast<uint32_t>(r.received.total() - before);
  r.grant.received += added;
  r.burst.bytes += added;
  if ((marks_.bits & wire::kBitCongestedSender) != 0) r.burst.congested += added;
  if ((marks_.bits & wire::kBitOutranked) != 0) r.burst.outranked += added;
  if (marks_.congestion_experienced) r.burst.marked += added;
  exchange.last_progress = now;
  exchange.backoff = 0;  // PROTOCOL MUST-T8
  if (r.granted_told != 0) ctx_.granted_arrival[r.priority] = now;
  touch(r);
  if (r.received.total() == exchange.in.length) finish(exchange);
}

void Inbound::merge(Exchange& exchange, uint32_t offset, const uint8_t* bytes, uint32_t length,
                    base::Nanos now) {
  Incoming& in = exchange.in;
  Reassembly& r = *in.reassembly;
  if (in.lead != 0) [[unlikely]]
    return merge_padded(exchange, offset, bytes, length, now);
  uint32_t at = offset;
  const uint32_t end = offset + length;
  while (at < end) {
    const auto gap = r.received.first_gap(at, end);
    if (gap.begin >= gap.end) break;
    for (uint32_t from = gap.begin; from < gap.end;) {
      const uint32_t place = in.window != 0 ? from & (in.window - 1) : from;
      const uint32_t room = in.window != 0 ? in.window - place : gap.end - from;
      const uint32_t n = std::min(gap.end - from, room);
      std::memcpy(in.memory + place, bytes + (from - offset), n);
      from += n;
    }
    at = gap.end;
  }
  add_range(exchange, offset, length, now);
}

[[gnu::noinline, gnu::cold]] void Inbound::merge_padded(Exchange& exchange, uint32_t offset,
                                                        const uint8_t* bytes, uint32_t length,
                                                        base::Nanos now) {
  Reassembly& r = *exchange.in.reassembly;
  const uint32_t end = offset + length;
  for (uint32_t at = offset; at < end;) {
    const auto gap = r.received.first_gap(at, end);
    if (gap.begin >= gap.end) break;
    land_padded(&exchange, &exchange.in, gap.begin, bytes + (gap.begin - offset),
                gap.end - gap.begin);
    at = gap.end;
  }
  r.grant.limit = landing_limit(exchange, r.consumed);
  add_range(exchange, offset, length, now);
}

// Every byte is here. A stream keeps its reassembly: the application still reads through it.
void Inbound::finish(Exchange& exchange) {
  Incoming& in = exchange.in;
  Reassembly& r = *in.reassembly;
  in.complete = true;
  if (in.lead != 0 && !unpad(exchange)) [[unlikely]]
    return;
  lifecycle_.leave_policy(r);
  if (in.window == 0) lifecycle_.end_reassembly(exchange);
  if (exchange.caller) {
    lifecycle_.complete(exchange, base::Code::kOk);
    return;
  }
  ctx_.wheel.cancel(exchange.timer);
  deliver(exchange);
}

void Inbound::deliver(Exchange& exchange) {
  exchange.state = ExchangeState::kDelivered;
  ctx_.stats.message_bytes_delivered.add(exchange.in.length);
  if (exchange.one_way) {
    ctx_.stats.oneways_delivered.add();
    acknowledge(exchange);
    if (exchange.in.window == 0) ctx_.raise(exchange, EventKind::kOneWay);
    return;
  }
  ctx_.stats.requests_delivered.add();
  if (exchange.in.window == 0) ctx_.raise(exchange, EventKind::kRequest);
}

// PROTOCOL MUST-T1
void Inbound::acknowledge(Exchange& exchange) {
  Lane& lane = *exchange.lane;
  if (!exchange.lazy) {
    sender_.queue(lane, wire::AckFrame{0, exchange.id});
    return;
  }
  ctx_.stats.acks_held.add();
  HeldAcks& held = lane.busy->held_acks;
  held.add(exchange.id);
  if (held.full()) {
    sender_.queue_held_acks(lane);
  } else if (lane.acks_due == base::Nanos::max()) {
    lane.acks_due = base::after(ctx_.now, kLazyHold);
    if (lane.timer.deadline() > lane.acks_due) ctx_.wheel.arm(lane.timer, lane.acks_due);
  }
}

base::Code Inbound::land(Exchange& exchange, const Landing& landing, base::Nanos now) {
  if (exchange.state != ExchangeState::kOffered) return base::Code::kInvalidArgument;
  if (landing.mode != LandingMode::kNamed && landing.mode != LandingMode::kStream) {
    return base::Code::kInvalidArgument;
  }
  if (landing.mode == LandingMode::kStream && !std::has_single_bit(landing.capacity)) {
    return base::Code::kInvalidArgument;
  }
  if (landing.mode == LandingMode::kNamed && landing.memory == nullptr) {
    return base::Code::kInvalidArgument;
  }
  Incoming reserved;
  Incoming& in = exchange.in;
  const Reserve result = reserve(exchange, landing, in.length, &reserved);
  if (result == Reserve::kTooLarge) return base::Code::kTooLarge;
  if (result != Reserve::kReserved) return base::Code::kResourceExhausted;
  in.memory = reserved.memory;
  in.mode = reserved.mode;
  in.window = reserved.window;
  in.from_arena = reserved.from_arena;
  in.lead = reserved.lead;
  if (!start_reassembly(exchange, now)) {
    lifecycle_.drop_landing(in);
    return base::Code::kResourceExhausted;
  }
  exchange.state = ExchangeState::kReceiving;
  // What arrived before there was memory was dropped: ask for the unscheduled part again.
  const ResendRange all{0, in.reassembly->grant.granted};
  ask(exchange, &all, 1);
  settle(now);
  return base::Code::kOk;
}

base::Code Inbound::consume(Exchange& exchange, uint32_t bytes) {
  Reassembly* r = exchange.in.reassembly;
  if (r == nullptr || exchange.in.window == 0) return base::Code::kInvalidArgument;
  if (bytes > r->delivered - r->consumed) return base::Code::kInvalidArgument;
  r->consumed += bytes;
  r->grant.limit = landing_limit(exchange, r->consumed);
  if (r->in_policy) policy_.on_progress(&r->grant, Arrival{});
  touch(*r);
  return base::Code::kOk;
}

uint8_t Inbound::part_bits(const Exchange& exchange) {
  // A caller receives the response of an exchange it started; a callee the peer's request.
  return exchange.caller ? wire::kExchangeInitiator | wire::kExchangeResponse : 0;
}

void Inbound::ask(Exchange& exchange, const ResendRange* ranges, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    sender_.queue(*exchange.lane,
                  wire::ResendFrame{part_bits(exchange), exchange.id, ranges[i].begin,
                                    ranges[i].end - ranges[i].begin, 7});
    ctx_.stats.resends_sent.add();
  }
}

void Inbound::send_grant(Exchange& exchange, uint32_t offset, uint8_t priority) {
  exchange.in.reassembly->allow(offset, priority);
  sender_.queue(*exchange.lane,
                wire::GrantFrame{part_bits(exchange), exchange.id, offset, priority});
  ctx_.stats.grants_sent.add();
}

void Inbound::settle(base::Nanos now) {
  while (Reassembly* r = sender_.touched().pop_front()) {
    Exchange& exchange = *r->exchange;
    if (exchange.in.window != 0 && r->readable() > r->delivered) {
      ctx_.raise(exchange, EventKind::kStream);
    }
    if (!r->in_policy) continue;
    if (r->burst.bytes != 0) policy_.on_progress(&r->grant, r->burst);
    r->burst = {};
    if (r->received.size() > 1 || (r->received.size() == 1 && r->received[0].begin > 0)) {
      Lane& lane = *exchange.lane;
      ask(exchange, ranges_.data(),
          recovery_.on_progress(r, lane.rtt, lane.record_bytes(), now, ranges_));
    } else {
      recovery_.on_closed(r, now);
    }
  }
  size_t count;
  do {
    count = policy_.decide(now, grants_);
    for (size_t i = 0; i < count; ++i) {
      Reassembly& r = *base::container_of(grants_[i].message, &Reassembly::grant);
      r.exchange->last_progress = now;  // From now on its bytes are waited for.
      send_grant(*r.exchange, grants_[i].offset, grants_[i].priority);
    }
  } while (count == grants_.size());
}

bool Inbound::ask_missing(Exchange& exchange, base::Nanos now) {
  const size_t count = recovery_.on_timeout(exchange.in.reassembly, now, ranges_);
  ask(exchange, ranges_.data(), count);
  return count != 0;
}

void Inbound::recover(Exchange& exchange, base::Nanos now) {
  Reassembly& r = *exchange.in.reassembly;
  ask_missing(exchange, now);
  // The latest grant may have been lost; it is cumulative, so repeating it costs nothing.
  if (r.granted_told != 0) send_grant(exchange, r.granted_told, r.priority);
}

}  // namespace sluice::transport
