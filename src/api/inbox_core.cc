// SPDX-License-Identifier: Apache-2.0
#include "api/inbox_core.h"

#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"

namespace sluice::internal {

void InboxPort::handle(uint32_t entry) { inbox_->carry_out(this, entry); }

void InboxPort::flush() { inbox_->flush(); }

InboxCore::InboxCore(uint32_t capacity)
    : capacity_(capacity), slots_(capacity), free_(capacity), ready_(capacity), retired_(capacity) {
  for (uint32_t i = 0; i < capacity; ++i) {
    slots_[i].owner = this;
    free_.push(i);
  }
}

InboxCore::~InboxCore() = default;

InboxPort* InboxCore::add_port(EndpointCore* core) {
  ports_.push_back(std::make_unique<InboxPort>(this, core, capacity_));
  return ports_.back().get();
}

InboxCore::Slot* InboxCore::claim(Endpoint& endpoint, Session session, uint16_t service) {
  InboxPort* port = ports_[endpoint.lcore()].get();
  uint32_t index = 0;
  if (!free_.pop(&index)) {
    port->core()->mutable_stats().inbox_full.add();
    return nullptr;
  }
  Slot& slot = slots_[index];
  slot.port = port;
  slot.session = session;
  slot.service = service;
  slot.action = Action::kNone;
  return &slot;
}

void InboxCore::publish(Slot* slot) {
  SLUICE_CHECK(ready_.push(index_of(slot)));
  dirty_.store(true, std::memory_order_relaxed);
}

void InboxCore::on_request(Request& request) {
  Slot* slot = claim(request.endpoint(), request.session(), request.service());
  if (slot == nullptr) {
    request.reject(StatusCode::kResourceExhausted);
    return;
  }
  slot->one_way = false;
  slot->reply = request.respond_later();
  publish(slot);
}

void InboxCore::on_one_way(OneWay& one_way) {
  Slot* slot = claim(one_way.endpoint, one_way.session, one_way.service);
  if (slot == nullptr) return;
  slot->one_way = true;
  slot->message = std::move(one_way.message);
  publish(slot);
}

InboxRequest InboxCore::receive() {
  reap();
  uint32_t index = 0;
  return ready_.pop(&index) ? InboxRequest(this, index) : InboxRequest();
}

InboxRequest InboxCore::wait(uint64_t timeout_ns) {
  InboxRequest request;
  waker_.wait(timeout_ns, [this, &request] {
    request = receive();
    return request.valid();
  });
  return request;
}

bool InboxCore::arm() {
  return waker_.arm([this] {
    reap();
    return ready_.ready();
  });
}

bool InboxCore::quiet() {
  reap();
  return free_.size() == capacity_;
}

// Frees the bytes of answers that have been sent; only ordinary threads touch the heap.
void InboxCore::reap() {
  uint32_t index = 0;
  while (retired_.pop(&index)) {
    slots_[index].heap.reset();
    SLUICE_CHECK(free_.push(index));
  }
}

std::span<const uint8_t> InboxCore::bytes(uint32_t slot) const {
  const Slot& entry = slots_[slot];
  return entry.one_way ? entry.message.bytes() : entry.reply.bytes();
}

void InboxCore::send_back(uint32_t slot, Action action) {
  slots_[slot].action = action;
  slots_[slot].port->post(slot);
}

StatusCode InboxCore::respond(uint32_t slot, const void* data, uint32_t length) {
  Slot& entry = slots_[slot];
  if (entry.one_way || data == nullptr || length == 0) return StatusCode::kInvalidArgument;
  entry.length = length;
  if (length <= kInlineResponseBytes) {
    std::memcpy(entry.bytes.data(), data, length);
    send_back(slot, Action::kRespondInline);
    return StatusCode::kOk;
  }
  entry.heap.reset(new (std::nothrow) uint8_t[length]);
  if (entry.heap == nullptr) return StatusCode::kResourceExhausted;
  std::memcpy(entry.heap.get(), data, length);
  send_back(slot, Action::kRespondHeap);
  return StatusCode::kOk;
}

StatusCode InboxCore::respond(uint32_t slot, Buffer&& response) {
  Slot& entry = slots_[slot];
  const bool borrowed = response && response.mutable_data() == nullptr;
  if (entry.one_way || !borrowed || response.length() == 0) return StatusCode::kInvalidArgument;
  entry.buffer = std::move(response);
  send_back(slot, Action::kRespondBuffer);
  return StatusCode::kOk;
}

StatusCode InboxCore::reject(uint32_t slot, StatusCode code) {
  Slot& entry = slots_[slot];
  if (entry.one_way || code == StatusCode::kOk) return StatusCode::kInvalidArgument;
  entry.code = code;
  send_back(slot, Action::kReject);
  return StatusCode::kOk;
}

void InboxCore::let_go(uint32_t slot) { send_back(slot, Action::kRelease); }

StatusCode InboxCore::answer(Slot* slot) {
  switch (slot->action) {
    case Action::kRespondInline:
      return slot->reply.respond(slot->bytes.data(), slot->length);
    case Action::kRespondHeap: {
      Buffer buffer = Buffer::borrow(slot->heap.get(), slot->length, &on_sent, slot);
      const StatusCode code = slot->reply.respond(std::move(buffer));
      // What was not taken is tried again, or retired by the caller: not by on_sent().
      EndpointCore::forget_buffer(&buffer);
      return code;
    }
    case Action::kRespondBuffer:
      return slot->reply.respond(std::move(slot->buffer));
    case Action::kReject:
      return slot->reply.reject(slot->code);
    case Action::kNone:
    case Action::kRelease:
      break;
  }
  slot->message.release();
  slot->reply = PendingReply();
  return StatusCode::kOk;
}

void InboxCore::carry_out(InboxPort* port, uint32_t index) {
  Slot& slot = slots_[index];
  const StatusCode code = answer(&slot);
  if (code == StatusCode::kResourceExhausted) {
    port->post(index);  // The lcore is short of slots for a moment: next time round.
    return;
  }
  const bool lent = slot.action == Action::kRespondHeap;
  if (code != StatusCode::kOk) {
    // Nobody waits for the answer, or it is one that cannot be sent.
    slot.buffer.reset();
    if (slot.reply.valid()) slot.reply.reject(code);
    slot.reply = PendingReply();
    if (lent) return retire(&slot);
  }
  if (!lent) SLUICE_CHECK(free_.push(index));
}

void InboxCore::on_sent(void* context, const uint8_t* /*data*/) {
  Slot* slot = static_cast<Slot*>(context);
  slot->owner->retire(slot);
}

void InboxCore::retire(Slot* slot) {
  SLUICE_CHECK(retired_.push(index_of(slot)));
  dirty_.store(true, std::memory_order_relaxed);
}

void InboxCore::flush() {
  if (!dirty_.load(std::memory_order_relaxed)) return;
  dirty_.store(false, std::memory_order_relaxed);
  waker_.notify();
}

}  // namespace sluice::internal
