// SPDX-License-Identifier: Apache-2.0
#include "cli/services.h"

#include <utility>

#include "sluice/buffer.h"

namespace sluice::cli {

Services::Services(const Content* content, uint32_t max_message)
    : content_(content), max_message_(max_message), streams_(kMaxStreams) {
  free_streams_.reserve(streams_.size());
  for (Stream& stream : streams_) free_streams_.push_back(&stream);
}

StatusCode Services::install(Endpoint& endpoint) {
  endpoint.ask_landing(kSinkService);
  const StatusCode code = endpoint.set_handler(kEchoService, this);
  return code == StatusCode::kOk ? endpoint.set_handler(kSinkService, this) : code;
}

// One writer: a load and a store cost less than an atomic addition.
void Services::count(std::atomic<uint64_t>* counter, uint64_t by) {
  counter->store(counter->load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

bool Services::right(std::span<const uint8_t> bytes, uint64_t* id) const {
  const auto number = content_->number_of(bytes);
  if (!number || bytes.size() > max_message_) return false;
  *id = *number;
  return Content::matches(content_->request(*id, static_cast<uint32_t>(bytes.size())), 0, bytes);
}

void Services::on_request(Request& request) {
  uint64_t id = 0;
  count(&counters_.requests);
  count(&counters_.request_bytes, request.length());
  if (!right(request.bytes(), &id)) {
    count(&counters_.corrupt);
    request.reject(StatusCode::kDataLoss);
    return;
  }
  const uint32_t length =
      request.service() == kSinkService ? Content::kWordBytes : request.length();
  const uint8_t* answer = content_->response(id, length);
  if (length <= kInlineResponseBytes) {
    request.respond(answer, length);
  } else {
    request.respond(Buffer::borrow(answer, length));
  }
}

void Services::on_one_way(OneWay& one_way) {
  uint64_t id = 0;
  count(&counters_.one_ways);
  count(&counters_.request_bytes, one_way.message.length());
  if (!right(one_way.message.bytes(), &id)) count(&counters_.corrupt);
}

Landing Services::on_offer(Offer& offer) {
  if (offer.length > max_message_ || free_streams_.empty()) {
    count(&counters_.refused);
    return Landing::refuse();
  }
  Stream* stream = free_streams_.back();
  free_streams_.pop_back();
  *stream = {0, offer.length, true};
  offer.context = stream;
  return Landing::stream(kStreamWindow);
}

void Services::on_stream(StreamChunk& chunk) {
  Stream& stream = *static_cast<Stream*>(chunk.context());
  count(&counters_.request_bytes, chunk.length());
  if (chunk.offset() == 0 && chunk.length() > 0) {
    const auto number = content_->number_of(chunk.bytes());
    stream.right = number.has_value();
    stream.id = number.value_or(0);
  }
  if (stream.right) {
    const uint8_t* expected = content_->request(stream.id, stream.length);
    stream.right = Content::matches(expected, chunk.offset(), chunk.bytes());
  }
  if (chunk.last()) end_stream(chunk, stream);
}

void Services::end_stream(StreamChunk& chunk, Stream& stream) {
  count(chunk.request() != nullptr ? &counters_.requests : &counters_.one_ways);
  if (!stream.right) count(&counters_.corrupt);
  free_streams_.push_back(&stream);
  if (chunk.request() == nullptr) return;
  if (stream.right) {
    chunk.request()->respond(content_->response(stream.id, Content::kWordBytes),
                             Content::kWordBytes);
  } else {
    chunk.request()->reject(StatusCode::kDataLoss);
  }
}

void Services::on_lost(Endpoint& /*endpoint*/, uint16_t /*service*/, void* context,
                       StatusCode /*code*/) {
  if (context != nullptr) free_streams_.push_back(static_cast<Stream*>(context));
}

void Services::on_session_up(Endpoint& /*endpoint*/, Session /*session*/) {
  count(&counters_.sessions);
}

}  // namespace sluice::cli
