// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_PATH_MTU_H_
#define SLUICE_TRANSPORT_PATH_MTU_H_

#include <cstdint>

#include "base/types.h"

namespace sluice::transport {

// Packetization-layer path MTU discovery (RFC 8899) of one lane: a search over packet sizes by
// sealed, padded probes that the peer acknowledges. ICMP is never consulted. Sizes are bytes of a
// whole Sluice packet.
class PathMtu {
 public:
  // `base` is assumed to pass everywhere; `ceiling` is the most that both ports can carry.
  void start(uint32_t base, uint32_t ceiling, base::Nanos now);

  uint32_t limit() const { return confirmed_; }

  // The size to probe now, or 0. Each call that returns a size counts as one probe sent.
  uint32_t poll_probe(base::Nanos now, base::Nanos timeout);
  // When poll_probe() may next have something to send.
  base::Nanos next_deadline() const { return next_probe_; }

  void on_ack(uint32_t size, base::Nanos now);
  // The same bytes were missing kBlackHoleTries times in a row: the path may have shrunk, so fall
  // back to the base and search anew (RFC 8899 §4.3).
  void on_black_hole(base::Nanos now);

  void set_interval(base::Nanos interval) { interval_ = interval; }

  static constexpr uint32_t kProbesPerSize = 3;  // RFC 8899 §5.1.2, MAX_PROBES.
  static constexpr uint32_t kSearchStep = 32;    // Stop when the range is this narrow.
  static constexpr uint32_t kBlackHoleTries = 4;

 private:
  void next_size(base::Nanos now);

  uint32_t base_ = 0;
  uint32_t ceiling_ = 0;
  uint32_t confirmed_ = 0;
  uint32_t too_big_ = 0;     // The smallest size known to fail.
  uint32_t probe_size_ = 0;  // 0: the search is complete.
  uint32_t tries_ = 0;
  base::Nanos interval_ = base::seconds(60);
  base::Nanos next_probe_ = base::Nanos::max();
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_PATH_MTU_H_
