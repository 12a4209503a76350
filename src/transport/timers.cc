// SPDX-License-Identifier: Apache-2.0
#include "transport/timers.h"

#include <algorithm>

#include "base/container_of.h"
#include "transport/answer_timeout.h"
#include "wire/control_frames.h"

namespace sluice::transport {
namespace {

// Beyond what the time-out grows with; which of two follows each other still tells leave_path().
constexpr uint8_t backed_off(uint8_t backoff) {
  return static_cast<uint8_t>(backoff < UINT8_MAX ? backoff + 1 : UINT8_MAX - 1);
}

}  // namespace

size_t Timers::advance(base::Nanos now) {
  const base::Nanos late = base::elapsed(ctx_.wheel.next_deadline(), now);
  if (late > ctx_.config.peer_timeout / kOwnStallShare) [[unlikely]]
    excuse(late, now);
  return ctx_.wheel.advance(now, [this, now](base::TimerNode& node) { fire(node, now); });
}

// Silence is measured in time in which a peer could have been heard here: what it is measured from
// moves on by the stall, and retransmission begins anew, since the answers may lie unread in the
// port. Deadlines of calls are the application's and stay.
void Timers::excuse(base::Nanos late, base::Nanos now) {
  const auto move_on = [&](base::Nanos* since) {
    *since = std::min(base::after(*since, late), now);
  };
  ctx_.stats.stalls.add();
  for (uint32_t i = 0; i < ctx_.lanes.capacity(); ++i) {
    Lane& lane = ctx_.lanes.at(i);
    if (!lane.live) continue;
    move_on(&lane.last_heard);
    move_on(&lane.last_active);
    if (lane.waiting_since != base::Nanos::max()) move_on(&lane.waiting_since);
    lane.suspect_until = base::after(lane.suspect_until, late);
    lane.ping_outstanding = false;  // The stall would count as round-trip time.
    lane.for_each_exchange([&](Exchange& exchange) {
      move_on(&exchange.started);
      exchange.last_progress = now;
    });
  }
}

void Timers::fire(base::TimerNode& node, base::Nanos now) {
  if (node.kind == kExchangeTimer) {
    on_exchange(*base::container_of(&node, &Exchange::timer), now);
  } else {
    on_lane(*base::container_of(&node, &Lane::timer), now);
  }
}

// A peer that has verified nothing for peer_timeout while it is waited for is lost.
bool Timers::lost(Lane& lane, base::Nanos silent_since, base::Nanos now) {
  const base::Nanos since = std::max(lane.last_heard, silent_since);
  if (base::elapsed(since, now) < ctx_.config.peer_timeout) return false;
  ctx_.stats.peers_lost.add();
  lifecycle_.close_lane(lane, base::Code::kUnavailable);
  return true;
}

// How long an exchange may stand still. While other packets of the lane arrive, its silence more
// likely means that the peer serves shorter messages first than that its own packets are lost; and
// while packets of higher priority do, that its own wait behind them in the network.
base::Nanos Timers::patience(const Exchange& exchange, base::Nanos now) const {
  const Lane& lane = *exchange.lane;
  const base::Nanos wait = answer_timeout(ctx_.config, exchange);
  const bool receiving = exchange.state == ExchangeState::kReceiving;
  if (!receiving) return wait;
  bool lively = base::elapsed(lane.last_heard, now) < wait;
  if (const Reassembly* const reassembly = exchange.in.reassembly; !lively && reassembly) {
    lively = ctx_.overtaken_since(reassembly->priority, exchange.last_progress);
  }
  return lively ? wait * kLivelyFactor : wait;
}

bool Timers::held_back(const Exchange& exchange) {
  if (exchange.state == ExchangeState::kSending) return exchange.out.node.linked();
  if (exchange.state != ExchangeState::kReceiving) return false;
  const Reassembly* const reassembly = exchange.in.reassembly;
  return reassembly != nullptr && reassembly->in_policy &&
         reassembly->grant.received == reassembly->grant.granted;
}

void Timers::on_exchange(Exchange& exchange, base::Nanos now) {
  if (exchange.caller && exchange.deadline <= now) {
    lifecycle_.complete(exchange, base::Code::kDeadlineExceeded);
    return;
  }
  Lane& lane = *exchange.lane;
  if (held_back(exchange)) {
    exchange.last_progress = now;
    // Of those that wait in line there may be very many, and nothing to look for meanwhile.
    if (exchange.out.small && exchange.state == ExchangeState::kSending) {
      exchange.out.untimed = true;
      ctx_.wheel.arm(exchange.timer, exchange.deadline);
      return;
    }
  }
  const base::Nanos due = base::after(exchange.last_progress, patience(exchange, now));
  if (now < due) {
    ctx_.wheel.arm(exchange.timer, std::min(due, exchange.deadline));
    return;
  }
  if (lost(lane, exchange.started, now)) return;
  ctx_.stats.timeouts.add();
  exchange.backoff = backed_off(exchange.backoff);  // PROTOCOL MUST-T8
  leave_path(exchange);
  retransmit(exchange, now);
  ctx_.wheel.arm(exchange.timer, first_look(ctx_.config, exchange, now));
}

// Protective ReRoute (SIGCOMM 2023): to whom several time-outs in a row happen, the path may be
// dead, and another draw of the network's hash finds another.
void Timers::leave_path(Exchange& exchange) {
  Lane& lane = *exchange.lane;
  if (ctx_.config.several_paths()) {
    const Outgoing& out = exchange.out;
    if (exchange.state != ExchangeState::kSending || out.sent == 0) return;
    const uint32_t last = (out.sent - 1) / lane.record_bytes();
    sender_.leave_paths(lane, exchange.cold->trail.taken(last, last + 1, last));
  } else if (exchange.backoff % kTimeoutsPerPath == 0) {
    lane.entropy = static_cast<uint16_t>(ctx_.prng.next_u64());
    ctx_.stats.paths_left.add();
  }
}

// The side that waits asks; what it asks for depends on how far the exchange has come.
void Timers::retransmit(Exchange& exchange, base::Nanos now) {
  if (exchange.state == ExchangeState::kReceiving) {
    if (exchange.in.reassembly != nullptr) inbound_.recover(exchange, now);
    return;
  }
  if (exchange.state != ExchangeState::kSending || exchange.out.sent == 0) return;
  sender_.note_missing(exchange, 0, now);
  if (exchange.out.small) {
    sender_.repeat_small(exchange);
  } else {
    sender_.ask_behind(exchange);
  }
}

// An exchange that a table still names: one that the peer has to bring to its end. Those that the
// application merely holds wait for nobody, and go behind those that may.
const Exchange* Timers::one_waiting(Lane::Exchanges& list) {
  const Exchange* const last = list.back();
  for (uint32_t looked = 0; looked < kMaxLook && last != nullptr; ++looked) {
    const Exchange* const first = list.front();
    if (first->in_table) return first;
    list.rotate();
    if (first == last) break;
  }
  return nullptr;
}

// A FLOOR or RELEASE is sent once and can get lost, and then an exchange that is finished here, or
// whose request stopped in the middle, would hold its memory for ever. So its caller is asked; the
// answer tells of all there are.
void Timers::ask_release(Lane& lane, base::Nanos now) {
  const Exchange* const last = lane.peers.back();
  for (uint32_t looked = 0; looked < kMaxLook && last != nullptr; ++looked) {
    const Exchange& exchange = *lane.peers.front();
    const bool waits = exchange.state == ExchangeState::kResponding ||
                       exchange.state == ExchangeState::kRefused ||
                       exchange.state == ExchangeState::kReceiving;
    if (waits && exchange.in_table && base::elapsed(exchange.last_progress, now) >= kNeedAckDelay) {
      if (now < lane.need_ack_due) return;
      sender_.queue(lane, wire::NeedAckFrame{wire::kExchangeResponse, exchange.id});
      lane.need_ack_due = base::after(now, kNeedAckDelay * (uint64_t{1} << lane.need_ack_backoff));
      lane.need_ack_backoff = std::min(lane.need_ack_backoff + 1, kMaxNeedAckBackoff);
      return;
    }
    lane.peers.rotate();
    if (&exchange == last) break;
  }
  lane.need_ack_backoff = 0;
}

// A peer that was never heard, and for which nothing waits, is asked more and more rarely. Once the
// round trip is known, it is enough to follow it, and to notice a silence long before it ends a
// peer.
base::Nanos Timers::next_ping(const Lane& lane, bool busy) const {
  if (lane.ping_sent == base::Nanos::max()) return base::Nanos::zero();
  const base::Nanos age =
      busy ? base::Nanos::zero() : base::elapsed(lane.installed, lane.ping_sent);
  const base::Nanos steady = std::min(kSteadyPingInterval, ctx_.config.peer_timeout / 16);
  const base::Nanos busy_wait =
      lane.rtt.samples() < kFirstPings ? kPingInterval : std::max(kPingInterval, steady);
  return base::after(lane.ping_sent, std::max(busy_wait, age / kUnheardPingShare));
}

void Timers::measure(Lane& lane, bool busy, base::Nanos now) {
  const bool first = lane.ping_sent == base::Nanos::max();
  if ((busy || first || !lane.heard) && next_ping(lane, busy) <= now) {
    sender_.ping(lane);
    lane.ping_sent = now;
  }
  if (!lane.heard) return;
  const uint32_t probe = lane.mtu.poll_probe(now, lane.rtt.timeout(1));
  if (probe != 0) {
    lane.probe_bytes = probe;
    ctx_.wake(lane);
  }
}

void Timers::on_lane(Lane& lane, base::Nanos now) {
  if (lane.close_queued && !lane.has_frames) {
    lifecycle_.close_lane(lane, lane.close_code);
    return;
  }
  if (now >= lane.suspect_until) {  // PROTOCOL MUST-T23
    ctx_.stats.peers_lost.add();
    lifecycle_.close_lane(lane, base::Code::kUnavailable);
    return;
  }
  const bool busy = lane.has_exchanges();
  if (!busy) {
    const base::Nanos quiet_since = std::max(lane.last_heard, lane.last_active);
    if (base::elapsed(quiet_since, now) >= ctx_.config.idle_timeout) {
      lifecycle_.close_lane(lane, base::Code::kClosed);
      return;
    }
  }
  if (lane.acks_due <= now) sender_.queue_held_acks(lane);
  if (lane.floor_due <= now) {
    lane.floor_due = base::Nanos::max();
    if (lane.own_ids.has_news(lane.told_floor)) control_.tell_floor(lane);
  }
  const Exchange* waiting = one_waiting(lane.own);
  if (waiting == nullptr) waiting = one_waiting(lane.peers);
  // Calls that give up and are made again are one long wait.
  if (waiting == nullptr) {
    lane.waiting_since = base::Nanos::max();
  } else if (lane.waiting_since == base::Nanos::max()) {
    lane.waiting_since = waiting->started;
  }
  if (waiting != nullptr && lost(lane, lane.waiting_since, now)) return;
  ask_release(lane, now);
  const bool asking = busy || lane.suspect_until != base::Nanos::max();
  measure(lane, asking, now);
  lane.receive.drop_previous(now, base::limits::kPreviousEpochGrace);
  arm_lane(lane, asking, now);
}

void Timers::arm_lane(Lane& lane, bool busy, base::Nanos now) {
  base::Nanos next = base::after(std::max(lane.last_heard, now), ctx_.config.idle_timeout);
  if (busy || lane.receive.holds_previous()) {
    next = std::min(next, base::after(now, kLaneTick));
  }
  // The path is probed once the peer has been heard.
  next = std::min(next, lane.heard ? lane.mtu.next_deadline() : next_ping(lane, busy));
  next = std::min({next, lane.floor_due, lane.acks_due, lane.suspect_until});
  // A probe in flight is due at once until it was sent; never spin on it.
  ctx_.wheel.arm(lane.timer, std::max(next, base::after(now, base::micros(1))));
}

}  // namespace sluice::transport
