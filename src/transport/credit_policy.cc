// SPDX-License-Identifier: Apache-2.0
#include "transport/credit_policy.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::transport {
namespace {

// SIRD's floors of the two windows, as parts of the largest (its ns-2 configuration): 0.1 and 0.03
// of a bandwidth-delay product; never below two packets, so that a sender is always heard again.
uint32_t host_floor(uint32_t most, uint32_t packet) {
  return std::min(most, std::max(most / 10, 2 * packet));
}
uint32_t network_floor(uint32_t most, uint32_t packet) {
  return std::min(most, std::max(most / 33, 2 * packet));
}

}  // namespace

CreditPolicy::CreditPolicy(const EndpointConfig& config)
    : credit_(config.credit_bytes),
      more_credit_(std::max(config.most_credit_bytes, config.credit_bytes) - config.credit_bytes),
      board_(config.credit_board),
      member_(config.credit_member),
      increment_(config.grant_increment),
      fifo_share_(config.fifo_share),
      ranked_(config.grant_policy == GrantPolicyKind::kHybrid),
      most_(std::max(config.sender_credit_bytes, 2 * config.max_packet)),
      packet_(config.max_packet),
      spread_(std::max(config.credit_spread, 1u)),
      senders_(config.busy_lanes()) {
  for (Sender& sender : senders_) start(sender);
}

void CreditPolicy::start(Sender& sender) const {
  using Growth = AimdWindow::Growth;
  sender.host = AimdWindow(host_floor(most_, packet_), most_, packet_,
                           ranked_ ? Growth::kDouble : Growth::kPacket);
  sender.network = AimdWindow(network_floor(most_, packet_), most_, packet_);
}

uint64_t CreditPolicy::credit() const {
  const int64_t above = std::max<int64_t>(4 * congested_share_ - 3 * AimdWindow::kWhole, 0);
  return credit_ + more_credit_ * static_cast<uint64_t>(above) / AimdWindow::kWhole;
}

uint32_t CreditPolicy::allowance(uint32_t sender) const {
  // Receivers choose their senders without knowing of each other, so that two may choose the same;
  // who has put all its credit there stands still.
  const uint32_t share = std::max(most_ / std::clamp(waiting_senders_, 1u, spread_),
                                  static_cast<uint32_t>(credit_ / kLeastShare));
  return std::min({senders_[sender].host.bytes(), senders_[sender].network.bytes(), share});
}

void CreditPolicy::enqueue(Grantable& message) {
  waiting_.insert(message, message.remaining());
  message.blocked = false;
  if (message.age_node.linked()) return;
  by_age_.push_back(message);
  if (senders_[message.sender].waiting++ == 0) ++waiting_senders_;
}

void CreditPolicy::take_out(Grantable& message) {
  if (message.node.linked()) {
    if (message.blocked) {
      senders_[message.sender].blocked.erase(message);
    } else {
      waiting_.erase(message);
    }
  }
  message.blocked = false;
  if (!message.age_node.linked()) return;
  by_age_.erase(message);
  if (--senders_[message.sender].waiting == 0) --waiting_senders_;
}

void CreditPolicy::add(Grantable* message) {
  SLUICE_DCHECK(message->received <= message->granted);
  const uint32_t unscheduled = message->granted - message->received;
  Sender& sender = senders_[message->sender];
  if (sender.lane != message->lane) {
    SLUICE_DCHECK(sender.outstanding == 0 && sender.waiting == 0 && sender.blocked.empty());
    sender.lane = message->lane;
    start(sender);
  }
  outstanding_ += unscheduled;
  sender.outstanding += unscheduled;
  dirty_ = true;
  if (can_grant(*message)) enqueue(*message);
}

uint32_t CreditPolicy::solicit(uint32_t wanted, uint32_t least) {
  const uint64_t all = own_credit();
  const uint64_t taken = outstanding_ + solicited_;
  const uint64_t free = all > taken ? all - taken : 0;
  const auto given = static_cast<uint32_t>(std::clamp<uint64_t>(free, least, wanted));
  solicited_ += given;
  return given;
}

