// SPDX-License-Identifier: Apache-2.0
#include "sluice/inbox.h"

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/engine_core.h"
#include "api/inbox_core.h"
#include "engine/eal.h"

namespace sluice {
namespace {

constexpr uint32_t kMaxCapacity = 1u << 20;
// How long the destructor waits for the last answers to be sent.
constexpr auto kPatience = std::chrono::seconds(2);

}  // namespace

InboxRequest& InboxRequest::operator=(InboxRequest&& other) noexcept {
  if (this == &other) return *this;
  if (core_ != nullptr) core_->let_go(slot_);
  core_ = std::exchange(other.core_, nullptr);
  slot_ = other.slot_;
  return *this;
}

InboxRequest::~InboxRequest() {
  if (core_ != nullptr) core_->let_go(slot_);
}

std::span<const uint8_t> InboxRequest::bytes() const {
  return core_ == nullptr ? std::span<const uint8_t>() : core_->bytes(slot_);
}

uint16_t InboxRequest::service() const {
  return core_ == nullptr ? uint16_t{0} : core_->service(slot_);
}

Session InboxRequest::session() const {
  return core_ == nullptr ? Session() : core_->session(slot_);
}

bool InboxRequest::one_way() const { return core_ != nullptr && core_->one_way(slot_); }

StatusCode InboxRequest::respond(const void* data, uint32_t length) {
  if (core_ == nullptr) return StatusCode::kInvalidArgument;
  const StatusCode code = core_->respond(slot_, data, length);
  if (code == StatusCode::kOk) core_ = nullptr;
  return code;
}

StatusCode InboxRequest::respond(Buffer&& response) {
  if (core_ == nullptr) return StatusCode::kInvalidArgument;
  const StatusCode code = core_->respond(slot_, std::move(response));
  if (code == StatusCode::kOk) core_ = nullptr;
  return code;
}

StatusCode InboxRequest::reject(StatusCode code) {
  if (core_ == nullptr) return StatusCode::kInvalidArgument;
  const StatusCode result = core_->reject(slot_, code);
  if (result == StatusCode::kOk) core_ = nullptr;
  return result;
}

Inbox::Inbox(std::unique_ptr<internal::InboxCore> core, internal::EngineCore* engine)
    : core_(std::move(core)), engine_(engine) {}

Inbox::~Inbox() {
  if (engine::in_forked_child()) {
    static_cast<void>(core_.release());
    return;
  }
  internal::InboxCore* core = core_.get();
  for (const auto& port : core->ports()) {
    engine_
        ->on_lcore(*port->core(),
                   [core](internal::EndpointCore& lcore) { lcore.forget_handler(core); })
        .IgnoreError();
  }
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    while (core->receive().valid()) {
    }
    if (core->quiet()) break;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  } while (std::chrono::steady_clock::now() < end);
  bool leave = core->quiet();
  for (const auto& port : core->ports()) {
    internal::InboxPort* client = port.get();
    leave &=
        engine_
            ->on_lcore(*client->core(),
                       [client](internal::EndpointCore& lcore) { lcore.remove_client(client); })
            .ok();
  }
  // A request that somebody still holds points here: rather a leak than freed memory in use.
  if (!leave) static_cast<void>(core_.release());
}

absl::StatusOr<std::unique_ptr<Inbox>> Inbox::create(Engine& engine, const InboxOptions& options) {
  internal::EngineCore& owner = internal::EngineCore::of(engine);
  const uint32_t lcores = owner.lcores(options.node);
  if (lcores == 0) {
    return absl::InvalidArgumentError(absl::StrCat("the engine has no node ", options.node));
  }
  if (options.capacity == 0 || options.capacity > kMaxCapacity) {
    return absl::InvalidArgumentError(absl::StrCat("capacity must be 1 to ", kMaxCapacity));
  }
  auto core = std::make_unique<internal::InboxCore>(options.capacity);
  if (absl::Status status = core->open(); !status.ok()) return status;
  for (uint32_t i = 0; i < lcores; ++i) {
    internal::EndpointCore* endpoint = owner.endpoint(options.node, i);
    internal::InboxPort* port = core->add_port(endpoint);
    bool added = false;
    const absl::Status status = owner.on_lcore(
        *endpoint, [&](internal::EndpointCore& lcore) { added = lcore.add_client(port); });
    if (status.ok() && added) continue;
    for (const auto& undone : core->ports()) {
      owner
          .on_lcore(*undone->core(),
                    [&undone](internal::EndpointCore& lcore) { lcore.remove_client(undone.get()); })
          .IgnoreError();
    }
    if (!status.ok()) return status;
    return absl::ResourceExhaustedError(absl::StrCat("an lcore serves ", internal::kMaxLcoreClients,
                                                     " thread clients and inboxes at most"));
  }
  return std::unique_ptr<Inbox>(new Inbox(std::move(core), &owner));
}

Handler* Inbox::handler() { return core_.get(); }

InboxRequest Inbox::receive() { return core_->receive(); }

InboxRequest Inbox::wait(uint64_t timeout_ns) {
  return engine::in_forked_child() ? InboxRequest() : core_->wait(timeout_ns);
}

int Inbox::event_fd() const { return core_->event_fd(); }

bool Inbox::arm() { return core_->arm(); }

}  // namespace sluice
