// SPDX-License-Identifier: Apache-2.0
//
// A TCP-like flow that never ends, as both of its ends see it: what shares the links with Sluice
// where services of both kinds live. Segments are numbered from 0; every segment is acknowledged,
// cumulatively; losses are found by three repeated acknowledgements (NewReno, RFC 6582) or a
// time-out. Neither end knows of a network: who drives them carries the packets.
#ifndef SLUICE_SIM_TCP_FLOW_H_
#define SLUICE_SIM_TCP_FLOW_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>

#include "sim/tcp_control.h"
#include "sim/time.h"

namespace sluice::sim {

struct TcpFlowConfig {
  TcpKind kind = TcpKind::kDctcp;
  Picos min_rto = Picos(1'000'000'000);  // Data centres set a millisecond; RFC 6298 says a second.
  Picos first_rto = Picos(10'000'000'000);  // Before a round trip has been measured.
};

class TcpSender {
 public:
  explicit TcpSender(const TcpFlowConfig& config);

  // Whether a segment may go now, and which: taking it means that it goes.
  bool has_segment() const;
  uint64_t take_segment(Picos now);
  // All segments below `next_expected` have arrived; the one that led to this was marked or not.
  void on_ack(uint64_t next_expected, bool marked, Picos now);
  // When on_timer() is due; "never" when nothing is under way.
  Picos deadline() const { return deadline_; }
  void on_timer(Picos now);

  const TcpControl& control() const { return *control_; }
  uint64_t repeated() const { return repeated_; }
  uint64_t timeouts() const { return timeouts_; }

 private:
  void on_new_ack(uint64_t next_expected, bool marked, Picos now);
  void on_repeated_ack();
  void measure(uint64_t next_expected, Picos now);
  void set_deadline(Picos now);

  const TcpFlowConfig config_;
  std::unique_ptr<TcpControl> control_;
  uint64_t next_ = 0;   // The next segment to send for the first time, or after a time-out, again.
  uint64_t acked_ = 0;  // All below have arrived.
  uint64_t most_sent_ = 0;
  uint64_t round_end_ = 0;
  uint32_t repeated_acks_ = 0;
  bool recovering_ = false;    // From a loss, until recover_ is acknowledged.
  bool repeat_first_ = false;  // The first missing segment goes again before others.
  uint64_t recover_ = 0;
  std::optional<uint64_t> timed_;  // The segment whose round trip is measured.
  Picos timed_at_;
  uint64_t srtt_ = 0;  // Picoseconds, RFC 6298; 0 before the first measurement.
  uint64_t rttvar_ = 0;
  uint32_t backoff_ = 0;
  Picos deadline_ = Picos::max();
  uint64_t repeated_ = 0;
  uint64_t timeouts_ = 0;
};

class TcpReceiver {
 public:
  // A segment has come. Returns what to acknowledge: the first one that has not.
  uint64_t on_segment(uint64_t segment);
  uint64_t received() const { return expected_ + beyond_.size(); }  // Different segments.

 private:
  uint64_t expected_ = 0;
  std::set<uint64_t> beyond_;  // Those that came before expected_.
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TCP_FLOW_H_
