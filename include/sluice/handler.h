// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_HANDLER_H_
#define SLUICE_HANDLER_H_

#include <cstdint>
#include <span>

#include "sluice/buffer.h"
#include "sluice/export.h"
#include "sluice/message.h"
#include "sluice/session.h"
#include "sluice/status.h"

namespace sluice {

class Endpoint;

// Responses up to this many bytes are copied into the exchange: they cost no memory of their own.
inline constexpr uint32_t kInlineResponseBytes = 256;

// The right, and the duty, to answer one request later. Move-only, never allocates. It and the
// request's bytes stay valid until it is answered, also when the caller gives up meanwhile (the
// answer then ends with kCancelled). Only for the lcore it came from. An unanswered one that is
// destroyed rejects the request with kAborted.
class SLUICE_EXPORT PendingReply {
 public:
  PendingReply() = default;
  PendingReply(PendingReply&& other) noexcept;
  PendingReply& operator=(PendingReply&& other) noexcept;
  ~PendingReply();

  bool valid() const { return core_ != nullptr; }
  std::span<const uint8_t> bytes() const { return {data_, length_}; }
  uint16_t service() const { return service_; }

  // Like the functions of Request of the same names.
  StatusCode respond(const void* data, uint32_t length);
  StatusCode respond(Buffer&& response);
  StatusCode reject(StatusCode code);

 private:
  friend class internal::EndpointCore;
  friend class Request;

  internal::EndpointCore* core_ = nullptr;
  const uint8_t* data_ = nullptr;
  uint32_t length_ = 0;
  uint32_t index_ = 0;
  uint32_t generation_ = 0;
  uint16_t service_ = 0;
};

// A request on the lcore, valid inside Handler::on_request() (or on_stream()) only. Exactly one of
// respond(), respond_later() and reject() must succeed before the handler returns, otherwise the
// request is rejected with kAborted.
class SLUICE_EXPORT Request {
 public:
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // The request's bytes, valid until it is answered. Empty at the end of a streamed request.
  const uint8_t* data() const { return reply_.data_; }
  uint32_t length() const { return reply_.length_; }
  std::span<const uint8_t> bytes() const { return reply_.bytes(); }
  uint16_t service() const { return reply_.service_; }
  Session session() const { return session_; }
  Endpoint& endpoint() const { return endpoint_; }
  // What on_offer() or on_stream() had set for this message; null otherwise.
  void* context() const { return context_; }

  // Answers with a copy of the bytes: inside the exchange up to kInlineResponseBytes, otherwise
  // in the lcore's arena. At least one byte. After kOk, kCancelled (the caller no longer waits) and
  // kClosed the request is done with; after kResourceExhausted (the arena is full), kTooLarge and
  // kInvalidArgument it is still open.
  StatusCode respond(const void* data, uint32_t length) { return reply_.respond(data, length); }

  // Answers without a copy, codes as above. When this returns kOk the buffer is taken over, and let
  // go when the peer has all of it or the exchange ends otherwise.
  StatusCode respond(Buffer&& response) { return reply_.respond(static_cast<Buffer&&>(response)); }

  // The handler returns without an answer, which is given later through the token.
  PendingReply respond_later() { return static_cast<PendingReply&&>(reply_); }

  // The caller completes with `code` (not kOk). To be used when nothing was executed.
  StatusCode reject(StatusCode code) { return reply_.reject(code); }

 private:
  friend class internal::EndpointCore;
  Request(Endpoint& endpoint, Session session) : endpoint_(endpoint), session_(session) {}

  Endpoint& endpoint_;
  Session session_;
  void* context_ = nullptr;
  PendingReply reply_;
};

// A one-way message on the lcore. The handler may move `message` out and release it later, on the
// same lcore; otherwise it is released when the handler returns.
struct OneWay {
  Endpoint& endpoint;
  Session session;
  uint16_t service = 0;
  Message message;
  void* context = nullptr;  // What on_offer() had set for this message; null otherwise.
};

// Names a message being received, for consume(). A stale one is recognised.
struct StreamId {
  uint32_t index = UINT32_MAX;
  uint32_t generation = 0;
  friend bool operator==(const StreamId&, const StreamId&) = default;
};

// The next verified bytes of a streamed message. They may be read inside the callback; on return
// they are consumed and their part of the window is granted to the sender again, unless keep() was
// called.
class SLUICE_EXPORT StreamChunk {
 public:
  StreamChunk(const StreamChunk&) = delete;
  StreamChunk& operator=(const StreamChunk&) = delete;

