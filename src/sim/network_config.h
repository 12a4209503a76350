// SPDX-License-Identifier: Apache-2.0
//
// What a run may choose about its network, beside the topology.
#ifndef SLUICE_SIM_NETWORK_CONFIG_H_
#define SLUICE_SIM_NETWORK_CONFIG_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "sim/time.h"

namespace sluice::sim {

inline constexpr uint32_t kMaxPriorities = 8;

// Which of several shortest ways a switch takes.
enum class Routing : uint8_t {
  kSpray,       // At random for each packet.
  kEcmp,        // By a hash of (src, dst, entropy): a flow keeps its way until the routes change.
  kRoundRobin,  // Each switch takes its ways in turn, packet by packet.
};

// The order in which a switch's port sends what waits. None interrupts a packet under way.
enum class Discipline : uint8_t {
  kStrict,  // 1 to 8 strict priorities, FIFO within each.
  kRanked,  // Smallest Packet::rank first, FIFO among equals. Of the packets of one message only
            // the first that waits counts, so that they stay in order (as in pFabric, SIGCOMM 2013,
            // section 4.2): infinitely many priorities, for the ideal network that policies are
            // compared with. Without buffer limits.
};

enum class WhenFull : uint8_t {
  kDrop,
  kTrim,  // Cut to trim_bytes and sent on at the highest priority; dropped only if the buffer has
          // no room even for that, or the port twice its port_bytes.
};

// Loss on a wire, drawn as a packet starts on it. Gilbert's model has a good and a bad state which
// change from packet to packet; with `enter_bad` 0 only `loss` counts: Bernoulli's. Chances are out
// of 2^32 (chance() makes them).
struct LossModel {
  uint32_t loss = 0;       // A packet is lost in the good state.
  uint32_t loss_bad = 0;   // A packet is lost in the bad state.
  uint32_t enter_bad = 0;  // The good state ends after a packet.
  uint32_t leave_bad = 0;  // The bad state ends after a packet.
  uint32_t corrupt = 0;    // A packet that is not lost is marked kCorrupt.

  // Whether nothing can ever happen.
  bool none() const { return loss == 0 && corrupt == 0 && (enter_bad == 0 || loss_bad == 0); }
};

// A probability as LossModel and HostModel want it; 1 becomes 2^32 - 1 of 2^32.
constexpr uint32_t chance(double probability) {
  const double scaled = probability * 4294967296.0;
  return scaled >= 4294967295.0 ? UINT32_MAX : static_cast<uint32_t>(scaled);
}

struct SwitchModel {
  uint32_t priorities = 8;  // 1 to 8; priority p of a packet goes to class p * priorities / 8.
  Discipline discipline = Discipline::kStrict;
  // Bytes of the buffer all ports of a switch share; 0: without limit. A packet being serialised
  // does not count.
  uint64_t buffer_bytes = 0;
  // A queue (one class of one port) may hold alpha times what is free of the buffer (the dynamic
  // threshold of Choudhury and Hahne, ToN 1998), alpha in sixteenths; 0: all that is free.
  uint32_t alpha_sixteenths = 0;
  uint64_t port_bytes = 0;  // The most that may wait at one port; 0: without limit.
  WhenFull when_full = WhenFull::kDrop;
  uint32_t trim_bytes = 64;  // Of the Sluice packet that a cut leaves.
  // An ECT packet that finds more than this many bytes waiting at its port is marked; 0: never.
  uint64_t ecn_host_bytes = 0;    // At ports to hosts.
  uint64_t ecn_fabric_bytes = 0;  // At ports to switches.
};

// What a host does with packets before its HostPort sees them, and its transmit ring.
struct HostModel {
  // Bytes (of wire time) that wait in the FIFO transmit ring, without the packet under way. 0: a
  // packet is taken only when the link is free, so that none waits behind what cannot be overtaken.
  uint64_t ring_bytes = 16 * 1538;
  // on_ring_room() is called when fewer bytes than this are left in the ring. 1 means: when the
  // last packet has started, which is still soon enough to keep the link busy.
  uint64_t refill_bytes = 1;
  Picos packet_cost;          // The host's time for each received packet; packets queue for it.
  uint32_t stall_chance = 0;  // Out of 2^32, for each received packet, that the host stops...
  Picos stall;                // ...for this long, with whatever waits behind that packet.
};

struct NetworkConfig {
  uint64_t seed = 1;
  Routing routing = Routing::kSpray;
  SwitchModel switches;
  HostModel hosts;
  LossModel loss;  // Of every link; Network::set_loss() changes one.
  // After a link or switch failed or came back, all switches route by what is up at that later
  // time. Absent: routes never change, and what is sent into a dead link is lost.
  std::optional<Picos> detection_delay;
  uint32_t packets = 1u << 20;  // The most that may live at once.
  uint32_t buffer_bytes = 256;  // Real bytes of each.
  // Every `sample_period` the sum of each leaf's queues towards hosts is written down, until
  // `max_samples` are there; zero: no samples.
  Picos sample_period;
  uint32_t max_samples = 0;
};

// OK, or one line that names the field and what would do.
absl::Status validate(const NetworkConfig& config);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_NETWORK_CONFIG_H_
