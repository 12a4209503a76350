// SPDX-License-Identifier: Apache-2.0
#include "sluice/thread_client.h"

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/engine_core.h"
#include "api/thread_client_core.h"
#include "engine/eal.h"

namespace sluice {
namespace {

constexpr uint32_t kMaxCapacity = 1u << 20;
// How long the destructor waits for the lcore to let go of the last call.
constexpr auto kPatience = std::chrono::seconds(2);

bool useless_here() {
  return engine::in_forked_child() || internal::EndpointCore::on_lcore_thread();
}

}  // namespace

ThreadClient::ThreadClient(std::unique_ptr<internal::ThreadClientCore> core,
                           internal::EngineCore* engine)
    : core_(std::move(core)), engine_(engine) {}

absl::StatusOr<std::unique_ptr<ThreadClient>> ThreadClient::create(
    Engine& engine, const ThreadClientOptions& options) {
  internal::EngineCore& owner = internal::EngineCore::of(engine);
  internal::EndpointCore* endpoint = owner.endpoint(options.node, options.lcore);
  if (endpoint == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the engine has no lcore ", options.lcore, " of node ", options.node));
  }
  if (options.capacity == 0 || options.capacity > kMaxCapacity) {
    return absl::InvalidArgumentError(absl::StrCat("capacity must be 1 to ", kMaxCapacity));
  }
  auto core = std::make_unique<internal::ThreadClientCore>(endpoint, options.capacity);
  if (absl::Status status = core->open(); !status.ok()) return status;
  bool added = false;
  const absl::Status status = owner.on_lcore(
      *endpoint, [&](internal::EndpointCore& lcore) { added = lcore.add_client(core.get()); });
  if (!status.ok()) return status;
  if (!added) {
    return absl::ResourceExhaustedError(absl::StrCat("an lcore serves ", internal::kMaxLcoreClients,
                                                     " thread clients and inboxes at most"));
  }
  return std::unique_ptr<ThreadClient>(new ThreadClient(std::move(core), &owner));
}

ThreadClient::~ThreadClient() {
  if (engine::in_forked_child()) {
    static_cast<void>(core_.release());
    return;
  }
  internal::ThreadClientCore* core = core_.get();
  const auto cancel = [core](internal::EndpointCore&) {
    core->poll();
    core->cancel_all();
  };
  engine_->on_lcore(*core->core(), cancel).IgnoreError();
  const auto end = std::chrono::steady_clock::now() + kPatience;
  core->discard_completions();
  while (!core->quiet() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    core->discard_completions();
  }
  const bool quiet = core->quiet();
  const auto remove = [core](internal::EndpointCore& lcore) { lcore.remove_client(core); };
  const bool removed = engine_->on_lcore(*core->core(), remove).ok();
  // A response that somebody still holds points here: rather a leak than freed memory in use.
  if (!quiet || !removed) static_cast<void>(core_.release());
}

StatusCode ThreadClient::call(Session session, const CallOptions& options, Buffer&& request,
                              uint64_t user) {
  if (useless_here()) return StatusCode::kClosed;
  return core_->start(session, options, std::move(request), user, false);
}

StatusCode ThreadClient::send(Session session, const CallOptions& options, Buffer&& message,
                              uint64_t user) {
  if (useless_here()) return StatusCode::kClosed;
  return core_->start(session, options, std::move(message), user, true);
}

size_t ThreadClient::poll(std::span<Completion> completions) { return core_->take(completions); }

bool ThreadClient::wait(uint64_t timeout_ns) { return !useless_here() && core_->wait(timeout_ns); }

int ThreadClient::event_fd() const { return core_->event_fd(); }

bool ThreadClient::arm() { return core_->arm(); }

CallResult ThreadClient::call_and_wait(Session session, const CallOptions& options,
                                       Buffer&& request) {
  if (useless_here()) {
    CallResult result;
    result.code = StatusCode::kClosed;
    return result;
  }
  return core_->start_and_wait(session, options, std::move(request));
}

}  // namespace sluice
