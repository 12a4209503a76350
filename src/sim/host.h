// SPDX-License-Identifier: Apache-2.0
//
// A simulated host: the product's own transport::Endpoint on virtual time, between the network's
// ring and wires below and an application above. It does what an engine's lcore does: received
// packets go to on_rx(), events to the application, what poll_tx() fills to the ring, as far as
// there is room; and it asks the network to be woken at next_deadline().
#ifndef SLUICE_SIM_HOST_H_
#define SLUICE_SIM_HOST_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "crypto/aead.h"
#include "sim/message_log.h"
#include "sim/network.h"
#include "transport/endpoint.h"

namespace sluice::sim {

class Host;

// The application of all hosts: it submits messages, and hears of what became of them.
class Traffic {
 public:
  virtual ~Traffic() = default;
  // The run begins; the hosts outlive it. Their sessions are up.
  virtual void start(std::vector<std::unique_ptr<Host>>* hosts) = 0;
  // A time asked for by Host::wake_traffic() has come.
  virtual void on_time(uint32_t, Picos) {}
  // A one-way message of that host has been delivered; its sender hears of it later, as its
  // acknowledgement may wait for company. Not to submit from here: ask to be woken.
  virtual void on_delivered(uint32_t, Picos) {}
  // What that host asked for by Host::pull() has come. Not to submit from here either.
  virtual void on_pulled(uint32_t, Picos) {}
};

// Counted by a host itself, beside its endpoint's counters.
struct HostCounters {
  uint64_t backlogged = 0;  // Messages that had to wait as the endpoint refused them for now.
  uint64_t failed = 0;      // Messages that the endpoint gave up.
  uint64_t trimmed = 0;     // Packets that arrived without their payload.
  uint64_t lanes_down = 0;
  uint64_t data_wire_bytes = 0;  // Of wire time, of the packets that payload_bytes came in.
  uint64_t payload_bytes = 0;  // Arrived, of messages, in packets that are not marked as repeated.
};

class Host final : public HostPort {
 public:
  // All of these outlive the host; it attaches itself to the network. `backend` is a
  // VirtualBackend. `traffic` may be null.
  Host(uint32_t index, const transport::EndpointConfig& config, crypto::AeadBackend* backend,
       Network* network, MessageLog* log, Traffic* traffic);

  // Installs this end of the session with a peer, whose own end is to be installed too.
  void connect(uint32_t peer);

  // Submits a one-way message now. What the endpoint has no room for waits here, in order, and
  // counts from now all the same.
  void submit(uint32_t dst, uint32_t size);
  // Calls `dst` now, which answers with `size` bytes. What counts is that response, from now on; it
  // is in the log as a message from `dst`, which must not send one-way messages here too.
  void request(uint32_t dst, uint32_t size);
  // The same, marked in the log as a pull; Traffic::on_pulled() follows.
  void pull(uint32_t dst, uint32_t size);
  // Calls Traffic::on_time() then; one time at once, a later call replaces it by an earlier time
  // only.
  void wake_traffic(Picos at);

  void on_packet(PacketHandle packet, Picos now) override;
  void on_ring_room(Picos now) override;
  void on_wake(Picos now, uint64_t cookie) override;

  Picos now() const { return network_.now(); }
  const transport::Stats& stats() const { return endpoint_.stats(); }
  const HostCounters& counters() const { return counters_; }
  bool idle() const { return endpoint_.idle() && backlog_.empty(); }

 private:
  struct Peer {
    transport::LaneRef lane;
    uint16_t next_service = 0;
  };
  struct Waiting {
    uint32_t dst;
    uint32_t size;
    uint16_t service;
    bool request;  // A call, and `size` its response's.
  };
  enum Cookie : uint64_t { kTimer, kTraffic, kLink };

  void call(uint32_t dst, uint32_t size, bool pull);
  void enqueue(const Waiting& message);
  bool try_submit(const Waiting& message);
  void answer(const transport::Event& event, Picos now);
  void take_response(const transport::Event& event, Picos now);
  void settle(Picos now);
  void take_events(Picos now);
  void on_event(const transport::Event& event, Picos now);
  bool transmit(Picos now);
  // How many full packets the ring takes now; on_ring_room() or a wake follows when it is full.
  uint32_t room(Picos now);
  void hand_over(const transport::TxPacket& slot, PacketHandle handle);
  void arm(Picos now);

  static constexpr uint32_t kSlots = 8;
  static constexpr uint32_t kRequestBytes = 64;

  const uint32_t index_;
  const uint32_t max_packet_;
  const bool ranked_;  // The network sorts by what remains of a message.
  const bool pulled_;  // There is no ring: the link asks for each packet.
  Network& network_;
  MessageLog& log_;
  Traffic* const traffic_;
  transport::Endpoint endpoint_;
  std::vector<Peer> peers_;          // By host.
  std::vector<uint16_t> lane_peer_;  // The peer of each lane, by its index in the endpoint.
  std::deque<Waiting> backlog_;
  PacketHandle spare_[kSlots];  // Packets offered to poll_tx() and not filled yet.
  uint32_t spares_ = 0;
  Picos armed_ = Picos::max();  // The earliest wake for the endpoint that is under way.
  Picos traffic_at_ = Picos::max();
  Picos link_wake_;  // The latest wake for the link.
  HostCounters counters_;
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_HOST_H_
