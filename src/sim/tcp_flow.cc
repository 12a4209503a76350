// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_flow.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kLossAcks = 3;  // RFC 5681, section 3.2.
constexpr uint32_t kMostBackoff = 6;

}  // namespace

TcpSender::TcpSender(const TcpFlowConfig& config)
    : config_(config), control_(make_tcp_control(config.kind)) {}

// While it recovers, each repeated acknowledgement says that a segment has left the network.
bool TcpSender::has_segment() const {
  if (repeat_first_) return true;
  const auto window = static_cast<uint64_t>(std::max(control_->window(), 1.0));
  return next_ < acked_ + window + (recovering_ ? repeated_acks_ : 0);
}

uint64_t TcpSender::take_segment(Picos now) {
  if (deadline_ == Picos::max()) set_deadline(now);
  if (repeat_first_) {
    repeat_first_ = false;
    ++repeated_;
    return acked_;
  }
  const uint64_t segment = next_++;
  if (segment < most_sent_) {
    ++repeated_;
  } else {
    most_sent_ = next_;
    if (!timed_) {
      timed_ = segment;
      timed_at_ = now;
    }
  }
  return segment;
}

void TcpSender::on_ack(uint64_t next_expected, bool marked, Picos now) {
  if (next_expected > acked_) return on_new_ack(next_expected, marked, now);
  if (next_expected == acked_ && most_sent_ > acked_) on_repeated_ack();
}

void TcpSender::on_new_ack(uint64_t next_expected, bool marked, Picos now) {
  SLUICE_CHECK(next_expected <= most_sent_);
  measure(next_expected, now);
  const uint64_t segments = next_expected - acked_;
  acked_ = next_expected;
  next_ = std::max(next_, acked_);
  backoff_ = 0;
  if (recovering_ && acked_ < recover_) {
    // A partial acknowledgement: the next hole is lost too (RFC 6582, section 3.2).
    repeat_first_ = true;
    repeated_acks_ -= static_cast<uint32_t>(std::min<uint64_t>(segments, repeated_acks_));
  } else {
    recovering_ = repeat_first_ = false;
    repeated_acks_ = 0;
    control_->on_ack(static_cast<uint32_t>(segments), marked);
  }
  if (acked_ >= round_end_) {
    control_->on_round();
    round_end_ = most_sent_;
  }
  if (acked_ == most_sent_) {
    deadline_ = Picos::max();
  } else {
    set_deadline(now);
  }
}

void TcpSender::on_repeated_ack() {
  ++repeated_acks_;
  if (recovering_ || repeated_acks_ < kLossAcks) return;
  recovering_ = repeat_first_ = true;
  recover_ = most_sent_;
  timed_.reset();  // Karn's rule.
  control_->on_loss();
}

void TcpSender::on_timer(Picos now) {
  if (now < deadline_) return;
  ++timeouts_;
  control_->on_timeout();
  recovering_ = repeat_first_ = false;
  repeated_acks_ = 0;
  timed_.reset();
  next_ = acked_;
  backoff_ = std::min(backoff_ + 1, kMostBackoff);
  set_deadline(now);
}

// RFC 6298, section 2.
void TcpSender::measure(uint64_t next_expected, Picos now) {
  if (!timed_ || next_expected <= *timed_) return;
  timed_.reset();
  const uint64_t rtt = (now - timed_at_).value();
  if (srtt_ == 0) {
    srtt_ = rtt;
    rttvar_ = rtt / 2;
    return;
  }
  const uint64_t error = rtt > srtt_ ? rtt - srtt_ : srtt_ - rtt;
  rttvar_ = (3 * rttvar_ + error) / 4;
  srtt_ = (7 * srtt_ + rtt) / 8;
}

void TcpSender::set_deadline(Picos now) {
  const Picos measured(srtt_ + 4 * rttvar_);
  const Picos rto = srtt_ == 0 ? config_.first_rto : std::max(config_.min_rto, measured);
  deadline_ = after(now, rto * (uint64_t{1} << backoff_));
}

uint64_t TcpReceiver::on_segment(uint64_t segment) {
  if (segment >= expected_) beyond_.insert(segment);
  while (!beyond_.empty() && *beyond_.begin() == expected_) {
    beyond_.erase(beyond_.begin());
    ++expected_;
  }
  return expected_;
}

}  // namespace sluice::sim
