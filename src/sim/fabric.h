// SPDX-License-Identifier: Apache-2.0
//
// Links, ports and switches: where a packet is between its host's ring and the other host's door.
#ifndef SLUICE_SIM_FABRIC_H_
#define SLUICE_SIM_FABRIC_H_

#include <cstdint>
#include <vector>

#include "sim/event_queue.h"
#include "sim/network_config.h"
#include "sim/packet_pool.h"
#include "sim/port.h"
#include "sim/router.h"
#include "sim/topology.h"
#include "sim/totals.h"

namespace sluice::sim {

// The kinds of the one event queue of a run.
enum class EventKind : uint8_t {
  kArrival,   // a: packet; b: generation << 32 | port that sent it
  kPortFree,  // a: port
  kDeliver,   // a: packet; b: host
  kWake,      // a: host; b: cookie
  kFault,     // a: index of the fault
  kDetect,    // Routes follow what is up now.
};

inline constexpr uint32_t kNoHost = UINT32_MAX;

// Bytes in one switch.
struct SwitchState {
  uint64_t waiting = 0;  // At all ports.
  uint64_t max_waiting = 0;
  uint64_t downlinks = 0;  // At the ports to hosts.
  uint64_t max_downlinks = 0;
};

class Fabric {
 public:
  Fabric(const Topology& topology, const NetworkConfig& config);

  // A packet that the host sends: starts on the wire or waits in the ring.
  void send(uint32_t host, PacketHandle handle, Picos now);

  // Handles kArrival. Returns the host that the packet has reached, whose it is now, or kNoHost.
  uint32_t on_arrival(const Event& event);
  // Handles kPortFree: starts the next packet, if one waits.
  void on_port_free(PortId id, Picos now);

  // Sets whether both directions of a link work; true if that is news.
  bool set_link(LinkId link, bool up);
  void set_rate(LinkId link, uint32_t gbps);
  void set_loss(LinkId link, const LossModel& model);
  // Routes follow what is up.
  void reroute();
  bool link_is_up(LinkId link) const { return ports_[2 * link].up; }

  void start_window(Picos now);

  EventQueue& queue() { return queue_; }
  const EventQueue& queue() const { return queue_; }
  PacketPool& pool() { return pool_; }
  NetworkTotals& totals() { return totals_; }
  const NetworkTotals& totals() const { return totals_; }
  const std::vector<Port>& ports() const { return ports_; }
  const Port& host_port(uint32_t host) const { return ports_[host_ports_[host]]; }
  const SwitchState& switch_state(uint32_t index) const { return switches_[index]; }

  // What is between send() and on_arrival()'s true, counted where it is.
  uint64_t packets_inside() const;
  uint64_t bytes_inside() const;

 private:
  void forward(uint32_t switch_index, PacketHandle handle, Picos now);
  void start(PortId id, Port& port, PacketHandle handle, Picos now);
  void wait(PortId id, Port& port, PacketHandle handle, uint32_t cls, Picos now);
  // A packet that found its switch port busy.
  void queue_at_switch(PortId id, PacketHandle handle, Picos now);
  bool has_room(const SwitchState& state, const Port& port, uint32_t cls, uint64_t bytes) const;
  bool has_room_for_cut(const SwitchState& state, const Port& port, uint64_t bytes) const;
  bool trim(Packet& packet);
  void drop(PacketHandle handle, Drop cause);
  uint32_t class_of(const Packet& packet) const {
    return packet.priority * model_.priorities / kMaxPriorities;
  }

  SwitchModel model_;
  uint32_t hosts_;
  EventQueue queue_;
  PacketPool pool_;
  Router router_;
  std::vector<Port> ports_;  // [PortId]
  // Of each port, close together, what an arrival asks: the node it arrives at, and how often the
  // link has failed: what started before the latest failure never arrives.
  struct FarEnd {
    NodeId peer = 0;
    uint32_t generation = 0;
  };
  std::vector<FarEnd> far_ends_;
  std::vector<PortId> host_ports_;
  std::vector<SwitchState> switches_;
  NetworkTotals totals_;
  uint64_t wire_packets_ = 0;  // Started, and not come to the other end.
  uint64_t wire_bytes_ = 0;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FABRIC_H_
