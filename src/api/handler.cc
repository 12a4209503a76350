// SPDX-License-Identifier: Apache-2.0
#include "sluice/handler.h"

#include <utility>

#include "api/endpoint_core.h"

namespace sluice {

void Buffer::release_bytes() { internal::EndpointCore::release_buffer(this); }

PendingReply::PendingReply(PendingReply&& other) noexcept
    : core_(std::exchange(other.core_, nullptr)),
      data_(other.data_),
      length_(other.length_),
      index_(other.index_),
      generation_(other.generation_),
      service_(other.service_) {}

PendingReply& PendingReply::operator=(PendingReply&& other) noexcept {
  if (this == &other) return *this;
  if (core_ != nullptr) core_->abandon(this);
  core_ = std::exchange(other.core_, nullptr);
  data_ = other.data_;
  length_ = other.length_;
  index_ = other.index_;
  generation_ = other.generation_;
  service_ = other.service_;
  return *this;
}

PendingReply::~PendingReply() {
  if (core_ != nullptr) core_->abandon(this);
}

StatusCode PendingReply::respond(const void* data, uint32_t length) {
  return core_ == nullptr ? StatusCode::kNotFound : core_->respond(this, data, length);
}

StatusCode PendingReply::respond(Buffer&& response) {
  return core_ == nullptr ? StatusCode::kNotFound : core_->respond(this, std::move(response));
}

StatusCode PendingReply::reject(StatusCode code) {
  return core_ == nullptr ? StatusCode::kNotFound : core_->reject(this, code);
}

Handler::~Handler() = default;

void Handler::on_request(Request& request) { request.reject(StatusCode::kNotFound); }

void Handler::on_one_way(OneWay& /*one_way*/) {}

void Handler::on_stream(StreamChunk& /*chunk*/) {}

Landing Handler::on_offer(Offer& /*offer*/) { return Landing::refuse(); }

void Handler::on_lost(Endpoint& /*endpoint*/, uint16_t /*service*/, void* /*context*/,
                      StatusCode /*code*/) {}

void Handler::on_session_up(Endpoint& /*endpoint*/, Session /*session*/) {}

void Handler::on_session_down(Endpoint& /*endpoint*/, Session /*session*/, StatusCode /*code*/) {}

}  // namespace sluice