  const uint8_t* data() const { return data_; }
  uint32_t length() const { return length_; }
  std::span<const uint8_t> bytes() const { return {data_, length_}; }
  uint32_t offset() const { return offset_; }  // Of the first byte, in the message.
  bool last() const { return last_; }          // The message is complete with this chunk.
  StreamId id() const { return id_; }
  uint16_t service() const { return service_; }
  Session session() const { return session_; }
  Endpoint& endpoint() const { return endpoint_; }

  // On the last chunk of a streamed request: the request, to be answered as in on_request().
  // nullptr on every other chunk, for one-way messages and for responses.
  Request* request() { return request_; }

  // What the application hung on this message: null at its first chunk, then whatever was set
  // (incoming messages); the context of the call (responses).
  void* context() const { return context_; }
  void set_context(void* context) { context_ = context; }

  // The bytes stay valid and unconsumed: Endpoint::consume() frees them later, in order. While
  // some wait, all later chunks of the message are kept, too, and the sender gets no further
  // grants: this is how a slow consumer slows its sender. What was kept of a request ends with its
  // answer, what was kept of a response with the completion of the call.
  void keep() { kept_ = true; }

  // Ends an incoming message early: its sender completes with `code` (not kOk), and no further
  // chunk of it comes. No effect on responses: see Endpoint::cancel().
  void refuse(StatusCode code) { refused_ = code; }

 private:
  friend class internal::EndpointCore;
  StreamChunk(Endpoint& endpoint, Session session) : endpoint_(endpoint), session_(session) {}

  Endpoint& endpoint_;
  Session session_;
  StreamId id_;
  const uint8_t* data_ = nullptr;
  uint32_t length_ = 0;
  uint32_t offset_ = 0;
  uint16_t service_ = 0;
  bool last_ = false;
  bool kept_ = false;
  StatusCode refused_ = StatusCode::kOk;
  Request* request_ = nullptr;
  void* context_ = nullptr;
};

// A message that is larger than Limits::max_buffered_message wants to know where to land.
struct Offer {
  Endpoint& endpoint;
  Session session;
  uint16_t service = 0;
  uint32_t length = 0;  // Of the whole message, in bytes.
  bool one_way = false;
  void* context = nullptr;  // Set it to find the message again in on_stream(), on_lost().
};

// What a service implements. Every function runs on the lcore whose endpoint it is given, must
// not block and must not allocate from the heap; one Handler set on several lcores is called from
// all of them at the same time. One virtual call a message, never one a packet. The object must
// outlive the engine's close().
class SLUICE_EXPORT Handler {
 public:
  virtual ~Handler();

  // A whole request. Default: rejects it with kNotFound.
  virtual void on_request(Request& request);

  // A whole one-way message. Default: drops it.
  virtual void on_one_way(OneWay& one_way);

  // Bytes of a message that lands by kStream. Default: consumes and forgets them.
  virtual void on_stream(StreamChunk& chunk);

  // Where a large message of a service is to land (see Endpoint::ask_landing()). Default: refuse.
  virtual Landing on_offer(Offer& offer);

  // A message that was being streamed, or was landing in named memory, ended early: its caller gave
  // up (kAborted), or the session or the lcore ended (with that code). Said once; from then on
  // nothing touches that memory. `context` is what on_offer() or on_stream() had set.
  virtual void on_lost(Endpoint& endpoint, uint16_t service, void* context, StatusCode code);

  // The first packet of a peer verified on a lane of this endpoint; and the end of such a lane.
  virtual void on_session_up(Endpoint& endpoint, Session session);
  virtual void on_session_down(Endpoint& endpoint, Session session, StatusCode code);
};

}  // namespace sluice

#endif  // SLUICE_HANDLER_H_
