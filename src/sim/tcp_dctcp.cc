// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_dctcp.h"

namespace sluice::sim {
namespace {

constexpr double kGain = 1.0 / 16;  // RFC 8257, section 4.2.

}  // namespace

void TcpDctcp::on_ack(uint32_t segments, bool marked) {
  acked_ += segments;
  if (marked) {
    marked_ += segments;
    return;  // A window does not grow by what says that it is too large.
  }
  TcpReno::on_ack(segments, marked);
}

void TcpDctcp::on_round() {
  if (acked_ == 0) return;
  const double share = static_cast<double>(marked_) / static_cast<double>(acked_);
  alpha_ += kGain * (share - alpha_);
  if (marked_ != 0) reduce(1 - alpha_ / 2);
  acked_ = marked_ = 0;
}

}  // namespace sluice::sim
