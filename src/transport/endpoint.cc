// SPDX-License-Identifier: Apache-2.0
#include "transport/endpoint.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "transport/answer_timeout.h"
#include "transport/context.h"
#include "transport/control.h"
#include "transport/events.h"
#include "transport/grant_policy.h"
#include "transport/held_acks.h"
#include "transport/inbound.h"
#include "transport/lifecycle.h"
#include "transport/look_ahead.h"
#include "transport/receiver.h"
#include "transport/recovery_policy.h"
#include "transport/sender.h"
#include "transport/timers.h"
#include "wire/control_frames.h"
#include "wire/padding.h"

namespace sluice::transport {

// The roles of an endpoint, wired together.
class EndpointCore {
 public:
  EndpointCore(const EndpointConfig& config, crypto::AeadBackend* backend,
               const crypto::Primitives* primitives, crypto::InlineCrypto* ports)
      : ctx(config, backend, primitives, ports),
        policy(make_grant_policy(config)),
        recovery(make_recovery_policy(config)),
        lifecycle(&ctx, policy.get()),
        sender(&ctx),
        inbound(&ctx, &lifecycle, &sender, policy.get(), recovery.get()),
        control(&ctx, &lifecycle, &sender, &inbound),
        receiver(&ctx, &lifecycle, &inbound, &control),
        timers(&ctx, &lifecycle, &sender, &inbound, &control),
        events(&ctx, &lifecycle) {
    lifecycle.set_sender(&sender);
  }

  // Begins an exchange of this side: a request, or with `one_way` a message without a response.
  base::Code begin(const SendRequest& command, bool one_way, bool lazy_ack, base::Nanos now,
                   ExchangeRef* ref);