void CreditPolicy::unsolicit(uint32_t bytes) {
  SLUICE_DCHECK(solicited_ >= bytes);
  solicited_ -= bytes;
}

void CreditPolicy::unblock(Sender& sender, Grantable& message) {
  sender.blocked.erase(message);
  enqueue(message);
}

// The shortest; and the oldest of all, which would else wait behind them for ever.
void CreditPolicy::unblock(Sender& sender) {
  for (uint32_t i = 0; i < kMostUnblocked; ++i) {
    Grantable* const message = sender.blocked.front();
    if (message == nullptr) return;
    unblock(sender, *message);
  }
  Grantable* const oldest = by_age_.front();
  if (oldest != nullptr && oldest->blocked && &senders_[oldest->sender] == &sender) {
    unblock(sender, *oldest);
  }
}

void CreditPolicy::on_progress(Grantable* message, const Arrival& arrival) {
  Sender& sender = senders_[message->sender];
  SLUICE_DCHECK(outstanding_ >= arrival.bytes && sender.outstanding >= arrival.bytes);
  outstanding_ -= arrival.bytes;
  sender.outstanding -= arrival.bytes;
  dirty_ = true;
  if (arrival.bytes != 0) {
    // Over what some round trips bring.
    const int64_t period = static_cast<int64_t>(std::max<uint64_t>(4 * credit_, arrival.bytes));
    const int64_t whole = AimdWindow::kWhole;
    congested_share_ += (whole * arrival.congested - congested_share_ * arrival.bytes) / period;
    sender.host.on_arrival(arrival.bytes, ranked_ ? arrival.outranked : arrival.congested);
    sender.network.on_arrival(arrival.bytes, arrival.marked);
    unblock(sender);
  }
  if (message->active && message->granted == message->received) deactivate(*message);
  if (message->node.linked()) {
    if (message->blocked) {
      sender.blocked.update(*message, message->remaining());
    } else {
      waiting_.update(*message, message->remaining());
    }
  } else if (can_grant(*message)) {
    enqueue(*message);  // Its limit rose.
  }
}

void CreditPolicy::remove(Grantable* message) {
  const uint32_t under_way = message->granted - message->received;
  outstanding_ -= under_way;
  Sender& sender = senders_[message->sender];
  sender.outstanding -= under_way;
  dirty_ = true;
  take_out(*message);
  if (message->active) deactivate(*message);
  unblock(sender);
}

void CreditPolicy::activate(Grantable& message) {
  if (message.active || active_count_ == kMaxRanked) return;
  message.active = true;
  active_[active_count_++] = &message;
}

void CreditPolicy::deactivate(Grantable& message) {
  message.active = false;
  for (uint32_t i = 0; i < active_count_; ++i) {
    if (active_[i] != &message) continue;
    active_[i] = active_[--active_count_];
    return;
  }
  SLUICE_CHECK(false);
}

// The fewest bytes left, the highest priority; as few levels as there are messages under way, from
// the bottom, so that a new short one finds a level above (Homa, SIGCOMM 2018 §3.4). Where many are
// under way none is left, and the new one would wait behind all that was granted to the shortest
// before: what little is left of a message goes with the lowest of what comes unasked (Homa's own
// simulator raises the last round trip of each message so).
uint8_t CreditPolicy::priority_of(Grantable& message) {
  if (!ranked_) return 0;
  activate(message);
  if (message.remaining() <= credit_ / kTailShare) return levels_;
  uint32_t shorter = 0;
  for (uint32_t i = 0; i < active_count_; ++i) {
    if (active_[i] != &message && active_[i]->remaining() < message.remaining()) ++shorter;
  }
  const uint32_t levels = std::clamp<uint32_t>(active_count_, 1, levels_);
  return static_cast<uint8_t>(shorter < levels ? levels - 1 - shorter : 0);
}

