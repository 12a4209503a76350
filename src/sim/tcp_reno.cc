// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_reno.h"

#include <algorithm>

namespace sluice::sim {
namespace {

constexpr double kLeastThreshold = 2;  // RFC 5681, section 3.1.

}  // namespace

void TcpReno::on_ack(uint32_t segments, bool) {
  if (window_ < threshold_) {
    window_ += segments;
  } else {
    window_ += segments / window_;
  }
}

void TcpReno::on_timeout() {
  reduce(0.5);
  window_ = 1;
}

void TcpReno::reduce(double share) {
  threshold_ = std::max(window_ * share, kLeastThreshold);
  window_ = threshold_;
}

}  // namespace sluice::sim
