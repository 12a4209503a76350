// SPDX-License-Identifier: Apache-2.0
#include "cli/caller.h"

#include <algorithm>
#include <cmath>

#include "sluice/buffer.h"

namespace sluice::cli {
namespace {

// How soon an lcore that may sleep notices stop().
constexpr uint64_t kStopLook = 10'000'000;

}  // namespace

uint64_t CallerResults::failures() const {
  uint64_t sum = 0;
  for (uint64_t count : failed) sum += count;
  return sum;
}

void CallerResults::merge(const CallerResults& other) {
  const bool empty = completed + corrupt + failures() == 0;
  completed += other.completed;
  corrupt += other.corrupt;
  for (size_t i = 0; i < kStatusCodes; ++i) failed[i] += other.failed[i];
  request_bytes += other.request_bytes;
  response_bytes += other.response_bytes;
  begun_ns = empty ? other.begun_ns : std::min(begun_ns, other.begun_ns);
  ended_ns = std::max(ended_ns, other.ended_ns);
  for (size_t i = 0; i < base::kMaxSizeClasses; ++i) latency[i].merge(other.latency[i]);
  rounds.merge(other.rounds);
  beside_completed += other.beside_completed;
  beside_bytes += other.beside_bytes;
}

Caller::Caller(CallerConfig config)
    : config_(std::move(config)), prng_(config_.seed), slots_(config_.outstanding) {
  free_.reserve(slots_.size());
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    slots_[i].caller = this;
    free_.push_back(static_cast<uint32_t>(slots_.size()) - 1 - i);
  }
}

void Caller::install(Endpoint& endpoint) {
  endpoint_ = &endpoint;
  endpoint.set_task(&Caller::task, this);
}

uint64_t Caller::clock() const {
  return config_.precise_times ? config_.engine->now_ns() : endpoint_->now_ns();
}

bool Caller::may_begin() const {
  if (refused_ != StatusCode::kOk || stopping_.load(std::memory_order_relaxed)) return false;
  return config_.count == 0 || begun_ < config_.count + config_.warmup;
}

void Caller::task(void* context, Endpoint& endpoint) {
  static_cast<Caller*>(context)->fill(endpoint);
}

void Caller::fill(Endpoint& endpoint) {
  if (done_.load(std::memory_order_relaxed)) return rest(endpoint);
  const bool round_over = free_.size() == slots_.size();
  if (may_begin() && (!config_.in_rounds || round_over)) {
    if (config_.in_rounds) round_begun_ns_ = clock();
    while (!free_.empty() && may_begin() && due() && begin_call(endpoint)) {
    }
  }
  if (config_.beside != 0 && !beside_flies_ && may_begin()) begin_beside(endpoint);
  if (!may_begin() && free_.size() == slots_.size() && !beside_flies_) {
    done_.store(true, std::memory_order_release);
  }
  rest(endpoint);
}

void Caller::rest(Endpoint& endpoint) const {
  const uint64_t look = endpoint.now_ns() + kStopLook;
  if (config_.beside != 0 && !beside_flies_ && may_begin()) return;  // Tried again in each loop.
  const bool answers_only = free_.empty() || !may_begin();
  if (answers_only) return endpoint.rest_task(look);
  if (config_.load != 0 && pending_size_ == 0) endpoint.rest_task(std::min(look, due_ns_));
}

bool Caller::due() {
  if (config_.load == 0) return true;
  const uint64_t now = clock();
  if (due_ns_ == 0) due_ns_ = now;
  return now >= due_ns_;
}

uint64_t Caller::interval() {
  const double share = static_cast<double>(prng_.next_u64() >> 11) * 0x1p-53;  // In [0, 1).
  return static_cast<uint64_t>(-std::log1p(-share) * 1e9 / static_cast<double>(config_.load));
}

