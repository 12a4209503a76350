// SPDX-License-Identifier: Apache-2.0
#include "sluice/endpoint.h"

#include <bit>
#include <cstring>

#include "api/endpoint_core.h"

namespace sluice {

StatusCode Endpoint::call(Session session, const CallOptions& options, Buffer&& request,
                          CallFn done, void* context, CallId* id) {
  return core_->call(session, options, std::move(request), done, context, id);
}

StatusCode Endpoint::send(Session session, const CallOptions& options, Buffer&& message,
                          CallFn done, void* context, CallId* id) {
  return core_->send(session, options, std::move(message), done, context, id);
}

StatusCode Endpoint::cancel(CallId id) { return core_->cancel(id); }

Buffer Endpoint::allocate(uint32_t length) { return core_->allocate(length); }

Buffer Endpoint::copy(const void* data, uint32_t length) {
  Buffer buffer = core_->allocate(length);
  if (buffer) std::memcpy(buffer.mutable_data(), data, length);
  return buffer;
}

StatusCode Endpoint::consume(StreamId id, uint32_t bytes) { return core_->consume(id, bytes); }

void Endpoint::set_task(TaskFn task, void* context) { core_->set_task(task, context); }

void Endpoint::rest_task(uint64_t until_ns) { core_->rest_task(until_ns); }

void Endpoint::set_handler(Handler* handler) { core_->set_handler(handler); }

StatusCode Endpoint::set_handler(uint16_t service, Handler* handler) {
  return core_->set_handler(service, handler);
}

StatusCode Endpoint::ask_landing(uint16_t service) {
  return core_->set_landing(service, transport::LandingMode::kAsk, 0);
}

StatusCode Endpoint::stream_landing(uint16_t service, uint32_t window) {
  if (!std::has_single_bit(window)) return StatusCode::kInvalidArgument;
  return core_->set_landing(service, transport::LandingMode::kStream, window);
}

uint64_t Endpoint::now_ns() const { return core_->now_ns(); }

uint32_t Endpoint::lanes(Session session) const { return core_->lanes(session); }

bool Endpoint::idle() const { return core_->idle(); }

uint32_t Endpoint::node() const { return core_->config().node; }

uint32_t Endpoint::lcore() const { return core_->config().lcore; }

}  // namespace sluice
