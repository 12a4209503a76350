// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_ENDPOINT_H_
#define SLUICE_ENDPOINT_H_

#include <cstdint>

#include "sluice/buffer.h"
#include "sluice/call.h"
#include "sluice/export.h"
#include "sluice/handler.h"
#include "sluice/message.h"
#include "sluice/session.h"
#include "sluice/status.h"

namespace sluice {

// Services that may have a handler or a landing of their own, per endpoint.
inline constexpr uint32_t kMaxServices = 256;

// The data path of one node on one lcore. It belongs to the engine.
//
// Thread rule: every function is for the lcore only, that is inside handlers, completion functions,
// tasks and Engine::run_on(). Before Engine::start() the set_*() functions, ask_landing() and
// stream_landing() may be called by the thread that made the engine. Other threads use ThreadClient
// and Inbox.
//
// Nothing here blocks, locks or allocates from the heap. Backpressure is a return value:
// kResourceExhausted means that a limit is reached now and that completions will free it.
class SLUICE_EXPORT Endpoint {
 public:
  // Called once per loop of the lcore; must not block.
  using TaskFn = void (*)(void* context, Endpoint& endpoint);

  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // Starts an RPC. On kOk `request` is taken over and `done(context, result)` will be called once;
  // on every other code nothing was started and the buffer stays with the caller:
  // kResourceExhausted, kTooLarge (over Limits::max_message), kClosed, kNotFound (the
  // session, or the lane asked for, does not end here), kInvalidArgument (an empty message, no
  // completion function, a stream without on_stream). `id` may be null.
  StatusCode call(Session session, const CallOptions& options, Buffer&& request, CallFn done,
                  void* context, CallId* id = nullptr);

  // Sends a one-way message; it completes with kOk when the peer holds all of it (`done` may be
  // null). Codes as for call(); the landing in the options is not used.
  StatusCode send(Session session, const CallOptions& options, Buffer&& message, CallFn done,
                  void* context, CallId* id = nullptr);

  // Ends a call or one-way message early: it completes with kCancelled, once, as soon as nothing
  // touches its buffers any more. kNotFound when it has completed already.
  StatusCode cancel(CallId id);

  // Memory of this lcore's arena for something to send; an empty buffer when the arena is full.
  // `length` is in bytes. The arena is shared with what is being received.
  Buffer allocate(uint32_t length);

  // The same, filled with a copy of `data`.
  Buffer copy(const void* data, uint32_t length);

  // Consumes `bytes` that chunks kept by StreamChunk::keep() hold, oldest first. kNotFound when
  // the message has ended meanwhile.
  StatusCode consume(StreamId id, uint32_t bytes);

  // Calls `task` once per loop from now on; null stops it. One task an endpoint.
  void set_task(TaskFn task, void* context);

  // Said by the task, in its call: it has nothing to do before `until_ns` (of now_ns();
  // UINT64_MAX: at all) unless something else happens on this lcore, which may then sleep
  // (IdleOptions) and call no task meanwhile. An lcore whose task does not say so never sleeps.
  void rest_task(uint64_t until_ns);

  // The handler of every service without one of its own; null rejects them with kNotFound.
  void set_handler(Handler* handler);

  // The handler of one service; kResourceExhausted after kMaxServices services.
  StatusCode set_handler(uint16_t service, Handler* handler);

  // Messages of this service that are larger than Limits::max_buffered_message land as their
  // handler's on_offer() says (by default they are refused with kTooLarge). kResourceExhausted
  // after kMaxServices services with a landing of their own.
  StatusCode ask_landing(uint16_t service);

  // Every message of this service is streamed through a window of `window` bytes of the arena, a
  // power of two (otherwise kInvalidArgument).
  StatusCode stream_landing(uint16_t service, uint32_t window);

  // The engine's monotonic clock at the start of this loop, in nanoseconds. Costs no clock read.
  uint64_t now_ns() const;

  // Lanes of the session that end on this lcore; 0 when it is gone.
  uint32_t lanes(Session session) const;

  // True when nothing is in flight in either direction.
  bool idle() const;

  uint32_t node() const;   // Index in EngineOptions::nodes.
  uint32_t lcore() const;  // Index among the node's lcores.

 private:
  friend class internal::EndpointCore;
  explicit Endpoint(internal::EndpointCore* core) : core_(core) {}
  ~Endpoint() = default;

  internal::EndpointCore* core_;
};

}  // namespace sluice

#endif  // SLUICE_ENDPOINT_H_