bool Caller::begin_call(Endpoint& endpoint) {
  const uint32_t size =
      pending_size_ != 0 ? pending_size_ : config_.workload.sample(prng_.next_u64());
  Slot& slot = slots_[free_.back()];
  slot.id = begun_;
  slot.size = size;
  slot.begun_ns = config_.load == 0 ? clock() : due_ns_;
  CallOptions options;
  options.service = config_.service;
  options.deadline_ns = config_.deadline_ns;
  const Session session = config_.sessions[next_session_];
  const StatusCode code =
      endpoint.call(session, options, Buffer::borrow(config_.content->request(slot.id, size), size),
                    &Caller::completed, &slot);
  if (code == StatusCode::kResourceExhausted) {
    pending_size_ = size;
    return false;
  }
  if (code != StatusCode::kOk) {
    refused_ = code;
    return false;
  }
  if (begun_ == config_.warmup) results_.begun_ns = slot.begun_ns;
  if (config_.load != 0) due_ns_ += interval();
  pending_size_ = 0;
  free_.pop_back();
  ++begun_;
  if (++next_session_ == config_.sessions.size()) next_session_ = 0;
  return true;
}

void Caller::completed(void* context, CallResult& result) {
  Slot& slot = *static_cast<Slot*>(context);
  slot.caller->end_call(slot, result);
}

void Caller::begin_beside(Endpoint& endpoint) {
  CallOptions options;
  options.service = kSinkService;
  options.deadline_ns = config_.deadline_ns;
  const uint8_t* bytes = config_.content->request(beside_id_, config_.beside);
  const StatusCode code =
      endpoint.call(config_.sessions.front(), options, Buffer::borrow(bytes, config_.beside),
                    &Caller::beside_completed, this);
  beside_flies_ = code == StatusCode::kOk;
  if (!beside_flies_ && code != StatusCode::kResourceExhausted) refused_ = code;
}

void Caller::beside_completed(void* context, CallResult& result) {
  static_cast<Caller*>(context)->end_beside(result);
}

void Caller::end_beside(CallResult& result) {
  beside_flies_ = false;
  const uint8_t* expected = config_.content->response(beside_id_, Content::kWordBytes);
  const bool right = result.response.length() == Content::kWordBytes &&
                     Content::matches(expected, 0, result.response.bytes());
  ++beside_id_;
  const bool measured = begun_ > config_.warmup;
  if (!went_well(result, right) || !measured) return;
  ++results_.beside_completed;
  results_.beside_bytes += config_.beside;
}

bool Caller::went_well(const CallResult& result, bool right) {
  // The server answers a request whose bytes are not what they should be with kDataLoss.
  const bool wrong = result.code == StatusCode::kOk ? !right : result.code == StatusCode::kDataLoss;
  if (wrong) {
    ++results_.corrupt;
  } else if (result.code != StatusCode::kOk) {
    ++results_.failed[std::min<size_t>(static_cast<size_t>(result.code), kStatusCodes - 1)];
  }
  return !wrong && result.code == StatusCode::kOk;
}

void Caller::end_call(Slot& slot, CallResult& result) {
  const uint64_t now = clock();
  const bool measured = slot.id >= config_.warmup;
  const bool right = result.code == StatusCode::kOk && response_right(slot, result);
  if (went_well(result, right) && measured) {
    ++results_.completed;
    results_.request_bytes += slot.size;
    results_.response_bytes += result.response.length();
    measure(slot, now);
  }
  results_.ended_ns = now;
  ++finished_;
  if (measured) ended_.store(ended_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  bytes_.store(results_.request_bytes, std::memory_order_relaxed);
  free_.push_back(static_cast<uint32_t>(&slot - slots_.data()));
  if (config_.in_rounds && free_.size() == slots_.size() && measured) {
    results_.rounds.record(now - round_begun_ns_);
  }
}

bool Caller::response_right(const Slot& slot, const CallResult& result) const {
  const uint32_t length = config_.service == kSinkService ? Content::kWordBytes : slot.size;
  if (result.response.length() != length) return false;
  return Content::matches(config_.content->response(slot.id, length), 0, result.response.bytes());
}

void Caller::measure(const Slot& slot, uint64_t now) {
  const uint64_t taken = now > slot.begun_ns ? now - slot.begun_ns : 0;
  results_.latency[config_.workload.class_of(slot.size)].record(taken);
}

}  // namespace sluice::cli
