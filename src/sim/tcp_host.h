// SPDX-License-Identifier: Apache-2.0
//
// A host that runs both: Sluice, and TCP-like flows, behind one link. Where both have packets
// waiting the link takes them in turn, as a NIC does with two transmit queues.
#ifndef SLUICE_SIM_TCP_HOST_H_
#define SLUICE_SIM_TCP_HOST_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "sim/network.h"
#include "sim/tcp_flow.h"

namespace sluice::sim {

// All flows of a run, each from one host to another until the end.
class TcpFlows {
 public:
  struct Flow {
    Flow(uint16_t from, uint16_t to, const TcpFlowConfig& config)
        : src(from), dst(to), sender(config) {}
    uint16_t src;
    uint16_t dst;
    TcpSender sender;
    TcpReceiver receiver;
  };

  // `mtu`: IP bytes of a full packet. `priority` as Packet::priority.
  TcpFlows(const TcpFlowConfig& config, uint32_t mtu, uint8_t priority);
  void add(uint32_t src, uint32_t dst);

  std::vector<Flow>& flows() { return flows_; }
  const std::vector<Flow>& flows() const { return flows_; }
  uint32_t segment_bytes() const { return mtu_ - kHeaderBytes; }  // Of payload.
  uint32_t wire_bytes() const { return mtu_ + kFrameBytes; }      // Of a full packet.
  uint8_t priority() const { return priority_; }
  uint64_t received_bytes() const;  // Of payload, each byte once.
  uint64_t repeated() const;
  uint64_t timeouts() const;

 private:
  static constexpr uint32_t kHeaderBytes = 40;  // IPv4 and TCP without options.
  static constexpr uint32_t kFrameBytes = 38;   // Ethernet, its check, preamble and gap.

  const TcpFlowConfig config_;
  const uint32_t mtu_;
  const uint8_t priority_;
  std::vector<Flow> flows_;
};

class TcpHost final : public HostPort {
 public:
  // Takes the place of `sluice`, which has no transmit ring, at the network; all outlive it. Flows
  // from here are `flows`' with this src.
  TcpHost(uint32_t index, HostPort* sluice, Network* network, TcpFlows* flows);

  // Flows begin now.
  void start(Picos now);

  void on_packet(PacketHandle packet, Picos now) override;
  void on_ring_room(Picos now) override;
  void on_wake(Picos now, uint64_t cookie) override;

 private:
  // Sluice's own cookies are small.
  enum Cookie : uint64_t { kLink = 1u << 16, kTimer };
  struct Ack {
    uint32_t flow = 0;
    uint64_t next_expected = 0;
    bool marked = false;
  };

  bool link_is_free(Picos now) const { return network_.link_free_at(index_) <= now; }
  bool has_packet();
  // Sends one packet if there is one; the link is free.
  bool send_one(Picos now);
  void put(uint32_t flow, uint64_t number, uint64_t flags, uint32_t wire_bytes);
  // Gives TCP the link if it is its turn.
  void take_turn(Picos now);
  // After Sluice was called with the link free or not.
  void note_turn(bool was_free, Picos now);
  void settle(Picos now);
  void arm(Picos now);

  const uint32_t index_;
  HostPort& sluice_;
  Network& network_;
  TcpFlows& all_;
  std::vector<uint32_t> mine_;  // Flows that send from here.
  size_t next_flow_ = 0;        // Of mine_, to be asked first.
  std::deque<Ack> acks_;
  bool my_turn_ = false;
  Picos link_wake_;
  Picos armed_ = Picos::max();
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TCP_HOST_H_
