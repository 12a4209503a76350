// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_INBOX_H_
#define SLUICE_INBOX_H_

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "sluice/buffer.h"
#include "sluice/engine.h"
#include "sluice/export.h"
#include "sluice/session.h"
#include "sluice/status.h"

namespace sluice {

namespace internal {
class EngineCore;
class InboxCore;
}  // namespace internal

struct InboxOptions {
  uint32_t node = 0;
  uint32_t capacity = 1024;  // Requests not yet answered and completely sent, over all lcores.
};

// A request (or one-way message) in the hands of an ordinary thread. Move-only. Its bytes lie in
// the lcore's arena, without a copy, until it is answered; it may be kept, passed to another
// ordinary thread and answered there at any later time. Destroyed unanswered it is rejected with
// kAborted; a one-way message is then simply released.
class SLUICE_EXPORT InboxRequest {
 public:
  InboxRequest() = default;
  InboxRequest(InboxRequest&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), slot_(other.slot_) {}
  InboxRequest& operator=(InboxRequest&& other) noexcept;
  ~InboxRequest();

  bool valid() const { return core_ != nullptr; }
  std::span<const uint8_t> bytes() const;
  uint16_t service() const;
  Session session() const;
  bool one_way() const;

  // Answers; the request is then no longer valid. Bytes are copied (on the heap of this thread
  // when there are more than kInlineResponseBytes); a borrowed buffer is sent as it is and its
  // release function runs on the lcore. kInvalidArgument: no request, a one-way message, or a
  // buffer from an arena. That the peer got it is not reported.
  StatusCode respond(const void* data, uint32_t length);
  StatusCode respond(Buffer&& response);
  StatusCode reject(StatusCode code);

 private:
  friend class internal::InboxCore;
  InboxRequest(internal::InboxCore* core, uint32_t slot) : core_(core), slot_(slot) {}

  internal::InboxCore* core_ = nullptr;
  uint32_t slot_ = 0;
};

// Delivers the requests of a node's lcores to ordinary threads, through bounded lock-free rings and
// an eventfd for those who sleep. When `capacity` is reached further requests are rejected with
// kResourceExhausted, counted. receive() and wait() may be called by several ordinary threads at
// the same time; each request goes to one of them.
class SLUICE_EXPORT Inbox {
 public:
  // Its handler() is set with Endpoint::set_handler() between Engine::create() and start(), or on
  // the lcore. The engine must outlive the inbox. ResourceExhausted: too many clients and inboxes
  // on an lcore (32).
  static absl::StatusOr<std::unique_ptr<Inbox>> create(Engine& engine, const InboxOptions& options);

  // Takes the handler away from the lcores, rejects what nobody has received, and waits until the
  // last answers are sent. All requests must have been answered or destroyed before, and no other
  // thread may be inside a function of the inbox.
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // What to give to Endpoint::set_handler(), on any lcores of the node; owned by the inbox.
  Handler* handler();

  // The oldest request, or an invalid one. Does not block.
  InboxRequest receive();

  // The oldest request; sleeps up to `timeout_ns` for it, then returns an invalid one.
  InboxRequest wait(uint64_t timeout_ns);

  // For the caller's own epoll loop, as in ThreadClient.
  int event_fd() const;
  bool arm();

 private:
  Inbox(std::unique_ptr<internal::InboxCore> core, internal::EngineCore* engine);

  std::unique_ptr<internal::InboxCore> core_;
  internal::EngineCore* engine_;
};

}  // namespace sluice

#endif  // SLUICE_INBOX_H_
