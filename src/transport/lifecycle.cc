// SPDX-License-Identifier: Apache-2.0
#include "transport/lifecycle.h"

#include <algorithm>

#include "base/check.h"
#include "transport/sender.h"
#include "wire/control_frames.h"
#include "wire/esp.h"

namespace sluice::transport {

Exchange* Lifecycle::allocate(Lane& lane, bool caller) {
  Exchange* exchange = ctx_.exchanges.allocate();
  if (exchange == nullptr) return nullptr;
  ++exchange->generation;
  exchange->lane = &lane;
  exchange->lane_generation = lane.generation;
  exchange->caller = caller;
  exchange->one_way = false;
  exchange->lazy = false;
  exchange->code = base::Code::kOk;
  exchange->may_have_executed = false;
  exchange->abandoned = false;
  exchange->opening = false;
  exchange->events = 0;
  exchange->user = 0;
  exchange->deadline = base::Nanos::max();
  exchange->last_progress = ctx_.now;
  exchange->backoff = 0;
  exchange->set_landing({});
  exchange->response_credit = exchange->solicited = 0;
  Outgoing& out = exchange->out;
  out.data = nullptr;
  out.length = out.sent = out.granted = 0;
  out.misses = 0;
  out.known = out.active = out.small = out.repeat = out.owned = out.lent = out.went_whole = false;
  out.asks = out.untimed = false;
  out.lowest = 7;
  out.last_sent = {};
  out.cursor = {};
  Incoming& in = exchange->in;
  in = Incoming{};
  exchange->state = caller ? ExchangeState::kSending : ExchangeState::kReceiving;
  if (lane.padded || ctx_.config.several_paths()) [[unlikely]]
    ctx_.make_cold(*exchange);
  return exchange;
}

void Lifecycle::enlist(Exchange& exchange, uint64_t id) {
  exchange.id = id;
  ctx_.remember(exchange);
  exchange.lane->exchanges(exchange.caller).push_back(exchange);
  ++exchange.lane->exchange_count;
  ctx_.attend(*exchange.lane);
}

void Lifecycle::discard(Exchange& exchange) {
  SLUICE_DCHECK(!exchange.in_table);
  drop_landing(exchange.in);
  exchange.state = ExchangeState::kFree;
  ctx_.exchanges.release(&exchange);
}

void Lifecycle::drop_landing(Incoming& in) {
  if (in.from_arena) ctx_.arena.release(in.memory);
  in.memory = nullptr;
  in.from_arena = false;
}

// A response of a packet costs nothing; a longer one is let in unasked only as far as there is
// credit for it, so that the responses to many requests do not all come at once.
void Lifecycle::solicit_long(Exchange& exchange, uint32_t packet) {
  const Lane& lane = *exchange.lane;
  uint32_t wanted = std::min(lane.expected_response, ctx_.config.unscheduled_bytes);
  if (exchange.landing_mode == LandingMode::kStream) {
    wanted = std::min(wanted, exchange.landing_capacity);
  }
  if (wanted <= packet) return;
  const uint32_t least = std::min(packet, kLeastSolicited);
  exchange.response_credit = exchange.solicited = policy_.solicit(wanted, least);
}

void Lifecycle::leave_policy(Reassembly& reassembly) {
  if (!reassembly.in_policy) return;
  // The policy subtracts what it was told of, so it hears of this burst's bytes first.
  if (reassembly.burst.bytes != 0) policy_.on_progress(&reassembly.grant, reassembly.burst);
  reassembly.burst = {};
  policy_.remove(&reassembly.grant);
  reassembly.in_policy = false;
}

void Lifecycle::end_reassembly(Exchange& exchange) {
  Reassembly* reassembly = exchange.in.reassembly;
  if (reassembly == nullptr) return;
  leave_policy(*reassembly);
  sender_->forget_touched(*reassembly);
  ctx_.reassemblies.release(reassembly);
  exchange.in.reassembly = nullptr;
}

// A call whose request went out whole may have run at the peer, whatever became of the answer.
void Lifecycle::complete(Exchange& exchange, base::Code code) {
  SLUICE_DCHECK(exchange.caller && exchange.state != ExchangeState::kDone);  // PROTOCOL MUST-T1
  Lane& lane = *exchange.lane;
  exchange.code = code;
  exchange.may_have_executed = exchange.out.may_have_arrived();  // PROTOCOL MUST-T14
  if (code == base::Code::kOk) {
    (exchange.one_way ? ctx_.stats.oneways_sent : ctx_.stats.rpc_completed).add();
    ctx_.stats.message_bytes_sent.add(exchange.out.length);
    ctx_.stats.message_bytes_delivered.add(exchange.in.length);
  } else {
    ctx_.stats.rpc_failed.add();
    end_reassembly(exchange);
    // PROTOCOL MUST-T17. A stream's bytes may still be read: they go with the exchange.
    if (exchange.in.window == 0) drop_landing(exchange.in);
  }
  settle_credit(exchange);
  sender_->forget(exchange);
  ctx_.wheel.cancel(exchange.timer);
  ctx_.forget(exchange);
  lane.own_ids.release(exchange.id);
  // The callee keeps a response until it hears that it is not needed, and says how soon it wants
  // to; of a one-way message it keeps nothing.
  const bool patient = exchange.one_way || exchange.lazy;
  const base::Nanos wait = patient ? kLazyHold : ctx_.config.release_delay;
  if (!patient) lane.floor_wanted = true;
  const base::Nanos due = base::after(ctx_.now, std::max(wait, ctx_.config.release_delay));
  if (due < lane.floor_due) {
    lane.floor_due = due;
    if (lane.timer.deadline() > due) ctx_.wheel.arm(lane.timer, due);
  }
  exchange.state = ExchangeState::kDone;
  ctx_.raise(exchange, exchange.one_way ? EventKind::kSendDone : EventKind::kCallDone);
}

void Lifecycle::release_request(Exchange& exchange) {
  end_reassembly(exchange);
  drop_landing(exchange.in);
}

// What the application was shown, or has lent its memory to, stays until it answers or releases it;
// where it waits for more, it is told that none will come.
void Lifecycle::release_callee(Exchange& exchange, base::Code why) {
  SLUICE_DCHECK(!exchange.caller);
  if (exchange.state == ExchangeState::kDone) return;  // Freed when its last event was read.
  ctx_.forget(exchange);
  sender_->forget(exchange);
  ctx_.wheel.cancel(exchange.timer);
  const bool delivered = exchange.state == ExchangeState::kDelivered;
  if (delivered && exchange.one_way) {
    exchange.abandoned = true;  // It was acknowledged, so it is read to its end (PROTOCOL MUST-T1).
    return;
  }
  const bool receiving = exchange.state == ExchangeState::kReceiving;
  const Reassembly* reassembly = exchange.in.reassembly;
  const bool stream = reassembly != nullptr && exchange.in.window != 0;
  const bool unread = stream && reassembly->delivered < exchange.in.length;
  const bool lent = receiving && exchange.in.mode == LandingMode::kNamed;
  end_reassembly(exchange);  // PROTOCOL MUST-T17: nothing is written from here on.
  if (delivered || exchange.state == ExchangeState::kOffered || (receiving && stream) || lent) {
    exchange.abandoned = true;  // Freed when the application answers or releases it.
    if (unread || lent) {
      exchange.code = why;
      ctx_.raise(exchange, lent ? EventKind::kLost : EventKind::kStream);
    }
    return;
  }
  if (exchange.state == ExchangeState::kResponding && exchange.out.lent) {
    exchange.state = ExchangeState::kDone;  // The lender of the response hears of it first.
    ctx_.raise(exchange, EventKind::kSendDone);
    return;
  }
  free(exchange);
}

// PROTOCOL MUST-T3
void Lifecycle::refuse(Exchange& exchange, base::Code why) {
  SLUICE_DCHECK(!exchange.caller);
  release_request(exchange);
  ctx_.wheel.cancel(exchange.timer);
  exchange.state = ExchangeState::kRefused;
  exchange.last_progress = ctx_.now;
  exchange.code = why;
  sender_->queue(*exchange.lane, wire::GoneFrame{0, exchange.id, static_cast<uint8_t>(why)});
}

void Lifecycle::free(Exchange& exchange) {
  ctx_.forget(exchange);
  sender_->forget(exchange);
  ctx_.wheel.cancel(exchange.timer);
  end_reassembly(exchange);
  drop_landing(exchange.in);
  if (exchange.out.owned) {
    ctx_.arena.release(const_cast<uint8_t*>(exchange.out.data));
    exchange.out.owned = false;
  }
  if (exchange.event_node.linked()) ctx_.events.erase(exchange);
  if (exchange.lane_node.linked()) {
    exchange.lane->exchanges(exchange.caller).erase(exchange);
    --exchange.lane->exchange_count;
  }
  exchange.state = ExchangeState::kFree;
  ctx_.exchanges.release(&exchange);
}

bool Lifecycle::install_keys(const InstallLane& command, Lane* lane) {
  const bool esp = command.esp.on();
  const crypto::InlinePlace place{
      .ports = lane->records || esp ? ctx_.ports : nullptr,
      .route = command.route,
      .spi = esp ? wire::esp_spi(command.esp.remote_base, command.lane, 0) : 0};
  const bool sends = lane->send.install(ctx_.primitives, ctx_.backend, command.algorithm,
                                        command.secrets.send, command.split, place);
  if (sends && lane->receive.install(ctx_.primitives, ctx_.backend, command.algorithm,
                                     command.secrets.receive)) {
    return true;
  }
  lane->send.clear();
  return false;
}

bool Lifecycle::may_use_esp(const InstallLane& command) {
  const bool gcm = command.algorithm == crypto::AeadAlgorithm::kAes128Gcm ||
                   command.algorithm == crypto::AeadAlgorithm::kAes256Gcm;
  if (!ctx_.config.esp || !gcm || command.lane >= base::limits::kMaxLanesPerSession ||
      !wire::esp_base_valid(command.esp.local_base) ||
      !wire::esp_base_valid(command.esp.remote_base)) {
    return false;
  }
  return ctx_.find_spi(wire::esp_spi(command.esp.local_base, command.lane, 0)) == nullptr;
}

void Lifecycle::begin_esp(const InstallLane& command, Lane* lane) {
  lane->esp = command.esp;
  lane->esp_sequence = 0;
  lane->esp_epoch = 0;
  lane->data_apart = lane->records || lane->esp.on();
  lane->after_packet = lane->esp.on();
  if (!lane->esp.on()) return;
  const uint32_t spi = wire::esp_spi(lane->esp.local_base, lane->number, 0);
  ctx_.lane_by_spi.insert(wire::esp_lane_key(spi), lane->index);
}

// The largest Sluice packet that the lane may come to use.
uint32_t Lifecycle::most_packet(const InstallLane& command) const {
  const uint32_t most = std::min(ctx_.config.max_packet, command.peer_max_packet);
  // PROTOCOL MUST-S4
  return command.esp.on() ? most - static_cast<uint32_t>(wire::kEspTrailerMax) : most;
}

base::Code Lifecycle::open_lane(const InstallLane& command, base::Nanos now, LaneRef* ref) {
  if (!command.split.valid() || command.peer_max_packet < ctx_.config.base_packet) {
    return base::Code::kInvalidArgument;
  }
  const uint64_t key = Context::lane_key(command.local_session, command.lane);
  if (ctx_.lane_by_session.find(key) != nullptr) return base::Code::kInvalidArgument;
  if (command.esp.on() && !may_use_esp(command)) return base::Code::kInvalidArgument;
  Lane* lane = ctx_.lanes.allocate();
  if (lane == nullptr) {
    ctx_.stats.limit_lanes.add();
    return base::Code::kResourceExhausted;
  }
  lane->records = command.records && ctx_.config.record_mode && !command.esp.on() &&
                  crypto::tag_size(command.algorithm) != 0;
  if (!install_keys(command, lane)) {
    ctx_.lanes.release(lane);
    return base::Code::kInvalidArgument;
  }
  ++lane->generation;
  lane->live = true;
  lane->local_session = command.local_session;
  lane->remote_session = command.remote_session;
  lane->number = command.lane;
  lane->initiator = command.initiator;
  lane->algorithm = command.algorithm;
  lane->tag_size = crypto::tag_size(command.algorithm);
  lane->route = command.route;
  lane->peer_unscheduled = std::min(command.peer_unscheduled_bytes, ctx_.config.unscheduled_bytes);
  lane->peer_max_message = command.peer_max_message;
  lane->split = command.split;
  lane->padded = command.padded;
  lane->own_ids.reset();
  lane->peer_ids.reset();
  lane->told_floor = 1;
  lane->floor_due = base::Nanos::max();
  lane->floor_wanted = false;
  lane->told_again = {};
  lane->expected_response = UINT32_MAX;
  lane->cutoffs.reset();
  lane->cutoffs_told = 0;
  lane->acks_due = base::Nanos::max();
  lane->path_sequence = 0;
  lane->entropy = static_cast<uint16_t>(ctx_.prng.next_u64());
  ctx_.engage(*lane);  // It begins with a question; where there is no room, that comes later.
  lane->paths_to_tell = 0;
  lane->close_queued = false;
  begin_esp(command, lane);
  lane->rtt = RttEstimator(ctx_.config.rto_initial, ctx_.config.rto_min, ctx_.config.rto_max);
  lane->mtu.set_interval(ctx_.config.probe_interval);
  // PROTOCOL MUST-T21
  lane->mtu.start(ctx_.config.base_packet, most_packet(command), now);
  lane->probe_bytes = 0;
  lane->saw_congestion = lane->ping_outstanding = lane->heard = false;
  lane->ping_sent = base::Nanos::max();
  lane->resend_tokens = kResendBurstBytes;
  lane->resend_refill = now;
  lane->installed = lane->last_heard = lane->last_active = now;
  lane->suspect_until = lane->waiting_since = base::Nanos::max();
  lane->need_ack_backoff = 0;
  lane->need_ack_due = now;
  ctx_.lane_by_session.insert(key, lane->index);
  ctx_.wheel.arm(lane->timer, now);
  ctx_.stats.lanes_up.add();
  if (ref != nullptr) *ref = Context::ref_of(*lane);
  return base::Code::kOk;
}

void Lifecycle::complete_all(Lane& lane, base::Code code) {
  // `complete` leaves the exchange in the list (the application still has to read its event), so
  // walk over the list once, with the next element taken before each step.
  lane.for_each_exchange([&](Exchange& exchange) {
    if (!exchange.caller) {
      release_callee(exchange, code);
    } else if (exchange.state != ExchangeState::kDone) {
      complete(exchange, code);
    }
  });
}

void Lifecycle::close_lane(Lane& lane, base::Code code) {
  SLUICE_DCHECK(lane.live);
  complete_all(lane, code);
  ctx_.lane_by_session.erase(Context::lane_key(lane.local_session, lane.number));
  if (lane.esp.on()) {
    const uint32_t spi = wire::esp_spi(lane.esp.local_base, lane.number, 0);
    ctx_.lane_by_spi.erase(wire::esp_lane_key(spi));
  }
  ctx_.wheel.cancel(lane.timer);
  if (lane.tx_node.linked()) ctx_.tx_lanes.erase(lane);
  ctx_.records.release_all(lane);
  ctx_.disengage(lane);
  lane.send.clear();
  lane.receive.clear();
  lane.live = false;
  ctx_.stats.lanes_down.add();
  ctx_.raise_lane(lane, EventKind::kLaneDown, code);
}

// Exchanges that the application still holds go on naming the lane; they were taken out of every
// table, so all they do with it is to leave its list.
void Lifecycle::recycle_lane(LaneRef ref) {
  Lane& lane = ctx_.lanes.at(ref.index);
  SLUICE_DCHECK(!lane.live && lane.generation == ref.generation);
  while (lane.own.pop_front() != nullptr) continue;
  while (lane.peers.pop_front() != nullptr) continue;
  ctx_.lanes.release(&lane);
}

}  // namespace sluice::transport