  Context ctx;
  std::unique_ptr<GrantPolicy> policy;
  std::unique_ptr<RecoveryPolicy> recovery;
  Lifecycle lifecycle;
  Sender sender;
  Inbound inbound;
  Control control;
  Receiver receiver;
  Timers timers;
  Events events;
  const Lane* begun_last = nullptr;  // On which a message was, whatever became of it.
  AckBudget ack_budget;
};

namespace {

// A length that is longer than any message may be stays so.
[[gnu::noinline, gnu::cold]] uint32_t bucket_of(uint32_t content) {
  return static_cast<uint32_t>(std::min<uint64_t>(wire::padded_length(content), UINT32_MAX));
}

// What shows of a message (PROTOCOL MUST-L1): everything that is decided by its length goes by
// this.
inline uint32_t length_on_wire(const Lane& lane, uint32_t content) {
  return lane.padded ? bucket_of(content) : content;
}

}  // namespace

base::Code EndpointCore::begin(const SendRequest& command, bool one_way, bool lazy_ack,
                               base::Nanos now, ExchangeRef* ref) {
  ctx.now = now;
  Lane* lane = ctx.find_lane(command.lane);
  const Landing& landing = command.response;
  if (lane == nullptr || lane->close_queued) return base::Code::kClosed;
  if (lane != begun_last) {
    begun_last = lane;
    if (ctx.lanes.in_use() > kCachedLanes) lane->prefetch();
  }
  if (command.length == 0 || command.data == nullptr) return base::Code::kInvalidArgument;
  const uint32_t length = length_on_wire(*lane, command.length);  // PROTOCOL MUST-L4
  if (length > std::min(lane->peer_max_message, ctx.config.max_message)) {
    return base::Code::kTooLarge;
  }
  if (landing.mode == LandingMode::kStream && !std::has_single_bit(landing.capacity)) {
    return base::Code::kInvalidArgument;
  }
  if (landing.mode == LandingMode::kNamed && landing.memory == nullptr) {
    return base::Code::kInvalidArgument;
  }
  const bool early = command.early_id != 0;
  if (early && (command.early_id != lane->own_ids.next() ||
                command.length > base::limits::kMaxEarlyRequestBytes)) {
    return base::Code::kInvalidArgument;
  }
  if (command.deadline <= now) return base::Code::kDeadlineExceeded;
  if (lane->own_ids.full()) {
    ctx.stats.limit_window.add();
    return base::Code::kResourceExhausted;
  }
  if (!ctx.engage(*lane)) return base::Code::kResourceExhausted;
  Exchange* exchange = lifecycle.allocate(*lane, true);
  if (exchange == nullptr) {
    ctx.stats.limit_exchanges.add();
    return base::Code::kResourceExhausted;
  }
  exchange->one_way = one_way;
  exchange->lazy = lazy_ack && !ack_budget.afford(length);
  exchange->service = command.service;
  exchange->user = command.user;
  exchange->deadline = command.deadline;
  exchange->started = exchange->last_progress = now;
  exchange->set_landing(landing);
  Outgoing& out = exchange->out;
  out.data = command.data;
  out.length = length;
  if (lane->padded) [[unlikely]]
    exchange->cold->content = command.length;
  // What goes again of an early request goes as it would have come: in a bundle.
  out.small = early || length <= ctx.config.bundle_message_max;
  out.granted = out.small ? length : sender.unasked(*lane, length);
  if (!one_way && !early) lifecycle.solicit(*exchange);
  lifecycle.enlist(*exchange, lane->own_ids.take());
  ctx.wheel.arm(exchange->timer, first_look(ctx.config, *exchange, now));
  if (early) {
    sender.assume_sent(*exchange);
  } else {
    sender.start(*exchange);
  }
  ctx.stats.rpc_started.add();
  if (ref != nullptr) *ref = ctx.ref_of(*exchange);
  return base::Code::kOk;
}

Endpoint::Endpoint(const EndpointConfig& config, crypto::AeadBackend* backend,
                   const crypto::Primitives* primitives, crypto::InlineCrypto* ports)
    : core_(std::make_unique<EndpointCore>(config, backend, primitives, ports)) {
  // Asynchronous backends need their own stage between classification and dispatch.
  SLUICE_CHECK(backend->completes_at_once());
  SLUICE_CHECK(config.bundle_message_max <= base::limits::kMaxBundledMessageBytes);
}

Endpoint::~Endpoint() = default;

void Endpoint::on_rx(std::span<RxPacket> burst, base::Nanos now) {
  core_->ctx.now = now;
  core_->receiver.on_rx(burst, now);
}

size_t Endpoint::poll_tx(std::span<TxPacket> slots, base::Nanos now) {
  core_->ctx.now = now;
  return core_->sender.fill(slots, now);
}

base::Nanos Endpoint::next_deadline() const { return core_->ctx.wheel.next_deadline(); }

void Endpoint::on_deadline(base::Nanos now) {
  core_->ctx.now = now;
  if (core_->timers.advance(now) > 0) core_->inbound.settle(now);
}

base::Code Endpoint::submit(const SendRequest& command, base::Nanos now, ExchangeRef* exchange) {
  return core_->begin(command, false, false, now, exchange);
}

base::Code Endpoint::submit(const SendOneWay& command, base::Nanos now, ExchangeRef* exchange) {
  const SendRequest message{command.lane,     command.service, command.data, command.length,
                            command.deadline, command.user,    Landing{}};
  return core_->begin(message, true, command.lazy_ack, now, exchange);
}

// PROTOCOL MUST-E7
base::Code Endpoint::submit(const TakeEarly& command, base::Nanos now) {
  Context& ctx = core_->ctx;
  ctx.now = now;
  Lane* lane = ctx.find_lane(command.lane);
  if (lane == nullptr) return base::Code::kNotFound;
  if (command.length == 0 || command.data == nullptr || command.id == 0) {
    return base::Code::kInvalidArgument;
  }
  const uint32_t most = length_on_wire(*lane, base::limits::kMaxEarlyRequestBytes);
  if (command.length > most) return base::Code::kTooLarge;
  if (!ctx.engage(*lane)) return base::Code::kResourceExhausted;
  wire::MsgFrame frame{};
  frame.bits = wire::kMsgInitiator;
  frame.service = command.service;
  frame.length = command.length;
  frame.floor_delta = static_cast<uint32_t>(command.id - 1);
  frame.id = command.id;
  core_->control.on_message(*lane, frame, command.data, now);
  core_->inbound.settle(now);
  return base::Code::kOk;
}

base::Code Endpoint::submit(const Respond& command, base::Nanos now) {
  Context& ctx = core_->ctx;
  ctx.now = now;
  Exchange* exchange = ctx.find_exchange(command.exchange);
  if (exchange == nullptr || exchange->caller || exchange->one_way) return base::Code::kNotFound;
  if (exchange->abandoned) {
    if (command.owned) ctx.arena.release(const_cast<uint8_t*>(command.data));
    core_->lifecycle.free(*exchange);
    return base::Code::kCancelled;
  }
  const bool answerable =
      exchange->state == ExchangeState::kDelivered ||
      (exchange->state == ExchangeState::kReceiving && exchange->in.window != 0);
  if (!answerable || command.length == 0 || command.data == nullptr) {
    return base::Code::kInvalidArgument;
  }
  Lane& lane = *exchange->lane;
  const uint32_t length = length_on_wire(lane, command.length);
  if (length > std::min(lane.peer_max_message, ctx.config.max_message)) {
    return base::Code::kTooLarge;
  }
  Outgoing& out = exchange->out;
  out.length = length;
  if (lane.padded) [[unlikely]]
    exchange->cold->content = command.length;
  out.owned = command.owned;
  out.data = command.data;
  if (!command.owned && command.length <= kInlineBytes) {
    // The request may lie in the same bytes: an echo is a move onto itself.
    std::memmove(exchange->inline_bytes, command.data, command.length);
    out.data = exchange->inline_bytes;
  } else if (!command.owned) {
    out.lent = true;
  }
  // By the length that shows: what is in clear tells nothing else of a padded one (MUST-L1).
  exchange->lazy = out.data == exchange->inline_bytes && length <= kInlineBytes && ctx.may_keep();
  exchange->user = command.user;
  exchange->last_progress = now;
  exchange->state = ExchangeState::kResponding;
  core_->lifecycle.release_request(*exchange);
  ctx.wheel.cancel(exchange->timer);
  out.small = length <= ctx.config.bundle_message_max;
  out.granted = length;
  if (!out.small && length > lane.record_bytes()) {
    // A response of a packet goes whole, a longer one as far as its caller has credit for it.
    const uint32_t credit = std::min(exchange->response_credit, ctx.config.unscheduled_bytes);
    const bool scarce = credit != 0 && credit < lane.record_bytes();
    out.granted = scarce ? credit : std::min(length, lane.whole_records(credit));
  }
  core_->sender.start(*exchange);
  return base::Code::kOk;
}

base::Code Endpoint::submit(const Reject& command, base::Nanos now) {
  Context& ctx = core_->ctx;
  ctx.now = now;
  Exchange* exchange = ctx.find_exchange(command.exchange);
  if (exchange == nullptr || exchange->caller) return base::Code::kNotFound;
  if (command.code == base::Code::kOk) return base::Code::kInvalidArgument;
  if (exchange->abandoned) {
    core_->lifecycle.free(*exchange);
    return base::Code::kCancelled;
  }
  if (exchange->state != ExchangeState::kDelivered && exchange->state != ExchangeState::kOffered &&
      exchange->state != ExchangeState::kReceiving) {
    return base::Code::kInvalidArgument;
  }
  core_->lifecycle.refuse(*exchange, command.code);
  return base::Code::kOk;
}

base::Code Endpoint::submit(const Land& command, base::Nanos now) {
  core_->ctx.now = now;
  Exchange* exchange = core_->ctx.find_exchange(command.exchange);
  if (exchange == nullptr) return base::Code::kNotFound;
  if (exchange->abandoned) {
    core_->lifecycle.free(*exchange);
    return base::Code::kCancelled;
  }
  return core_->inbound.land(*exchange, command.landing, now);
}

base::Code Endpoint::submit(const Consume& command, base::Nanos now) {
  core_->ctx.now = now;
  Exchange* exchange = core_->ctx.find_exchange(command.exchange);
  if (exchange == nullptr) return base::Code::kNotFound;
  const base::Code code = core_->inbound.consume(*exchange, command.bytes);
  core_->inbound.settle(now);
  return code;
}

base::Code Endpoint::submit(const ReleaseMessage& command, base::Nanos now) {
  core_->ctx.now = now;
  Exchange* exchange = core_->ctx.find_exchange(command.exchange);
  if (exchange == nullptr) return base::Code::kNotFound;
  const bool finished_call = exchange->caller && exchange->state == ExchangeState::kDone;
  const bool taken =
      !exchange->caller && exchange->one_way && exchange->state == ExchangeState::kDelivered;
  if (!finished_call && !taken && !exchange->abandoned) return base::Code::kInvalidArgument;
  core_->lifecycle.free(*exchange);
  return base::Code::kOk;
}

base::Code Endpoint::submit(const Cancel& command, base::Nanos now) {
  core_->ctx.now = now;
  Exchange* exchange = core_->ctx.find_exchange(command.exchange);
  if (exchange == nullptr || !exchange->caller) return base::Code::kNotFound;
  if (exchange->state == ExchangeState::kDone) return base::Code::kInvalidArgument;
  core_->lifecycle.complete(*exchange, base::Code::kCancelled);
  return base::Code::kOk;
}

base::Code Endpoint::submit(const InstallLane& command, base::Nanos now, LaneRef* lane) {
  core_->ctx.now = now;
  return core_->lifecycle.open_lane(command, now, lane);
}

base::Code Endpoint::submit(const CloseLane& command, base::Nanos now) {
  core_->ctx.now = now;
  Lane* lane = core_->ctx.find_lane(command.lane);
  if (lane == nullptr) return base::Code::kNotFound;
  if (command.code == base::Code::kOk) return base::Code::kInvalidArgument;  // No call ended well.
  if (!command.tell_peer) {
    core_->lifecycle.close_lane(*lane, command.code);
    return base::Code::kOk;
  }
  lane->close_queued = lane->after_packet = true;
  lane->close_code = command.code;
  core_->sender.queue(*lane, wire::CloseFrame{static_cast<uint8_t>(command.code)});
  if (!lane->has_frames) core_->ctx.wheel.arm(lane->timer, now);
  return base::Code::kOk;
}

base::Code Endpoint::submit(const UpdateKeys& command, base::Nanos now) {
  core_->ctx.now = now;
  Lane* lane = core_->ctx.find_lane(command.lane);
  if (lane == nullptr) return base::Code::kNotFound;
  lane->send.request_update();
  core_->sender.ping(*lane);
  return base::Code::kOk;
}

base::Code Endpoint::submit(const Suspect& command, base::Nanos now) {
  core_->ctx.now = now;
  Lane* lane = core_->ctx.find_lane(command.lane);
  if (lane == nullptr) return base::Code::kNotFound;
  if (lane->suspect_until != base::Nanos::max()) return base::Code::kOk;
  lane->suspect_until = base::after(now, kSuspectWait);
  core_->sender.ping(*lane);  // PROTOCOL MUST-T23
  core_->ctx.wheel.arm(lane->timer, base::after(now, kLaneTick));
  return base::Code::kOk;
}

void Endpoint::set_landing(uint16_t service, LandingMode mode, uint32_t stream_window) {
  SLUICE_CHECK(mode != LandingMode::kNamed);
  SLUICE_CHECK(mode != LandingMode::kStream || std::has_single_bit(stream_window));
  core_->ctx.services.insert(service, ServiceLanding{mode, stream_window});
}

bool Endpoint::has_events() const { return core_->events.waiting(); }

size_t Endpoint::poll_events(std::span<Event> events) { return core_->events.poll(events); }

uint8_t* Endpoint::allocate(uint32_t bytes) {
  uint8_t* memory = core_->ctx.arena.allocate(bytes);
  if (memory == nullptr) core_->ctx.stats.limit_arena.add();
  return memory;
}

void Endpoint::release(uint8_t* memory) { core_->ctx.arena.release(memory); }

const Stats& Endpoint::stats() const { return core_->ctx.stats; }

bool Endpoint::idle() const { return core_->ctx.exchanges.in_use() == 0 && core_->sender.idle(); }

size_t Endpoint::snapshot_lanes(std::span<LaneSnapshot> out) const {
  size_t count = 0;
  const Context& ctx = core_->ctx;
  for (uint32_t i = 0; i < ctx.lanes.capacity() && count < out.size(); ++i) {
    const Lane& lane = ctx.lanes.at(i);
    if (!lane.live) continue;
    LaneSnapshot& line = out[count++];
    line.ref = Context::ref_of(lane);
    line.local_session = lane.local_session;
    line.remote_session = lane.remote_session;
    line.lane = lane.number;
    line.initiator = lane.initiator;
    line.send_epoch = lane.send.epoch().value();
    line.receive_epoch = lane.receive.epoch().value();
    line.exchanges = lane.exchange_count;
    line.packet_bytes = lane.mtu.limit();
    line.smoothed_rtt = lane.rtt.smoothed();
    line.last_heard = lane.last_heard;
    line.sealed_inline = lane.send.inline_context() != crypto::kNoInlineContext;
  }
  return count;
}

}  // namespace sluice::transport
