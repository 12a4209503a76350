// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_peer.h"

#include <algorithm>
#include <bit>
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
constexpr size_t kWatched = 16;        // Landing memories watched after their calls.
constexpr size_t kMostCalls = 60'000;  // The rest of the tags is for probes.
constexpr uint32_t kLargestBlock = 1u << 20;
constexpr uint32_t kSmallestBlock = 256;

uint64_t payload_seed(uint16_t tag, bool response) {
  return uint64_t{tag} << 1 | (response ? 1 : 0);
}

// The eight bytes from `index` * 8 on. Every 64 bytes a marker in clear, which sealing has to hide;
// the rest follows the tag.
uint64_t payload_word(uint64_t seed, uint64_t index) {
  if (index % 8 == 0) return base::load_be64(kPlaintextMarker);
  return base::folded_multiply(index ^ 0xA0761D6478BD642Fu, seed ^ 0xE7037ED1A0B428DBu);
}

uint8_t payload_byte(uint64_t seed, uint64_t offset) {
  return static_cast<uint8_t>(payload_word(seed, offset / 8) >> (56 - offset % 8 * 8));
}

uint64_t hash_of(const std::vector<uint8_t>& bytes) {
  uint64_t hash = bytes.size();
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    hash = base::mix64(hash, base::load_be64(bytes.data() + at));
  }
  for (; at < bytes.size(); ++at) hash = base::mix64(hash, bytes[at]);
  return hash;
}

}  // namespace

// Two sides that have both filled their tables with their own calls, or their memory with answers
// to the other's, wait for each other; whoever lets a window stand full may hold up all others.
bool is_roomy(const FaultPlan& plan) {
  const uint64_t block = std::bit_ceil(std::max(plan.longest_message, kSmallestBlock));
  for (const transport::EndpointConfig& config : plan.config) {
    if (2 * plan.outstanding > config.max_exchanges) return false;
    if (2 * plan.outstanding * block > config.arena_bytes) return false;
  }
  return plan.rate_of(FaultKind::kSlowConsumer) == 0;
}

void fill_payload(uint16_t tag, bool response, std::vector<uint8_t>* bytes) {
  const uint64_t seed = payload_seed(tag, response);
  size_t at = 0;
  for (; at + 8 <= bytes->size(); at += 8) {
    base::store_be64(bytes->data() + at, payload_word(seed, at / 8));
  }
  for (; at < bytes->size(); ++at) (*bytes)[at] = payload_byte(seed, at);
}

bool payload_matches(uint16_t tag, bool response, const uint8_t* bytes, uint32_t length,
                     uint32_t offset) {
  const uint64_t seed = payload_seed(tag, response);
  const uint64_t end = uint64_t{offset} + length;
  uint64_t at = offset;
  while (at < end) {
    const uint8_t* here = bytes + (at - offset);
    if (at % 8 == 0 && at + 8 <= end) {
      if (base::load_be64(here) != payload_word(seed, at / 8)) return false;
      at += 8;
    } else {
      if (*here != payload_byte(seed, at)) return false;
      ++at;
    }
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
      port_(backend, plan.contexts[static_cast<size_t>(side)]),
      calls_left_(plan.calls) {
  make_endpoint();
  all_memory_ = take_all(nullptr);
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
  make_endpoint();
}

// With the endpoint that was there go its contexts.
void FaultPeer::make_endpoint() {
  endpoint_.reset();
  endpoint_ = std::make_unique<transport::Endpoint>(plan_.config[static_cast<size_t>(side_)],
                                                    backend_, primitives_, &port_);
}

uint64_t FaultPeer::take_all(std::vector<uint8_t*>* keep) {
  std::vector<uint8_t*> taken;
  uint64_t bytes = 0;
  for (uint32_t size = kLargestBlock; size >= kSmallestBlock; size /= 2) {
    while (uint8_t* memory = endpoint_->allocate(size)) {
      taken.push_back(memory);
      bytes += size;
    }
  }
  if (keep != nullptr) {
    keep->insert(keep->end(), taken.begin(), taken.end());
    return bytes;
  }
  for (uint8_t* memory : taken) endpoint_->release(memory);
  return bytes;
}

void FaultPeer::hoard() { take_all(&hoard_); }

const char* FaultPeer::remains() {
  if (!answers_.empty()) return "an answer is due";
  if (!endpoint_->idle()) return "the endpoint holds exchanges";
  if (!lent_.empty()) return "the memory of a response was never given back";
  if (!lane_up_ && port_.contexts() != 0) return "a port's context was never given back";
  if (hoard_.empty() && take_all(nullptr) != all_memory_) return "landing memory is lost";
  return nullptr;
}

bool FaultPeer::clean() { return remains() == nullptr; }

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
    if (!start_call(now, timeout, hurried)) return;
    --calls_left_;
  }
}

