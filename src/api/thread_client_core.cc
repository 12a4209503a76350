// SPDX-License-Identifier: Apache-2.0
#include "api/thread_client_core.h"

#include <utility>

#include "base/check.h"

namespace sluice::internal {

ThreadClientCore::ThreadClientCore(EndpointCore* core, uint32_t capacity)
    : LcoreClient(capacity),
      core_(core),
      capacity_(capacity),
      slots_(capacity),
      free_(capacity),
      done_(capacity) {
  for (uint32_t i = 0; i < capacity; ++i) {
    slots_[i].owner = this;
    free_.push(i);
  }
}

ThreadClientCore::~ThreadClientCore() = default;

ThreadClientCore::Slot* ThreadClientCore::claim(Session session, const CallOptions& options,
                                                uint64_t user, bool one_way) {
  uint32_t index = 0;
  if (!free_.pop(&index)) return nullptr;
  Slot& slot = slots_[index];
  slot.session = session;
  slot.options = options;
  slot.user = user;
  slot.one_way = one_way;
  slot.code = StatusCode::kOk;
  slot.may_have_executed = false;
  return &slot;
}

StatusCode ThreadClientCore::start(Session session, const CallOptions& options, Buffer&& data,
                                   uint64_t user, bool one_way) {
  const bool streamed = options.landing.mode == LandingMode::kStream;
  if (!data || streamed || data.mutable_data() != nullptr) return StatusCode::kInvalidArgument;
  if (closed()) return StatusCode::kClosed;
  Slot* slot = claim(session, options, user, one_way);
  if (slot == nullptr) return StatusCode::kResourceExhausted;
  slot->data = std::move(data);
  slot->wait.store(static_cast<uint32_t>(Wait::kNone), std::memory_order_relaxed);
  post(index_of(slot));
  return StatusCode::kOk;
}

CallResult ThreadClientCore::start_and_wait(Session session, const CallOptions& options,
                                            Buffer&& request) {
  CallResult result;
  const bool streamed = options.landing.mode == LandingMode::kStream;
  if (!request || streamed || request.mutable_data() != nullptr) {
    result.code = StatusCode::kInvalidArgument;
    return result;
  }
  Slot* slot = closed() ? nullptr : claim(session, options, 0, false);
  if (slot == nullptr) {
    result.code = closed() ? StatusCode::kClosed : StatusCode::kResourceExhausted;
    return result;
  }
  slot->data = std::move(request);
  constexpr uint32_t kWaiting = static_cast<uint32_t>(Wait::kWaiting);
  slot->wait.store(kWaiting, std::memory_order_relaxed);
  post(index_of(slot));
  while (slot->wait.load(std::memory_order_acquire) == kWaiting) {
    slot->wait.wait(kWaiting, std::memory_order_acquire);
  }
  hand_over(index_of(slot), &result);
  return result;
}

void ThreadClientCore::hand_over(uint32_t index, CallResult* result) {
  Slot& slot = slots_[index];
  result->code = slot.code;
  result->may_have_executed = slot.may_have_executed;
  if (slot.response.length() == 0) {
    SLUICE_CHECK(free_.push(index));
    return;
  }
  result->response =
      Message(slot.response.data(), slot.response.length(), &on_released, this, index);
}

size_t ThreadClientCore::take(std::span<Completion> completions) {
  size_t count = 0;
  uint32_t index = 0;
  while (count < completions.size() && done_.pop(&index)) {
    Completion& completion = completions[count++];
    completion.user = slots_[index].user;
    completion.result = CallResult();
    hand_over(index, &completion.result);
  }
  return count;
}

bool ThreadClientCore::wait(uint64_t timeout_ns) {
  return waker_.wait(timeout_ns, [this] { return done_.ready(); });
}

bool ThreadClientCore::arm() {
  return waker_.arm([this] { return done_.ready(); });
}

void ThreadClientCore::on_released(void* owner, uint64_t slot) {
  static_cast<ThreadClientCore*>(owner)->post(static_cast<uint32_t>(slot) | kRelease);
}

void ThreadClientCore::handle(uint32_t entry) {
  const uint32_t index = entry & ~kRelease;
  Slot& slot = slots_[index];
  if ((entry & kRelease) == 0) {
    begin(&slot);
    return;
  }
  slot.response.release();
  SLUICE_CHECK(free_.push(index));
}

void ThreadClientCore::begin(Slot* slot) {
  Endpoint& endpoint = core_->endpoint();
  slot->on_lcore.store(true, std::memory_order_relaxed);
  const StatusCode code = closed() ? StatusCode::kClosed
                          : slot->one_way
                              ? endpoint.send(slot->session, slot->options, std::move(slot->data),
                                              &on_done, slot, &slot->id)
                              : endpoint.call(slot->session, slot->options, std::move(slot->data),
                                              &on_done, slot, &slot->id);
  if (code == StatusCode::kOk) return;
  slot->data.reset();
  slot->code = code;
  finish(slot);
}

void ThreadClientCore::on_done(void* context, CallResult& result) {
  Slot* slot = static_cast<Slot*>(context);
  slot->code = result.code;
  slot->may_have_executed = result.may_have_executed;
  // A response without bytes has nothing to hand over; it is released here, on its lcore.
  if (result.response.length() > 0) slot->response = std::move(result.response);
  slot->owner->finish(slot);
}

void ThreadClientCore::finish(Slot* slot) {
  slot->on_lcore.store(false, std::memory_order_relaxed);
  constexpr uint32_t kNone = static_cast<uint32_t>(Wait::kNone);
  if (slot->wait.load(std::memory_order_relaxed) != kNone) {
    slot->wait.store(static_cast<uint32_t>(Wait::kDone), std::memory_order_release);
    slot->wait.notify_all();
    return;
  }
  SLUICE_CHECK(done_.push(index_of(slot)));
  dirty_.store(true, std::memory_order_relaxed);
}

void ThreadClientCore::flush() {
  if (!dirty_.load(std::memory_order_relaxed)) return;
  dirty_.store(false, std::memory_order_relaxed);
  waker_.notify();
}

void ThreadClientCore::cancel_all() {
  for (uint32_t i = 0; i < capacity_; ++i) {
    Slot& slot = slots_[i];
    if (slot.on_lcore.load(std::memory_order_relaxed)) core_->endpoint().cancel(slot.id);
  }
}

void ThreadClientCore::discard_completions() {
  Completion completion;
  while (take(std::span<Completion>(&completion, 1)) == 1) completion.result.response.release();
}

}  // namespace sluice::internal