CreditPolicy::Ahead CreditPolicy::ahead_of(const Grantable& message) const {
  const uint64_t own = message.active ? 0 : message.granted - message.received;
  Ahead out{own, own};
  for (uint32_t i = 0; i < active_count_; ++i) {
    const Grantable& other = *active_[i];
    if (other.remaining() / kMuchLonger > message.remaining()) continue;
    const uint64_t under_way = other.granted - other.received;
    out.of_all += under_way;
    if (other.sender == message.sender) out.of_sender += under_way;
  }
  return out;
}

bool CreditPolicy::overtakes(const Grantable& message, uint64_t step) const {
  if (!ranked_) return false;
  const Sender& sender = senders_[message.sender];
  const Ahead ahead = ahead_of(message);
  const uint64_t allowed = allowance(message.sender);
  const bool sender_serves = sender.outstanding == 0 || ahead.of_sender + step <= allowed;
  return sender_serves && ahead.of_all + step <= limit_ &&
         outstanding_ + step <= limit_ + limit_ / kOvertakingShare;
}

Grantable* CreditPolicy::next() {
  const bool oldest = fifo_share_ != 0 && fifo_owed_ >= uint64_t{fifo_share_} * increment_;
  if (oldest) {
    fifo_owed_ = 0;
    Grantable* message = by_age_.front();
    if (message != nullptr && !message->blocked) return message;
  }
  return waiting_.front();
}

uint32_t CreditPolicy::step_for(Grantable& message) {
  Sender& sender = senders_[message.sender];
  const uint32_t wanted = message.goal() - message.granted;
  // Less than the increment is worth a packet only when it is the last.
  const uint64_t increment = increment_ * std::min<uint64_t>(credit() / credit_, kCoarsestGrant);
  const auto least = static_cast<uint32_t>(
      std::min<uint64_t>(wanted, std::max<uint64_t>(increment, message.unit)));
  const uint64_t allowed = allowance(message.sender);
  const uint64_t room = allowed > sender.outstanding ? allowed - sender.outstanding : 0;
  const uint64_t free = limit_ > outstanding_ ? limit_ - outstanding_ : 0;
  // A sender with nothing under way always gets a step, however small its window has become.
  const bool sender_full = room < least && sender.outstanding != 0;
  if (sender_full || free < least) {
    if (overtakes(message, least)) return message.whole(message.granted + least) - message.granted;
    if (!sender_full) return 0;
    waiting_.erase(message);
    sender.blocked.insert(message, message.remaining());
    message.blocked = true;
    return 0;
  }
  const uint64_t most = std::min<uint64_t>({wanted, free, std::max<uint64_t>(room, least)});
  // Whole packets: its sender would keep back the rest, and the credit would be stuck.
  return message.whole(message.granted + most) - message.granted;
}

size_t CreditPolicy::decide(base::Nanos, std::span<GrantDecision> out) {
  if (!dirty_) return 0;
  dirty_ = false;
  limit_ = own_credit();
  const size_t count = grant(out);
  publish();
  return count;
}

void CreditPolicy::publish() {
  if (board_ != nullptr) board_->publish_granted(member_, outstanding_, !by_age_.empty());
}

size_t CreditPolicy::grant(std::span<GrantDecision> out) {
  size_t count = 0;
  while (count < out.size()) {
    Grantable* message = next();
    if (message == nullptr) return count;
    const uint32_t step = step_for(*message);
    if (step == 0) {
      if (message->blocked) continue;  // Its sender's turn is over, not everybody's.
      return count;                    // No credit is left.
    }
    message->granted += step;  // PROTOCOL MUST-T4: a grant always adds something.
    outstanding_ += step;
    senders_[message->sender].outstanding += step;
    fifo_owed_ += step;
    if (!can_grant(*message)) take_out(*message);
    out[count++] = {message, message->granted, priority_of(*message)};
  }
  dirty_ = true;
  return count;
}

}  // namespace sluice::transport
