// SPDX-License-Identifier: Apache-2.0
#include "transport/timers.h"

#include <algorithm>

#include "base/container_of.h"
#include "wire/control_frames.h"

namespace sluice::transport {

void Timers::fire(base::TimerNode& node, base::Nanos now) {
  if (node.kind == kExchangeTimer) {
    on_exchange(*base::container_of(&node, &Exchange::timer), now);
  } else {
    on_lane(*base::container_of(&node, &Lane::timer), now);
  }
}

base::Nanos Timers::first_look(const Exchange& exchange, base::Nanos now) {
  return std::min(exchange.deadline, base::after(now, exchange.lane->rtt.timeout(0)));
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
// likely means that the peer serves shorter messages first than that its own packets are lost.
base::Nanos Timers::patience(const Exchange& exchange, base::Nanos now) const {
  const Lane& lane = *exchange.lane;
  const base::Nanos timeout = lane.rtt.timeout(exchange.backoff);
  const bool receiving = exchange.state == ExchangeState::kReceiving;
  const bool lively = base::elapsed(lane.last_heard, now) < timeout;
  return receiving && lively ? timeout * kLivelyFactor : timeout;
}

void Timers::on_exchange(Exchange& exchange, base::Nanos now) {
  if (exchange.caller && exchange.deadline <= now) {
    lifecycle_.complete(exchange, base::Code::kDeadlineExceeded);
    return;
  }
  Lane& lane = *exchange.lane;
  const base::Nanos due = base::after(exchange.last_progress, patience(exchange, now));
  if (now < due) {
    ctx_.wheel.arm(exchange.timer, std::min(due, exchange.deadline));
    return;
  }
  if (lost(lane, exchange.started, now)) return;
  ctx_.stats.timeouts.add();
  ++exchange.backoff;  // PROTOCOL MUST-T8
  retransmit(exchange, now);
  const base::Nanos next = base::after(now, lane.rtt.timeout(exchange.backoff));
  ctx_.wheel.arm(exchange.timer, std::min(next, exchange.deadline));
}

// The side that waits asks; what it asks for depends on how far the exchange has come.
void Timers::retransmit(Exchange& exchange, base::Nanos now) {
  Lane& lane = *exchange.lane;
  if (exchange.state == ExchangeState::kReceiving) {
    if (exchange.in.reassembly != nullptr) inbound_.recover(exchange, now);
    return;
  }
  if (exchange.state != ExchangeState::kSending || exchange.out.sent == 0) return;
  sender_.note_missing(exchange, 0, now);
  if (exchange.out.small) {
    sender_.repeat_small(exchange);
    return;
  }
  if (exchange.one_way) {
    sender_.queue(lane, wire::NeedAckFrame{wire::kExchangeInitiator, exchange.id});
  } else {
    sender_.queue(lane, wire::ResendFrame{wire::kExchangeInitiator | wire::kExchangeResponse,
                                          exchange.id, 0, UINT32_MAX, 7});
    ctx_.stats.resends_sent.add();
  }
}

// A FLOOR or RELEASE is sent once and can get lost, and then an exchange that is finished here, or
// whose request stopped in the middle, would hold its memory for ever. So its caller is asked.
void Timers::ask_release(Lane& lane, base::Nanos now) {
  uint32_t looked = 0;
  for (auto it = lane.exchanges.begin(); it != lane.exchanges.end(); ++it) {
    if (++looked > kMaxReleaseLook) return;
    const Exchange& exchange = *it;
    const bool waits = exchange.state == ExchangeState::kResponding ||
                       exchange.state == ExchangeState::kRefused ||
                       exchange.state == ExchangeState::kReceiving;
    if (exchange.caller || !exchange.in_table || !waits) continue;
    if (base::elapsed(exchange.last_progress, now) < kNeedAckDelay) continue;
    if (now < lane.need_ack_due) return;
    sender_.queue(lane, wire::NeedAckFrame{wire::kExchangeResponse, exchange.id});
    lane.need_ack_due = base::after(now, kNeedAckDelay * (uint64_t{1} << lane.need_ack_backoff));
    lane.need_ack_backoff = std::min(lane.need_ack_backoff + 1, kMaxNeedAckBackoff);
    return;
  }
  lane.need_ack_backoff = 0;
}

void Timers::measure(Lane& lane, bool busy, base::Nanos now) {
  if ((busy || !lane.heard) && lane.ping_due <= now) {
    sender_.ping(lane);
    lane.ping_due = base::after(now, kPingInterval);
  }
  if (!lane.heard) return;
  const uint32_t probe = lane.mtu.poll_probe(now, lane.rtt.timeout(1));
  if (probe != 0) {
    lane.probe_bytes = probe;
    ctx_.wake(lane);
  }
}

void Timers::on_lane(Lane& lane, base::Nanos now) {
  if (lane.close_queued && lane.frames.empty()) {
    lifecycle_.close_lane(lane, lane.close_code);
    return;
  }
  if (now >= lane.suspect_until) {  // PROTOCOL MUST-T23
    ctx_.stats.peers_lost.add();
    lifecycle_.close_lane(lane, base::Code::kUnavailable);
    return;
  }
  const Exchange* oldest = lane.exchanges.front();
  const bool busy = oldest != nullptr;
  if (!busy) {
    const base::Nanos quiet_since = std::max(lane.last_heard, lane.last_active);
    if (base::elapsed(quiet_since, now) >= ctx_.config.idle_timeout) {
      lifecycle_.close_lane(lane, base::Code::kClosed);
      return;
    }
  }
  if (lane.floor_due <= now) {
    lane.floor_due = base::Nanos::max();
    if (lane.own_ids.has_news(lane.told_floor)) control_.tell_floor(lane);
  }
  // A caller that left its exchange behind may have gone.
  if (busy && !oldest->caller && oldest->in_table && lost(lane, oldest->started, now)) return;
  ask_release(lane, now);
  measure(lane, busy, now);
  lane.receive.drop_previous(now, base::limits::kPreviousEpochGrace);
  arm_lane(lane, busy, now);
}

void Timers::arm_lane(Lane& lane, bool busy, base::Nanos now) {
  base::Nanos next = base::after(std::max(lane.last_heard, now), ctx_.config.idle_timeout);
  if (busy || !lane.heard || lane.receive.holds_previous()) {
    next = std::min(next, base::after(now, kLaneTick));
  }
  next = std::min({next, lane.floor_due, lane.suspect_until, lane.mtu.next_deadline()});
  // A probe in flight is due at once until it was sent; never spin on it.
  ctx_.wheel.arm(lane.timer, std::max(next, base::after(now, base::micros(1))));
}

}  // namespace sluice::transport
