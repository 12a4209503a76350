// SPDX-License-Identifier: Apache-2.0
#include "transport/path_mtu.h"

#include <algorithm>

namespace sluice::transport {

void PathMtu::start(uint32_t base, uint32_t ceiling, base::Nanos now) {
  base_ = std::min(base, ceiling);
  ceiling_ = ceiling;
  confirmed_ = base_;
  too_big_ = ceiling + 1;
  tries_ = 0;
  // The ceiling is tried first: on most networks it simply passes.
  probe_size_ = ceiling_ > base_ ? ceiling_ : 0;
  next_probe_ = probe_size_ != 0 ? now : base::Nanos::max();
}

void PathMtu::next_size(base::Nanos now) {
  tries_ = 0;
  if (too_big_ - confirmed_ <= kSearchStep) {
    probe_size_ = 0;
    next_probe_ = confirmed_ < ceiling_ ? base::after(now, interval_) : base::Nanos::max();
    return;
  }
  probe_size_ = confirmed_ + (too_big_ - confirmed_) / 2;
  next_probe_ = now;
}

uint32_t PathMtu::poll_probe(base::Nanos now, base::Nanos timeout) {
  if (now < next_probe_) return 0;
  if (probe_size_ == 0) {  // The interval has passed: the path may have grown.
    too_big_ = ceiling_ + 1;
    probe_size_ = ceiling_;
    tries_ = 0;
  } else if (tries_ == kProbesPerSize) {
    too_big_ = probe_size_;
    next_size(now);
    if (probe_size_ == 0) return 0;
  }
  ++tries_;
  next_probe_ = base::after(now, timeout);
  return probe_size_;
}

void PathMtu::on_ack(uint32_t size, base::Nanos now) {
  if (size <= confirmed_ || size > ceiling_) return;
  confirmed_ = size;  // PROTOCOL MUST-T22: nothing else raises it.
  too_big_ = std::max(too_big_, confirmed_ + 1);
  if (confirmed_ == ceiling_) {
    probe_size_ = 0;
    next_probe_ = base::Nanos::max();
  } else {
    next_size(now);
  }
}

void PathMtu::on_black_hole(base::Nanos now) {
  if (confirmed_ != base_) start(base_, ceiling_, now);  // PROTOCOL MUST-T22
}

}  // namespace sluice::transport
