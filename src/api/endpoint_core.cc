// SPDX-License-Identifier: Apache-2.0
#include "api/endpoint_core.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/limits.h"

namespace sluice::internal {
namespace {

// The low bits of a session id are its slot in the node's table of sessions.
constexpr uint32_t kSessionSlotMask = 0xFFFF;

thread_local bool t_on_lcore = false;

constexpr transport::ExchangeRef exchange_of(uint64_t handle) {
  return {static_cast<uint32_t>(handle >> 32), static_cast<uint32_t>(handle)};
}

}  // namespace

EndpointCore::EndpointCore(const EndpointCoreConfig& config)
    : config_(config),
      public_(this),
      handler_(config.handler),
      services_(kMaxServices, config.seed),
      slots_(config.limits.max_exchanges),
      sessions_(std::min(config.limits.max_sessions, kSessionSlotMask + 1)),
      lanes_(config.limits.max_lanes),
      ended_lanes_(config.limits.max_lanes),
      incoming_(config.limits.max_exchanges) {
  landings_.reserve(kMaxServices);
  if (config.record_latency) latency_ = std::make_unique<base::Histogram>();
}

EndpointCore::~EndpointCore() = default;

void EndpointCore::on_start(engine::LcoreContext& context) {
  t_on_lcore = true;
  endpoint_ = &context.endpoint;
  now_ = context.now;
  doorbell_ = context.doorbell;
  for (uint32_t i = 0; i < client_count_; ++i) clients_[i]->set_doorbell(doorbell_);
  for (const ServiceLanding& landing : landings_) {
    endpoint_->set_landing(landing.service, landing.mode, landing.window);
  }
}

void EndpointCore::on_stop(engine::LcoreContext& context) {
  now_ = context.now;
  stopped_ = true;
  end_lanes();
  lose_all_incoming();
  fail_pending_calls();
  endpoint_ = nullptr;
  for (uint32_t i = 0; i < client_count_; ++i) clients_[i]->close();
  t_on_lcore = false;
}

bool EndpointCore::on_lcore_thread() { return t_on_lcore; }

bool EndpointCore::poll(engine::LcoreContext& context) {
  now_ = context.now;
  if (ended_count_ != 0 && !more_events_) [[unlikely]]
    end_lanes();
  for (uint32_t i = 0; i < client_count_; ++i) {
    clients_[i]->poll();
    clients_[i]->flush();
  }
  if (task_ != nullptr) {
    task_wanted_at_ = base::Nanos::zero();
    task_(task_context_, public_);
  }
  return std::exchange(worked_, false);
}

base::Nanos EndpointCore::wanted_at() {
  if (ended_count_ != 0) return base::Nanos::zero();
  // More than a burst was posted.
  const bool posted = std::any_of(clients_.begin(), clients_.begin() + client_count_,
                                  [](const LcoreClient* client) { return client->waiting(); });
  if (posted) return base::Nanos::zero();
  return task_ == nullptr ? base::Nanos::max() : task_wanted_at_;
}

transport::Landing EndpointCore::to_landing(const Landing& landing) {
  transport::Landing out;
  switch (landing.mode) {
    case LandingMode::kNamed:
      out.mode = transport::LandingMode::kNamed;
      break;
    case LandingMode::kStream:
      out.mode = transport::LandingMode::kStream;
      break;
    case LandingMode::kBuffered:
    case LandingMode::kRefuse:
      out.mode = transport::LandingMode::kBuffered;
  }
  out.memory = landing.memory;
  out.capacity = landing.bytes;
  return out;
}

const EndpointCore::SessionEntry* EndpointCore::find_session(uint32_t id) const {
  const uint32_t slot = id & kSessionSlotMask;
  if (id == 0 || slot >= sessions_.size()) return nullptr;
  const SessionEntry& entry = sessions_[slot];
  return entry.id == id ? &entry : nullptr;
}

EndpointCore::SessionEntry* EndpointCore::find_session(uint32_t id) {
  return const_cast<SessionEntry*>(std::as_const(*this).find_session(id));
}

StatusCode EndpointCore::pick_lane(Session session, uint8_t number,
                                   const transport::LaneRef** lane) {
  if (stopped_ || endpoint_ == nullptr || draining_) return StatusCode::kClosed;
  SessionEntry* entry = session.node == config_.node ? find_session(session.id) : nullptr;
  if (entry == nullptr) return StatusCode::kNotFound;
  if (number == kAnyLane) {
    if (entry->next >= entry->count) entry->next = 0;
    *lane = &entry->lanes[entry->next++];
    return StatusCode::kOk;
  }
  for (uint32_t i = 0; i < entry->count; ++i) {
    if (entry->numbers[i] != number) continue;
    *lane = &entry->lanes[i];
    return StatusCode::kOk;
  }
  return StatusCode::kNotFound;
}

EndpointCore::Slot* EndpointCore::take_slot(SlotKind kind) {
  Slot* slot = slots_.allocate();
  if (slot == nullptr) {
    stats_.limit_calls.add();
    return nullptr;
  }
  slot->kind = kind;
  return slot;
}

void EndpointCore::free_slot(Slot* slot) {
  ++slot->generation;
  slots_.release(slot);
}

void EndpointCore::adopt(Slot* slot, Buffer&& buffer, CallFn done, void* context, Session session,
                         CallId* id) {
  slot->done = done;
  slot->context = context;
  slot->on_stream = nullptr;
  slot->buffer = std::move(buffer);
  slot->session = session;
  slot->started = now_;
  worked_ = true;
  if (id != nullptr) *id = CallId{slots_.index_of(slot), slot->generation};
}

base::Nanos EndpointCore::deadline_of(uint64_t duration_ns) const {
  return duration_ns == kNoDeadline ? base::Nanos::max()
                                    : base::after(now_, base::nanos(duration_ns));
}

StatusCode EndpointCore::call(Session session, const CallOptions& options, Buffer&& request,
                              CallFn done, void* context, CallId* id) {
  if (done == nullptr || !options_usable(options)) return StatusCode::kInvalidArgument;
  const transport::LaneRef* lane = nullptr;
  const StatusCode code = pick_lane(session, options.lane, &lane);
  if (code != StatusCode::kOk) return code;
  return start_call(*lane, 0, session, options, std::move(request), done, context, id);
}

bool EndpointCore::options_usable(const CallOptions& options) {
  return options.landing.mode != LandingMode::kRefuse &&
         (options.landing.mode != LandingMode::kStream || options.on_stream != nullptr);
}

StatusCode EndpointCore::begin_first(engine::LcoreContext& context, const engine::LaneInfo& lane,
                                     FirstCall* call, uint64_t early_id) {
  now_ = context.now;
  if (stopped_ || endpoint_ == nullptr || draining_) return StatusCode::kClosed;
  return start_call(lane.ref, early_id, Session{lane.session.value(), config_.node}, call->options,
                    std::move(call->request), call->done, call->context, nullptr);
}

StatusCode EndpointCore::start_call(transport::LaneRef lane, uint64_t early_id, Session session,
                                    const CallOptions& options, Buffer&& request, CallFn done,
                                    void* context, CallId* id) {
  Slot* slot = take_slot(SlotKind::kCall);
  if (slot == nullptr) return StatusCode::kResourceExhausted;
  transport::SendRequest command;
  command.lane = lane;
  command.early_id = early_id;
  command.service = options.service;
  command.data = request.data();
  command.length = request.length();
  command.deadline = deadline_of(options.deadline_ns);
  command.user = reinterpret_cast<uintptr_t>(slot);
  command.response = to_landing(options.landing);
  const base::Code code = endpoint_->submit(command, now_, &slot->exchange);
  if (code != base::Code::kOk) {
    slots_.release(slot);
    return to_public(code);
  }
  adopt(slot, std::move(request), done, context, session, id);
  slot->on_stream = options.landing.mode == LandingMode::kStream ? options.on_stream : nullptr;
  return StatusCode::kOk;
}

StatusCode EndpointCore::send(Session session, const CallOptions& options, Buffer&& message,
                              CallFn done, void* context, CallId* id) {
  const transport::LaneRef* lane = nullptr;
  const StatusCode code = pick_lane(session, options.lane, &lane);
  if (code != StatusCode::kOk) return code;
  Slot* slot = take_slot(SlotKind::kOneWay);
  if (slot == nullptr) return StatusCode::kResourceExhausted;
  transport::SendOneWay command;
  command.lane = *lane;
  command.service = options.service;
  command.data = message.data();
  command.length = message.length();
  command.deadline = deadline_of(options.deadline_ns);
  command.user = reinterpret_cast<uintptr_t>(slot);
  command.lazy_ack = options.lazy_completion;
  const base::Code started = endpoint_->submit(command, now_, &slot->exchange);
  if (started != base::Code::kOk) {
    slots_.release(slot);
    return to_public(started);
  }
  adopt(slot, std::move(message), done, context, session, id);
  return StatusCode::kOk;
}

StatusCode EndpointCore::cancel(CallId id) {
  if (endpoint_ == nullptr || !slots_.is_live(id.index)) return StatusCode::kNotFound;
  const Slot& slot = slots_.at(id.index);
  if (slot.generation != id.generation) return StatusCode::kNotFound;
  worked_ = true;
  const base::Code code = endpoint_->submit(transport::Cancel{slot.exchange}, now_);
  return code == base::Code::kOk ? StatusCode::kOk : StatusCode::kNotFound;
}

Buffer EndpointCore::allocate(uint32_t length) {
  Buffer buffer;
  if (endpoint_ == nullptr || length == 0) return buffer;
  uint8_t* memory = endpoint_->allocate(length);
  if (memory == nullptr) return buffer;
  buffer.data_ = memory;
  buffer.length_ = length;
  buffer.arena_ = this;
  return buffer;
}

void EndpointCore::release_arena(uint8_t* memory) {
  if (endpoint_ != nullptr) endpoint_->release(memory);
}

void EndpointCore::release_buffer(Buffer* buffer) {
  if (buffer->arena_ != nullptr) {
    buffer->arena_->release_arena(buffer->data_);
  } else if (buffer->release_ != nullptr) {
    buffer->release_(buffer->context_, buffer->data_);
  }
}

void EndpointCore::release_exchange(transport::ExchangeRef exchange) {
  if (endpoint_ == nullptr) return;
  worked_ = true;
  endpoint_->submit(transport::ReleaseMessage{exchange}, now_);
}

void EndpointCore::release_message(void* core, uint64_t handle) {
  static_cast<EndpointCore*>(core)->release_exchange(exchange_of(handle));
}

void EndpointCore::fill_reply(PendingReply* reply, const transport::Event& event) {
  reply->core_ = this;
  reply->data_ = event.data;
  reply->length_ = event.data == nullptr ? 0 : event.length;
  reply->index_ = event.exchange.index;
  reply->generation_ = event.exchange.generation;
  reply->service_ = event.service;
}

// The request is over when it was answered, or when nobody waits for its answer.
StatusCode EndpointCore::finish_reply(PendingReply* reply, base::Code code) {
  worked_ = true;
  if (code == base::Code::kNotFound) code = base::Code::kCancelled;
  if (code == base::Code::kOk || code == base::Code::kCancelled) {
    reply->core_ = nullptr;
    // What a handler kept of a streamed request ends with its answer.
    if (incoming_active_ != 0) take_context({reply->index_, reply->generation_});
  }
  return to_public(code);
}

StatusCode EndpointCore::respond(PendingReply* reply, const void* data, uint32_t length) {
  if (endpoint_ == nullptr) {
    reply->core_ = nullptr;
    return StatusCode::kClosed;
  }
  if (data == nullptr || length == 0) return StatusCode::kInvalidArgument;
  transport::Respond command;
  command.exchange = {reply->index_, reply->generation_};
  command.length = length;
  if (length <= transport::kInlineBytes) {
    command.data = static_cast<const uint8_t*>(data);
    return finish_reply(reply, endpoint_->submit(command, now_));
  }
  uint8_t* copy = endpoint_->allocate(length);
  if (copy == nullptr) return StatusCode::kResourceExhausted;
  std::memcpy(copy, data, length);
  command.data = copy;
  command.owned = true;
  const base::Code code = endpoint_->submit(command, now_);
  // An answer that comes too late is released by the transport, a refused one is still ours.
  if (code != base::Code::kOk && code != base::Code::kCancelled) endpoint_->release(copy);
  return finish_reply(reply, code);
}

StatusCode EndpointCore::respond(PendingReply* reply, Buffer&& response) {
  if (endpoint_ == nullptr) {
    reply->core_ = nullptr;
    return StatusCode::kClosed;
  }
  transport::Respond command;
  command.exchange = {reply->index_, reply->generation_};
  command.data = response.data();
  command.length = response.length();
  command.owned = response.arena_ != nullptr;
  if (command.owned && response.arena_ != this) return StatusCode::kInvalidArgument;
  // Short borrowed bytes are copied by the transport; longer ones are lent until kSendDone.
  const bool lent = !command.owned && command.length > transport::kInlineBytes;
  Slot* slot = nullptr;
  if (lent && response.release_ != nullptr) {
    slot = take_slot(SlotKind::kResponse);
    if (slot == nullptr) return StatusCode::kResourceExhausted;
    command.user = reinterpret_cast<uintptr_t>(slot);
  }
  const base::Code code = endpoint_->submit(command, now_);
  if (code == base::Code::kOk) {
    if (slot != nullptr) {
      slot->exchange = command.exchange;
      adopt(slot, std::move(response), nullptr, nullptr, Session(), nullptr);
    } else if (command.owned) {
      response.clear();
    } else {
      response.reset();
    }
    return finish_reply(reply, code);
  }
  if (slot != nullptr) slots_.release(slot);
  if (code == base::Code::kCancelled && command.owned) response.clear();
  return finish_reply(reply, code);
}

StatusCode EndpointCore::reject(PendingReply* reply, StatusCode code) {
  if (endpoint_ == nullptr) {
    reply->core_ = nullptr;
    return StatusCode::kClosed;
  }
  if (code == StatusCode::kOk) return StatusCode::kInvalidArgument;
  transport::Reject command;
  command.exchange = {reply->index_, reply->generation_};
  command.code = to_base(code);
  return finish_reply(reply, endpoint_->submit(command, now_));
}

void EndpointCore::abandon(PendingReply* reply) {
  stats_.unanswered.add();
  reject(reply, StatusCode::kAborted);
  reply->core_ = nullptr;
}

StatusCode EndpointCore::consume(StreamId id, uint32_t bytes) {
  const transport::ExchangeRef exchange{id.index, id.generation};
  IncomingEntry* entry = find_incoming(exchange);
  if (endpoint_ == nullptr) return StatusCode::kNotFound;
  if (entry == nullptr) {
    // A response: the transport itself knows what is unconsumed.
    const base::Code code = endpoint_->submit(transport::Consume{exchange, bytes}, now_);
    worked_ = true;
    return to_public(code);
  }
  if (bytes > entry->unconsumed) return StatusCode::kInvalidArgument;
  entry->unconsumed -= bytes;
  worked_ = true;
  endpoint_->submit(transport::Consume{exchange, bytes}, now_);
  if (entry->ended && entry->unconsumed == 0) {
    if (entry->one_way) release_exchange(exchange);
    end_incoming(entry);
  }
  return StatusCode::kOk;
}

void EndpointCore::set_task(Endpoint::TaskFn task, void* context) {
  task_ = task;
  task_context_ = context;
}

StatusCode EndpointCore::set_handler(uint16_t service, Handler* handler) {
  return services_.insert(service, handler) == nullptr ? StatusCode::kResourceExhausted
                                                       : StatusCode::kOk;
}

void EndpointCore::forget_handler(const Handler* handler) {
  if (handler_ == handler) handler_ = nullptr;
  services_.for_each([handler](uint32_t, Handler*& own) {
    if (own == handler) own = nullptr;
  });
}

StatusCode EndpointCore::set_landing(uint16_t service, transport::LandingMode mode,
                                     uint32_t window) {
  const ServiceLanding landing{service, mode, window};
  auto known = std::find_if(landings_.begin(), landings_.end(),
                            [service](const ServiceLanding& l) { return l.service == service; });
  if (known != landings_.end()) {
    *known = landing;
  } else {
    if (landings_.size() == kMaxServices) return StatusCode::kResourceExhausted;
    landings_.push_back(landing);  // Within what the constructor reserved.
  }
  if (endpoint_ != nullptr) endpoint_->set_landing(service, mode, window);
  return StatusCode::kOk;
}

uint32_t EndpointCore::lanes(Session session) const {
  if (session.node != config_.node) return 0;
  const SessionEntry* entry = find_session(session.id);
  return entry == nullptr ? 0 : entry->count;
}

bool EndpointCore::idle() const {
  return slots_.in_use() == 0 && (endpoint_ == nullptr || endpoint_->idle());
}

bool EndpointCore::add_client(LcoreClient* client) {
  if (client_count_ == kMaxLcoreClients) return false;
  clients_[client_count_++] = client;
  client->set_doorbell(doorbell_);
  if (stopped_) client->close();
  return true;
}

void EndpointCore::remove_client(LcoreClient* client) {
  const auto end = clients_.begin() + client_count_;
  const auto found = std::find(clients_.begin(), end, client);
  if (found == end) return;
  *found = clients_[--client_count_];
}

void EndpointCore::clear_latency() {
  if (latency_ != nullptr) latency_->clear();
}

}  // namespace sluice::internal
