// SPDX-License-Identifier: Apache-2.0
//
// The path between the fault machine's two endpoints, and whoever sits on it: packets are lost,
// repeated, changed, made up, from one seed. It also watches what the endpoints send.
#ifndef SLUICE_SIM_FAULT_WIRE_H_
#define SLUICE_SIM_FAULT_WIRE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/prng.h"
#include "base/types.h"
#include "sim/fault_plan.h"
#include "sim/fault_watch.h"

namespace sluice::sim {

struct WirePacket {
  int to = 0;
  bool congestion_experienced = false;
  std::vector<uint8_t> bytes;
  bool esp = false;  // Of IP protocol 50: from its SPI on.
};

class FaultWire {
 public:
  // `counts` outlives the wire.
  FaultWire(const FaultPlan& plan, FaultCounts* counts);

  // An endpoint has sent a packet of this entropy.
  void send(int from, std::span<const uint8_t> bytes, uint16_t entropy, base::Nanos now,
            bool esp = false);
  // The next packet that arrives at or before `now`; nothing when there is none.
  std::optional<WirePacket> receive(base::Nanos now);
  // When the next packet arrives; Nanos::max() when none is under way.
  base::Nanos next_arrival() const;
  bool empty() const { return in_flight_.empty(); }

  // Until then nothing passes in the direction from `from` (or, with -1, in either).
  void partition(int from, base::Nanos until);
  // Whether packets pass in both directions.
  bool open(base::Nanos now) const { return now >= cut_until_[0] && now >= cut_until_[1]; }
  // Until then packets of half of all entropies vanish.
  void kill_paths(base::Nanos until);
  // A session has ended: what was recorded of it is old now.
  void session_ended();
  // From now on packets pass unharmed.
  void mend();

  uint64_t packets() const { return packets_; }
  FaultWatch& watch() { return watch_; }
  const FaultWatch& watch() const { return watch_; }

 private:
  void tamper(int from, std::vector<uint8_t> bytes, bool esp, base::Nanos now);
  void change(std::vector<uint8_t>* bytes, bool esp);
  // Whether it did.
  bool change_record(std::vector<uint8_t>* bytes);
  void repeat(int from, const std::vector<uint8_t>& bytes, bool esp, base::Nanos now);
  void forge(int from, base::Nanos now);
  std::vector<uint8_t> made_up(FaultKind kind);
  void deliver(int to, std::vector<uint8_t> bytes, bool esp, base::Nanos at, bool marked = false);
  bool blocked(int from, uint16_t entropy, base::Nanos now);
  bool fires(FaultKind kind);
  void count(FaultKind kind) { ++(*counts_)[static_cast<size_t>(kind)]; }

  static constexpr size_t kKept = 64;  // Packets remembered for replay, of each kind.

  const FaultPlan& plan_;
  FaultCounts* const counts_;
  base::Prng prng_;
  bool mended_ = false;
  uint32_t burst_left_ = 0;  // Packets that the current burst of losses still takes.
  base::Nanos cut_until_[2];
  base::Nanos paths_dead_until_;
  std::map<std::pair<base::Nanos, uint64_t>, WirePacket> in_flight_;
  uint64_t sequence_ = 0;
  uint64_t packets_ = 0;
  // The record whose header is being changed, and how.
  struct Changed {
    uint64_t number = UINT64_MAX;  // Of no record.
    size_t at = 0;
    uint8_t bit = 0;
  };
  Changed changed_;
  FaultWatch watch_;
  std::deque<WirePacket> recent_;
  std::deque<WirePacket> old_sessions_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULT_WIRE_H_
