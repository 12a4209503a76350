// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_peer.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/byte_order.h"
#include "base/check.h"
#include "base/hash.h"
#include "sim/fault_wire.h"

namespace sluice::sim {
namespace {

using base::Code;
using transport::Event;
using transport::EventKind;

constexpr uint32_t kStreamWindow = 32'768;
constexpr size_t kWatched = 16;  // Landing memories watched after their calls.

uint64_t payload_word(uint16_t tag, bool response, uint64_t index) {
  return base::mix64(index, uint64_t{tag} << 1 | (response ? 1 : 0));
}

// Every 64 bytes a marker in clear, which sealing has to hide; the rest follows the tag.
uint8_t payload_byte(uint16_t tag, bool response, uint64_t offset) {
  if (offset % 64 < sizeof(kPlaintextMarker)) return kPlaintextMarker[offset % 64];
  return static_cast<uint8_t>(payload_word(tag, response, offset / 8) >> (offset % 8 * 8));
}

uint64_t hash_of(const std::vector<uint8_t>& bytes) {
  uint64_t hash = bytes.size();
  for (const uint8_t byte : bytes) hash = base::mix64(hash, byte);
  return hash;
}

}  // namespace

void fill_payload(uint16_t tag, bool response, std::vector<uint8_t>* bytes) {
  for (size_t i = 0; i < bytes->size(); ++i) (*bytes)[i] = payload_byte(tag, response, i);
}

bool payload_matches(uint16_t tag, bool response, const uint8_t* bytes, uint32_t length,
                     uint32_t offset) {
  for (uint32_t i = 0; i < length; ++i) {
    if (bytes[i] != payload_byte(tag, response, uint64_t{offset} + i)) return false;
  }
  return true;
}

void CallBook::audit() {
  for (size_t tag = 0; tag < calls_.size(); ++tag) {
    const CallRecord& call = calls_[tag];
    const auto accuse_call = [this, tag, &call](const char* what) {
      accuse(absl::StrCat("call ", tag, " (", call.size, " bytes): ", what));
    };
    if (call.executed > 1) accuse_call("was executed twice");
    if (!call.completed) continue;
    const bool ok = call.code == Code::kOk;
    // A one-way message is complete when the peer holds it; a crash may take it away again.
    const bool held_only = call.response_size == 0 && crashes_[1 - call.caller] != 0;
    if (ok && call.executed != 1 && !held_only) accuse_call("completed, and was not executed");
    if (!ok && !call.may_have_executed && call.executed != 0) {
      accuse_call("was executed, and its caller told that it was not");
    }
  }
}

FaultPeer::FaultPeer(int side, const FaultPlan& plan, crypto::AeadBackend* backend,
                     const crypto::Primitives* primitives, CallBook* book, FaultCounts* counts)
    : side_(side),
      plan_(plan),
      backend_(backend),
      primitives_(primitives),
      book_(*book),
      counts_(*counts),
      prng_(base::mix64(plan.seed, 100 + static_cast<uint64_t>(side))),
      calls_left_(plan.calls) {
  endpoint_ = std::make_unique<transport::Endpoint>(plan.config[side], backend_, primitives_);
}

bool FaultPeer::chooses(FaultKind kind) {
  const uint32_t rate = plan_.rate_of(kind);
  if (behaving_ || rate == 0 || prng_.uniform(1'000'000) >= rate) return false;
  ++counts_[static_cast<size_t>(kind)];
  return true;
}

void FaultPeer::accuse(uint16_t tag, const char* what) {
  book_.accuse(absl::StrCat("side ", side_, ", call ", tag, " (", book_[tag].size, " bytes, ",
                            book_[tag].response_size, " back): ", what));
}

void FaultPeer::crash() {
  book_.note_crash(side_);
  check_quiet_memory();
  endpoint_.reset();
  hoard_.clear();
  under_way_.clear();
  answers_.clear();
  lent_.clear();
  finished_.clear();
  lane_up_ = false;
  deaf_until_ = base::Nanos::zero();
  endpoint_ = std::make_unique<transport::Endpoint>(plan_.config[side_], backend_, primitives_);
}

void FaultPeer::hoard() {
  for (uint32_t size = 1u << 20; size >= 256; size /= 2) {
    while (uint8_t* memory = endpoint_->allocate(size)) hoard_.push_back(memory);
  }
}

void FaultPeer::release_hoard() {
  for (uint8_t* memory : hoard_) endpoint_->release(memory);
  hoard_.clear();
}

base::Nanos FaultPeer::next_due() const {
  base::Nanos due = base::Nanos::max();
  for (const Answer& answer : answers_) due = std::min(due, answer.due);
  return due;
}

void FaultPeer::work(base::Nanos now) {
  if (now >= deaf_until_) {
    Event events[4];
    while (const size_t count = endpoint_->poll_events(events)) {
      for (size_t i = 0; i < count; ++i) on_event(events[i], now);
    }
  }
  for (size_t i = answers_.size(); i-- > 0;) {
    if (answers_.front().due <= now) {
      answer(answers_.front(), now);
    } else {
      answers_.push_back(answers_.front());
    }
    answers_.pop_front();
  }
  if (!under_way_.empty() && chooses(FaultKind::kCancel)) cancel_one(now);
  while (calls_left_ > 0 && lane_up_ && under_way_.size() < plan_.outstanding) {
    const bool hurried = chooses(FaultKind::kShortDeadline);
    const base::Nanos timeout =
        hurried ? base::Nanos(1 + prng_.uniform(3'000'000)) : base::seconds(20);
    if (!start_call(now, timeout)) return;
    --calls_left_;
  }
}

bool FaultPeer::start_call(base::Nanos now, base::Nanos timeout) {
  if (book_.all().size() > UINT16_MAX) return false;
  CallRecord record;
  record.caller = static_cast<uint8_t>(side_);
  // As many short ones as long ones, by powers of two.
  const auto any_size = [this](uint32_t most) {
    const uint32_t top = most >> prng_.uniform(12);
    return static_cast<uint32_t>(1 + prng_.uniform(std::max(top, 1u)));
  };
  record.size = any_size(plan_.longest_message);
  record.response_size = prng_.uniform(4) == 0 ? 0 : any_size(plan_.longest_message);
  const uint16_t tag = book_.add(record);
  return submit(tag, now, timeout);
}

uint16_t FaultPeer::probe(base::Nanos now) {
  CallRecord record;
  record.caller = static_cast<uint8_t>(side_);
  record.size = record.response_size = 64;
  const uint16_t tag = book_.add(record);
  if (!submit(tag, now, base::seconds(5))) accuse(tag, "a call was refused when all was quiet");
  return tag;
}

bool FaultPeer::submit(uint16_t tag, base::Nanos now, base::Nanos timeout) {
  CallRecord& record = book_[tag];
  UnderWay& call = under_way_[tag];
  call.data.resize(record.size);
  fill_payload(tag, false, &call.data);
  transport::SubmitResult result;
  if (record.response_size == 0) {
    transport::SendOneWay command;
    command.lane = lane_;
    command.service = tag;
    command.data = call.data.data();
    command.length = record.size;
    command.deadline = base::after(now, timeout);
    command.user = tag;
    command.lazy_ack = tag % 2 == 0;
    result = endpoint_->submit(command, now);
  } else {
    transport::SendRequest command;
    command.lane = lane_;
    command.service = tag;
    command.data = call.data.data();
    command.length = record.size;
    command.deadline = base::after(now, timeout);
    command.user = tag;
    switch (prng_.uniform(3)) {
      case 0:
        call.landing.resize(record.response_size);
        command.response = {transport::LandingMode::kNamed, call.landing.data(),
                            record.response_size};
        break;
      case 1:
        command.response = {transport::LandingMode::kStream, nullptr, kStreamWindow};
        break;
      default:
        break;
    }
    result = endpoint_->submit(command, now);
  }
  if (!result.ok()) {
    under_way_.erase(tag);
    const bool fair = result.code == Code::kResourceExhausted || result.code == Code::kClosed;
    if (!fair) accuse(tag, "was refused for no good reason");
    return false;
  }
  call.exchange = result.exchange;
  record.submitted = true;
  return true;
}

void FaultPeer::cancel_one(base::Nanos now) {
  if (under_way_.empty()) return;
  auto it = under_way_.begin();
  std::advance(it, static_cast<ptrdiff_t>(prng_.uniform(under_way_.size())));
  book_[it->first].cancelled = true;
  endpoint_->submit(transport::Cancel{it->second.exchange}, now);
}

void FaultPeer::on_event(const Event& event, base::Nanos now) {
  switch (event.kind) {
    case EventKind::kRequest:
      on_request(event, now);
      return;
    case EventKind::kOneWay: {
      CallRecord& call = book_[event.service];
      ++call.executed;
      if (event.length != call.size ||
          !payload_matches(event.service, false, event.data, event.length, 0)) {
        accuse(event.service, "a one-way message arrived changed");
      }
      endpoint_->submit(transport::ReleaseMessage{event.exchange}, now);
      return;
    }
    case EventKind::kStream:
      on_stream(event, now);
      return;
    case EventKind::kCallDone:
      on_call_done(event, now);
      return;
    case EventKind::kSendDone: {
      const auto lent = lent_.find(event.user);
      if (lent != lent_.end()) {
        lent_.erase(lent);
      } else {
        finish(static_cast<uint16_t>(event.user), event, now);
      }
      return;
    }
    case EventKind::kLaneDown:
      if (event.lane == lane_) lane_up_ = false;
      return;
    default:
      return;
  }
}

void FaultPeer::on_request(const Event& event, base::Nanos now) {
  CallRecord& call = book_[event.service];
  if (event.length != call.size ||
      !payload_matches(event.service, false, event.data, event.length, 0)) {
    accuse(event.service, "a request arrived changed");
  }
  if (chooses(FaultKind::kReject)) {
    endpoint_->submit(transport::Reject{event.exchange, Code::kNotFound}, now);
    return;
  }
  ++call.executed;
  Answer reply{now, event.exchange, event.service};
  if (chooses(FaultKind::kLateAnswer))
    reply.due = base::after(now, base::Nanos(prng_.uniform(50'000'000)));
  answers_.push_back(reply);
}

// Short answers are copied by the endpoint; longer ones are lent, or lie in its own memory.
void FaultPeer::answer(const Answer& reply, base::Nanos now) {
  std::vector<uint8_t> data(book_[reply.tag].response_size);
  fill_payload(reply.tag, true, &data);
  transport::Respond command;
  command.exchange = reply.exchange;
  command.length = static_cast<uint32_t>(data.size());
  command.data = data.data();
  command.user = 0x10000u + reply.tag;
  if (data.size() > transport::kInlineBytes) {
    uint8_t* owned = prng_.uniform(2) == 0 ? endpoint_->allocate(command.length) : nullptr;
    if (owned != nullptr) {
      std::memcpy(owned, data.data(), data.size());
      command.data = owned;
      command.owned = true;
    } else {
      command.data = (lent_[command.user] = std::move(data)).data();
    }
  }
  const Code code = endpoint_->submit(command, now);
  if (code == Code::kOk) return;
  // The caller has given up, or the session is gone: what was lent is ours again.
  const bool ours = command.owned && code != Code::kCancelled;
  if (ours) endpoint_->release(const_cast<uint8_t*>(command.data));
  lent_.erase(command.user);
}

void FaultPeer::on_stream(const Event& event, base::Nanos now) {
  const auto found = under_way_.find(static_cast<uint16_t>(event.user));
  if (found == under_way_.end()) return;
  UnderWay& call = found->second;
  if (event.length == 0) return;
  if (event.offset != call.streamed ||
      !payload_matches(found->first, true, event.data, event.length, event.offset)) {
    accuse(found->first, "a stream arrived changed");
  }
  call.streamed += event.length;
  if (chooses(FaultKind::kSlowConsumer)) return;  // Its window stays taken until it ends.
  endpoint_->submit(transport::Consume{event.exchange, event.length}, now);
}

void FaultPeer::on_call_done(const Event& event, base::Nanos now) {
  finish(static_cast<uint16_t>(event.user), event, now);
  endpoint_->submit(transport::ReleaseMessage{event.exchange}, now);
}

void FaultPeer::finish(uint16_t tag, const Event& event, base::Nanos) {
  CallRecord& record = book_[tag];
  const auto found = under_way_.find(tag);
  if (found == under_way_.end() || record.completed) {
    accuse(tag, "completed twice");
    return;
  }
  record.completed = true;
  record.code = event.code;
  record.may_have_executed = event.may_have_executed;
  UnderWay& call = found->second;
  if (event.code == Code::kOk && record.response_size != 0) {
    const bool streamed = event.data == nullptr;
    const uint32_t length = streamed ? call.streamed : event.length;
    if (length != record.response_size) accuse(tag, "a response of another length");
    if (!streamed && !payload_matches(tag, true, event.data, event.length, 0)) {
      accuse(tag, "a response arrived changed");
    }
  }
  if (!call.landing.empty()) {
    const uint64_t hash = hash_of(call.landing);
    finished_.push_back({tag, std::move(call.landing), hash});
  }
  under_way_.erase(found);
  if (finished_.size() > kWatched) {
    check_quiet_memory();
    finished_.pop_front();
  }
}

void FaultPeer::check_quiet_memory() {
  for (const Finished& call : finished_) {
    if (hash_of(call.landing) != call.hash) {
      accuse(call.tag, "its memory was written after its completion");
    }
  }
}

}  // namespace sluice::sim
