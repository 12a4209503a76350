// SPDX-License-Identifier: Apache-2.0
//
// The simulated network: hosts' transmit rings, links, output-queued switches, on virtual time.
//
// A packet's way: HostPort calls send(); the packet waits in the host's ring, is serialised, and
// comes to the first switch as a whole; that chooses a port, where it waits in a queue of its
// priority; and so on until the receiving host's HostPort gets it. A hop costs one event, and a
// second one only where the packet finds another before it.
//
// Everything happens in the total order of (time, order of scheduling), on the calling thread: same
// topology, configuration and HostPorts, same run, byte for byte.
#ifndef SLUICE_SIM_NETWORK_H_
#define SLUICE_SIM_NETWORK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/network_config.h"
#include "sim/packet_pool.h"
#include "sim/time.h"
#include "sim/topology.h"
#include "sim/totals.h"

namespace sluice::sim {

// What is plugged into the network at one host. Inside these calls it may use the Network freely,
// run_until() excepted; it will not be called again before it returns.
class HostPort {
 public:
  virtual ~HostPort() = default;
  // A packet has arrived, and is the callee's from here: it releases it to Network::pool().
  virtual void on_packet(PacketHandle packet, Picos now) = 0;
  // The ring has fallen below its refill mark after it stood at or above it, or after a send() that
  // found no room. Called as a packet starts on the wire.
  virtual void on_ring_room(Picos now) = 0;
  // A time set by Network::wake_at() has come. Wakes cannot be taken back: a callee that has
  // changed its mind knows by the cookie.
  virtual void on_wake(Picos now, uint64_t cookie) = 0;
};

// One direction of a link: the port at `node` that sends towards `peer`. Queue figures are since
// start_window(), the rest since the start.
struct PortReport {
  NodeId node = 0;
  NodeId peer = 0;
  LinkId link = 0;
  uint64_t sent_packets = 0;  // Started on the wire.
  uint64_t sent_bytes = 0;
  uint64_t max_queue_bytes = 0;  // Waiting, without the packet being serialised.
  double mean_queue_bytes = 0;   // Over time.
};

class Network {
 public:
  // Both are valid (validate() says OK); anything else stops the process.
  Network(const Topology& topology, const NetworkConfig& config);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Plugs in a host, which outlives the run. Each host that packets may reach needs one.
  void attach(uint32_t host, HostPort* port);
  // Replaces the model of one host, before the run or while it goes.
  void set_host(uint32_t host, const HostModel& model);
  const HostModel& host_model(uint32_t host) const;
  // Its switches sort by Packet::rank.
  bool ranked() const;

  // Puts a packet at the end of the host's ring; from then on it is the network's. False when the
  // ring has no room for its wire_bytes: it stays the caller's, and on_ring_room() follows. A
  // packet always finds room in an empty ring.
  bool send(uint32_t host, PacketHandle packet);
  uint64_t ring_bytes(uint32_t host) const;  // Waiting in the ring.
  uint64_t ring_room(uint32_t host) const;   // Still free.
  // Until when the packet under way keeps the host's link; in the past when there is none.
  Picos link_free_at(uint32_t host) const;
  // Calls the host's on_wake() at that time, which is not before now().
  void wake_at(uint32_t host, Picos at, uint64_t cookie);

  // Handles every event up to and including `until`; then now() is `until`, or with "never" the
  // time of the last event.
  void run_until(Picos until);
  Picos now() const;
  // The time of the next event; "never" when there is none.
  Picos next_event() const;

  PacketPool& pool();
  const Topology& topology() const;

  // What goes wrong, and when; `at` is not before now(). A link that fails loses what is on its
  // way, what is within the latency of the node behind it included; its ports go on sending into
  // it, at the same rate and in vain, whatever routes and hosts still give them. A switch that
  // fails takes all its links with it. Failing what has failed changes nothing.
  void fail_link(Picos at, LinkId link);
  void restore_link(Picos at, LinkId link);
  // From then on the link, both directions, runs at another exact rate; packets under way keep
  // theirs. Routes do not change: spraying into a slow link is what hosts are to notice.
  void change_rate(Picos at, LinkId link, uint32_t gbps);
  void fail_switch(Picos at, uint32_t index);
  void restore_switch(Picos at, uint32_t index);
  // Both directions, at once.
  void set_loss(LinkId link, const LossModel& loss);
  bool link_is_up(LinkId link) const;

  // Statistics.

  // Forgets maxima, means and samples so far: a measurement begins now.
  void start_window();
  const NetworkTotals& totals() const;
  // Two per link: first that of its end `a`, then that of `b`.
  std::vector<PortReport> ports() const;
  // The largest sum of the queues of one switch towards its hosts, in bytes, within the window.
  uint64_t max_downlink_bytes(uint32_t switch_index) const;
  uint64_t downlink_bytes(uint32_t switch_index) const;  // Now.
  // Sums of downlink queues: samples()[i * leaves().size() + k] is that of leaf k (a switch with
  // hosts) at window start + (i + 1) * sample_period.
  const std::vector<uint32_t>& samples() const;
  const std::vector<uint32_t>& leaves() const;  // Switch indices, ascending.
  // The largest that ever waited in one switch's shared buffer, within the window.
  uint64_t max_buffer_bytes(uint32_t switch_index) const;

  // Whether packets and bytes sent = delivered + dropped + trimmed + in flight, counting what is in
  // flight where it is: walks all queues.
  bool conserved() const;
  // Packets taken by send() and not yet delivered or dropped.
  uint64_t in_flight() const;
  // A hash over every event handled so far: its time, kind and subject.
  uint64_t trace_hash() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_NETWORK_H_
