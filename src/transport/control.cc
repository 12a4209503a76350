// SPDX-License-Identifier: Apache-2.0
#include "transport/control.h"

#include <algorithm>
#include <cstring>

namespace sluice::transport {
namespace {

// PROTOCOL MUST-P4
// Why a peer leaves is its own affair, but for a policy that this side has to know of.
base::Code code_of(const wire::CloseFrame& close) {
  const bool denied = close.reason == static_cast<uint8_t>(base::Code::kPermissionDenied);
  return denied ? base::Code::kPermissionDenied : base::Code::kClosed;
}

}  // namespace

bool Control::on_bundle(Lane& lane, const wire::BundleView& view, const uint8_t* plain,
                        base::Nanos now) {
  if (wire::check_frames(view.frames(), view.sealed_length()) != wire::FrameError::kNone) {
    ctx_.stats.drop_malformed.add();
    return true;
  }
  lane.send.on_peer_epoch(view.rx_epoch());
  wire::FrameReader reader(view.frames(), view.sealed_length());
  wire::Frame frame;
  while (reader.next(&frame)) {
    if (!dispatch(lane, frame, view, plain, now)) return false;
  }
  ctx_.stats.drop_type.add(reader.extensions_skipped());
  return true;
}

bool Control::dispatch(Lane& lane, const wire::Frame& frame, const wire::BundleView& view,
                       const uint8_t* plain, base::Nanos now) {
  switch (frame.type) {
    case wire::FrameType::kMsg:
      on_message(lane, frame.msg, plain + frame.payload_offset, now);
      break;
    case wire::FrameType::kGrant:
      on_grant(lane, frame.grant);
      break;
    case wire::FrameType::kResend:
      on_resend(lane, frame.resend, now);
      break;
    case wire::FrameType::kBusy:
      on_busy(lane, frame.busy, now);
      break;
    case wire::FrameType::kAck:
      on_ack(lane, frame.ack.id);
      break;
    case wire::FrameType::kAckRun:
      on_ack_run(lane, frame.ack_run);
      break;
    case wire::FrameType::kUnknown:
      on_unknown(lane, frame.unknown, now);
      break;
    case wire::FrameType::kFloor:
      on_floor(lane, frame.floor.floor);
      break;
    case wire::FrameType::kRelease:
      on_release(lane, frame.release);
      break;
    case wire::FrameType::kPing:
      sender_.queue(lane, wire::PongFrame{frame.ping.nonce, view.timestamp(), 0});
      break;
    case wire::FrameType::kPong:
      on_pong(lane, frame.pong, now);
      break;
    case wire::FrameType::kProbe:
      // PROTOCOL MUST-T22: its arrival is the proof, if the packet has the size it names.
      if (frame.probe.size == view.size()) {
        sender_.queue(lane, wire::ProbeAckFrame{frame.probe.size});
      }
      break;
    case wire::FrameType::kProbeAck:
      lane.mtu.on_ack(frame.probe_ack.size, now);
      break;
    case wire::FrameType::kGone:
      on_gone(lane, frame.gone);
      break;
    case wire::FrameType::kNeedAck:
      on_need_ack(lane, frame.need_ack, now);
      break;
    case wire::FrameType::kClose:
      lifecycle_.close_lane(lane, code_of(frame.close));
      return false;
    case wire::FrameType::kCutoffs:
      if (!lane.cutoffs.take(frame.cutoffs)) ctx_.stats.drop_malformed.add();
      break;
    case wire::FrameType::kAvoid:
      sender_.leave_paths(lane, frame.avoid.paths);
      break;
    case wire::FrameType::kPad:
      break;
  }
  return true;
}

void Control::on_message(Lane& lane, const wire::MsgFrame& frame, const uint8_t* bytes,
                         base::Nanos now) {
  if (frame.initiator()) {
    on_small_request(lane, frame, bytes, now);
  } else {
    on_small_response(lane, frame, bytes, now);
  }
}

void Control::on_small_request(Lane& lane, const wire::MsgFrame& frame, const uint8_t* bytes,
                               base::Nanos now) {
  if (frame.id == 0) {
    ctx_.stats.drop_malformed.add();
    return;
  }
  MessageStart start;
  start.id = frame.id;
  start.length = frame.length;
  start.floor_delta = frame.floor_delta;
  start.response_credit = frame.response_credit;
  start.service = frame.service;
  start.one_way = frame.one_way();
  start.lazy = frame.lazy();
  switch (inbound_.admit(lane, start)) {
    case PeerIds::Class::kNew:
      break;
    case PeerIds::Class::kTooFar:
      ctx_.stats.drop_window.add();
      return;
    case PeerIds::Class::kBelow:
      ctx_.stats.drop_duplicate.add();
      return;
    case PeerIds::Class::kSeen:
      ctx_.stats.drop_duplicate.add();
      if (!frame.retransmission()) return;
      if (start.one_way) {
        on_need_ack(lane, wire::NeedAckFrame{wire::kExchangeInitiator, start.id}, now);
      } else {
        answer_state(lane, start.id, now);
      }
      return;
  }
  Exchange* exchange = lifecycle_.allocate(lane, false);
  if (exchange == nullptr) {
    ctx_.stats.drop_no_exchange.add();
    return;
  }
  const auto reserved =
      inbound_.reserve(*exchange, inbound_.landing_for(start.service), start.length, &exchange->in);
  if (reserved == Inbound::Reserve::kNoMemory) {
    ctx_.stats.drop_no_memory.add();
    lifecycle_.discard(*exchange);
    return;
  }
  if (reserved != Inbound::Reserve::kReserved) {
    inbound_.begin_unlanded(*exchange, start, reserved);
    return;
  }
  if (exchange->in.lead != 0) [[unlikely]]
    return begin_padded(*exchange, start, bytes, now);
  std::memcpy(exchange->in.memory, bytes, start.length);
  if (!inbound_.begin_callee(*exchange, start, 0, start.length, now)) {
    lifecycle_.discard(*exchange);
  }
}

[[gnu::noinline, gnu::cold]] void Control::begin_padded(Exchange& exchange,
                                                        const MessageStart& start,
                                                        const uint8_t* bytes, base::Nanos now) {
  land_padded(&exchange, &exchange.in, 0, bytes, start.length);
  if (!inbound_.begin_callee(exchange, start, 0, start.length, now)) {
    lifecycle_.discard(exchange);
  }
}

[[gnu::noinline, gnu::cold]] void Control::begin_padded(Exchange& exchange, Incoming* landing,
                                                        uint32_t length, const uint8_t* bytes,
                                                        base::Nanos now) {
  land_padded(&exchange, landing, 0, bytes, length);
  inbound_.begin_response(exchange, *landing, length, 0, length, now);
}

void Control::on_small_response(Lane& lane, const wire::MsgFrame& frame, const uint8_t* bytes,
                                base::Nanos now) {
  Exchange* exchange = ctx_.find_exchange(lane, true, frame.id);
  if (exchange == nullptr || exchange->one_way || exchange->state != ExchangeState::kSending) {
    (exchange == nullptr ? ctx_.stats.drop_late : ctx_.stats.drop_duplicate).add();
    return;
  }
  Incoming landing;
  const auto reserved = inbound_.reserve(*exchange, exchange->landing(), frame.length, &landing);
  if (reserved == Inbound::Reserve::kNoMemory) {
    ctx_.stats.drop_no_memory.add();
    return;
  }
  if (reserved != Inbound::Reserve::kReserved) {
    lifecycle_.complete(*exchange, Inbound::refusal(reserved));
    return;
  }
  exchange->lazy = frame.lazy();
  if (landing.lead != 0) [[unlikely]]
    return begin_padded(*exchange, &landing, frame.length, bytes, now);
  std::memcpy(landing.memory, bytes, frame.length);
  inbound_.begin_response(*exchange, landing, frame.length, 0, frame.length, now);
}

bool Control::find_sent(Lane& lane, uint8_t bits, uint64_t id, Exchange** exchange) {
  // The peer receives the response of an exchange that it started, or the request of one that
  // this side started; anything else contradicts itself.
  const bool peer_started = (bits & wire::kExchangeInitiator) != 0;
  const bool response = (bits & wire::kExchangeResponse) != 0;
  if (peer_started != response) {
    ctx_.stats.drop_malformed.add();
    return false;
  }
  *exchange = ctx_.find_exchange(lane, !peer_started, id);
  return true;
}

void Control::on_grant(Lane& lane, const wire::GrantFrame& frame) {
  Exchange* exchange = nullptr;
  if (!find_sent(lane, frame.bits, frame.id, &exchange)) return;
  if (exchange != nullptr) sender_.grant(*exchange, frame.offset, frame.priority);
}

void Control::on_resend(Lane& lane, const wire::ResendFrame& frame, base::Nanos now) {
  const uint32_t end = frame.offset + std::min(frame.length, UINT32_MAX - frame.offset);
  Exchange* exchange = nullptr;
  if (!find_sent(lane, frame.bits, frame.id, &exchange)) return;
  if (frame.response() && (exchange == nullptr || exchange->state != ExchangeState::kResponding)) {
    answer_state(lane, frame.id, now);
    return;
  }
  if (exchange == nullptr) return;
  exchange->last_progress = now;
  sender_.resend(*exchange, frame.offset, end, now);
}

void Control::answer_state(Lane& lane, uint64_t id, base::Nanos now) {
  Exchange* exchange = ctx_.find_exchange(lane, false, id);
  if (exchange == nullptr) {
    switch (lane.peer_ids.classify(id)) {
      case PeerIds::Class::kNew:
      case PeerIds::Class::kTooFar:
        sender_.queue(lane, wire::UnknownFrame{0, id});  // PROTOCOL MUST-T9
        break;
      case PeerIds::Class::kSeen:
        sender_.queue(lane, wire::GoneFrame{0, id, static_cast<uint8_t>(base::Code::kAborted)});
        break;
      case PeerIds::Class::kBelow:
        break;
    }
    return;
  }
  switch (exchange->state) {
    case ExchangeState::kResponding:
      sender_.resend(*exchange, 0, exchange->out.length, now);
      break;
    case ExchangeState::kRefused:  // PROTOCOL MUST-T3
      sender_.queue(lane, wire::GoneFrame{0, id, static_cast<uint8_t>(exchange->code)});
      break;
    default:
      answer_unfinished(*exchange, now);
  }
}

// The question went behind the bytes of the message, so those that are missing are lost.
void Control::answer_unfinished(Exchange& exchange, base::Nanos now) {
  const bool receiving = exchange.state == ExchangeState::kReceiving;
  if (receiving && exchange.in.reassembly != nullptr && inbound_.ask_missing(exchange, now)) return;
  sender_.queue(*exchange.lane, wire::BusyFrame{0, exchange.id});
}

void Control::on_unknown(Lane& lane, const wire::UnknownFrame& frame, base::Nanos now) {
  Exchange* exchange = ctx_.find_exchange(lane, true, frame.id);
  // PROTOCOL MUST-T9: not once the response has begun.
  if (exchange == nullptr || exchange->state != ExchangeState::kSending) return;
  sender_.restart(*exchange, now);
}

void Control::on_busy(Lane& lane, const wire::BusyFrame& frame, base::Nanos now) {
  Exchange* exchange = ctx_.find_exchange(lane, true, frame.id);
  if (exchange == nullptr) return;
  exchange->last_progress = now;
  exchange->out.misses = 0;
  exchange->out.known = true;
}

void Control::on_ack(Lane& lane, uint64_t id) {
  Exchange* exchange = ctx_.find_exchange(lane, true, id);
  if (exchange == nullptr || !exchange->one_way) return;
  // An authenticated peer that holds bytes never sent contradicts itself.
  if (!exchange->out.may_have_arrived()) {
    ctx_.stats.drop_malformed.add();
    return;
  }
  lifecycle_.complete(*exchange, base::Code::kOk);
}

void Control::on_ack_run(Lane& lane, const wire::AckRunFrame& frame) {
  if (frame.count > base::limits::kMaxIdsAboveFloor) {
    ctx_.stats.drop_malformed.add();
    return;
  }
  for (uint32_t i = 0; i < frame.count; ++i) on_ack(lane, frame.first + i);
}

void Control::on_gone(Lane& lane, const wire::GoneFrame& frame) {
  Exchange* exchange = ctx_.find_exchange(lane, true, frame.id);
  if (exchange == nullptr) return;
  const bool known = frame.reason != 0 && frame.reason < base::kCodeCount;
  const base::Code code = known ? static_cast<base::Code>(frame.reason) : base::Code::kAborted;
  lifecycle_.complete(*exchange, code);
  // Only an exchange given up after delivery may have run; a refused one did not.
  if (code != base::Code::kAborted) exchange->may_have_executed = false;
}

void Control::on_need_ack(Lane& lane, const wire::NeedAckFrame& frame, base::Nanos now) {
  if (frame.response()) {  // The callee asks this caller to release what it can.
    // Telling walks the window of ids, so the questions of one burst get one answer.
    if (lane.told_again == ctx_.now) return;
    lane.told_again = ctx_.now;
    lane.own_ids.tell_again();
    tell_floor(lane, frame.id);
    return;
  }
  switch (lane.peer_ids.classify(frame.id)) {
    case PeerIds::Class::kNew:
    case PeerIds::Class::kTooFar:
      sender_.queue(lane, wire::UnknownFrame{0, frame.id});
      return;
    case PeerIds::Class::kBelow:
      return;
    case PeerIds::Class::kSeen:
      break;
  }
  Exchange* exchange = ctx_.find_exchange(lane, false, frame.id);
  if (exchange != nullptr && exchange->state == ExchangeState::kRefused) {
    sender_.queue(lane, wire::GoneFrame{0, frame.id, static_cast<uint8_t>(exchange->code)});
  } else if (exchange != nullptr && !exchange->in.complete) {
    answer_unfinished(*exchange, now);
  } else {
    sender_.queue(lane, wire::AckFrame{0, frame.id});
  }
}

void Control::release_id(Lane& lane, uint64_t id) {
  if (Exchange* exchange = ctx_.find_exchange(lane, false, id)) {
    lifecycle_.release_callee(*exchange);
  }
}

void Control::on_floor(Lane& lane, uint64_t floor) {
  if (!lane.peer_ids.raise_floor(floor, [&](uint64_t id) { release_id(lane, id); })) {
    ctx_.stats.drop_malformed.add();
  }
}

// An id released before its request arrived is marked as seen: it must never execute.
void Control::on_release(Lane& lane, const wire::ReleaseFrame& frame) {
  if (frame.count > base::limits::kMaxIdsAboveFloor) {
    ctx_.stats.drop_malformed.add();
    return;
  }
  lane.peer_ids.release(frame.first, frame.count, [&](uint64_t id) { release_id(lane, id); });
}

// The echo is this side's own clock, truncated; the subtraction wraps with it.
void Control::on_pong(Lane& lane, const wire::PongFrame& frame, base::Nanos now) {
  if (!lane.ping_outstanding || frame.nonce != lane.ping_nonce) return;  // PROTOCOL MUST-T10
  lane.ping_outstanding = false;
  const uint32_t elapsed = static_cast<uint32_t>(now.value()) - frame.timestamp_echo;
  if (elapsed >= frame.delay_ns) lane.rtt.sample(base::Nanos(elapsed - frame.delay_ns));
}

void Control::tell_floor(Lane& lane, uint64_t from) {
  lane.told_floor = lane.own_ids.floor();
  lane.floor_wanted = false;
  sender_.queue(lane, wire::FloorFrame{lane.told_floor});
  for (int runs = 0; runs < 16; ++runs) {
    const OwnIds::Run run = lane.own_ids.next_untold(from);
    if (run.count == 0) return;
    sender_.queue(lane, wire::ReleaseFrame{run.first, run.count});
    from = run.first + run.count;
  }
  // There may be more runs than go with one packet.
  lane.floor_due = base::after(ctx_.now, ctx_.config.release_delay);
  if (lane.timer.deadline() > lane.floor_due) ctx_.wheel.arm(lane.timer, lane.floor_due);
}

}  // namespace sluice::transport
