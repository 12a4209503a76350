// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CALL_H_
#define SLUICE_CALL_H_

#include <cstdint>

#include "sluice/message.h"
#include "sluice/status.h"

namespace sluice {

class StreamChunk;

// No deadline: the call ends when it is answered, cancelled, or the peer is lost.
inline constexpr uint64_t kNoDeadline = UINT64_MAX;
// The library spreads the calls of one lcore over the lanes of the session.
inline constexpr uint8_t kAnyLane = 0xFF;

// Names a call or one-way message in flight on one endpoint, for cancel(). A stale one is
// recognised.
struct CallId {
  uint32_t index = UINT32_MAX;
  uint32_t generation = 0;
  bool valid() const { return index != UINT32_MAX; }
  friend bool operator==(const CallId&, const CallId&) = default;
};

// Bytes of a response as they arrive, when the call's landing is Landing::stream(). Runs on the
// lcore, in order of the offsets, before the call's completion. See StreamChunk for what may be
// done with them.
using StreamFn = void (*)(void* context, StreamChunk& chunk);

struct CallOptions {
  uint16_t service = 0;                // Chosen by the application; selects the peer's handler.
  uint8_t lane = kAnyLane;             // Or the index of one lane of the session.
  uint64_t deadline_ns = kNoDeadline;  // From now, in nanoseconds.
  Landing landing;                     // Of the response.
  StreamFn on_stream = nullptr;        // Required with Landing::stream(); gets the call's context.
  // It does no harm when the request is executed more than once. Only such a request travels with
  // the hello of its session (ConnectOptions::calls): the peer executes what it takes there once,
  // but one whose answer is lost with the handshake is sent again in the session that follows.
  // Without effect otherwise.
  bool idempotent = false;
  // One-way messages: nobody waits for this one's completion. Among many short messages it may then
  // come 2 ms later than it could, and the peer is spared a packet for each.
  bool lazy_completion = false;
};

// The one completion of a call or one-way message. After it nothing touches the request's bytes
// or the landing memory any more.
struct CallResult {
  StatusCode code = StatusCode::kOk;
  // When `code` is not kOk: whether the peer may have executed the request. A call that ends with
  // kOk was executed exactly once.
  bool may_have_executed = false;
  // The response, when `code` is kOk and it was not streamed. The completion function may move it
  // out and release it later, on the same lcore; otherwise it is released on return.
  Message response;
};

// Runs on the lcore, once per accepted call, never from inside the function that started it.
using CallFn = void (*)(void* context, CallResult& result);

}  // namespace sluice

#endif  // SLUICE_CALL_H_
