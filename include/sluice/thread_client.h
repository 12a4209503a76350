// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_THREAD_CLIENT_H_
#define SLUICE_THREAD_CLIENT_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "sluice/buffer.h"
#include "sluice/call.h"
#include "sluice/engine.h"
#include "sluice/export.h"
#include "sluice/session.h"

namespace sluice {

namespace internal {
class EngineCore;
class ThreadClientCore;
}  // namespace internal

struct ThreadClientOptions {
  uint32_t node = 0;
  uint32_t lcore = 0;        // Index among the node's lcores; all calls go through this one.
  uint32_t capacity = 1024;  // Calls not yet completed and responses not yet released, together.
};

// The outcome of a call made by an ordinary thread. `result.response` lies in the lcore's arena,
// without a copy, until it is released, on any ordinary thread.
struct Completion {
  uint64_t user = 0;
  CallResult result;
};

// Calls from ordinary threads: they cross to the lcore and back by bounded lock-free rings, and
// who waits sleeps on an eventfd. Every slot that a call or an unreleased response takes has its
// place in every ring, so a ring is never full. All functions may be called by any ordinary
// thread at the same time, none on an lcore; none allocates, and only wait() and call_and_wait()
// block. In a forked child everything ends with kClosed.
class SLUICE_EXPORT ThreadClient {
 public:
  // The engine must outlive the client, and its lcores must run. ResourceExhausted: too many
  // clients and inboxes on this lcore (32).
  static absl::StatusOr<std::unique_ptr<ThreadClient>> create(Engine& engine,
                                                              const ThreadClientOptions& options);

  // Cancels what is in flight and waits until the lcore has let go of it. All responses must have
  // been released before, and no other thread may be inside a function of the client.
  ~ThreadClient();
  ThreadClient(const ThreadClient&) = delete;
  ThreadClient& operator=(const ThreadClient&) = delete;

  // Starts an RPC; its completion, with this `user`, comes out of poll() once. The request must be
  // borrowed, not from an arena; when the lcore refuses it, the completion says why.
  // kResourceExhausted: `capacity` is reached. Landing::stream() is not possible here.
  StatusCode call(Session session, const CallOptions& options, Buffer&& request, uint64_t user);

  // Sends a one-way message, likewise.
  StatusCode send(Session session, const CallOptions& options, Buffer&& message, uint64_t user);

  // Takes up to completions.size() completions and returns how many. Does not block.
  size_t poll(std::span<Completion> completions);

  // Sleeps until poll() has something to take (true) or `timeout_ns` has passed (false).
  bool wait(uint64_t timeout_ns);

  // An eventfd for the caller's own epoll loop, owned by the client: arm(), and when it returns
  // true wait until the descriptor is readable, then poll() until it returns nothing, and arm()
  // again. arm() is false when there is something to poll already.
  int event_fd() const;
  bool arm();

  // Starts an RPC and sleeps until it completes; it does not pass through poll().
  CallResult call_and_wait(Session session, const CallOptions& options, Buffer&& request);

 private:
  ThreadClient(std::unique_ptr<internal::ThreadClientCore> core, internal::EngineCore* engine);

  std::unique_ptr<internal::ThreadClientCore> core_;
  internal::EngineCore* engine_;
};

}  // namespace sluice

#endif  // SLUICE_THREAD_CLIENT_H_