bool FaultPeer::start_call(base::Nanos now, base::Nanos timeout, bool hurried) {
  if (book_.all().size() > kMostCalls) return false;
  CallRecord record;
  record.caller = static_cast<uint8_t>(side_);
  record.hurried = hurried;
  // As many short ones as long ones, by powers of two.
  const auto any_size = [this](uint32_t most) {
    const uint32_t top = most >> prng_.uniform(12);
    return static_cast<uint32_t>(1 + prng_.uniform(std::max(top, 1u)));
  };
  record.size = any_size(plan_.longest_message);
  record.response_size =
      prng_.uniform(100) < plan_.one_way_percent ? 0 : any_size(plan_.longest_message);
  const uint16_t tag = book_.add(record);
  return submit(tag, now, timeout);
}

uint16_t FaultPeer::probe(uint32_t size, base::Nanos now) {
  CallRecord record;
  record.caller = static_cast<uint8_t>(side_);
  record.size = record.response_size = size;
  const uint16_t tag = book_.add(record);
  if (!submit(tag, now, base::seconds(5))) accuse(tag, "a call was refused when all was quiet");
  return tag;
}

bool FaultPeer::submit(uint16_t tag, base::Nanos now, base::Nanos timeout) {
  CallRecord& record = book_[tag];
  UnderWay& call = under_way_[tag];
  call.data.resize(record.size);
  fill_payload(tag, false, &call.data);
  Code code = Code::kOk;
  if (record.response_size == 0) {
    transport::SendOneWay command;
    command.lane = lane_;
    command.service = tag;
    command.data = call.data.data();
    command.length = record.size;
    command.deadline = base::after(now, timeout);
    command.user = tag;
    command.lazy_ack = tag % 2 == 0 || plan_.one_way_percent > 50;
    code = endpoint_->submit(command, now, &call.exchange);
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
        command.response = {transport::LandingMode::kNamed, record.response_size,
                            call.landing.data()};
        break;
      case 1:
        command.response = {transport::LandingMode::kStream, kStreamWindow, nullptr};
        break;
      default:
        break;
    }
    code = endpoint_->submit(command, now, &call.exchange);
  }
  if (code != Code::kOk) {
    under_way_.erase(tag);
    const bool fair = code == Code::kResourceExhausted || code == Code::kClosed;
    if (!fair) accuse(tag, "was refused for no good reason");
    return false;
  }
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
  if (event.code == Code::kDeadlineExceeded && !record.hurried && is_roomy(plan_)) {
    accuse(tag, "missed a far deadline");
  }
  // Its peer reads its events before its packets leave, unless it is made to let them lie.
  const bool prompt = plan_.rate_of(FaultKind::kSlowEvents) == 0;
  if (event.code == Code::kOk && record.executed == 0 && prompt) {
    accuse(tag, "completed before it was executed");
  }
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
    check_quiet(finished_.front());
    finished_.pop_front();
  }
}

void FaultPeer::check_quiet(const Finished& call) {
  if (hash_of(call.landing) != call.hash) {
    accuse(call.tag, "its memory was written after its completion");
  }
}

void FaultPeer::check_quiet_memory() {
  for (const Finished& call : finished_) check_quiet(call);
}

}  // namespace sluice::sim
