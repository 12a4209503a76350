// SPDX-License-Identifier: Apache-2.0
//
// The ways from one node to its peers: which port, which neighbour, which frame header. Keeps the
// routes of lanes current as neighbours move, and sends the control thread's own packets. Sans-IO;
// the control thread drives it.
#ifndef SLUICE_ENGINE_PATHS_H_
#define SLUICE_ENGINE_PATHS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "base/types.h"
#include "engine/limits.h"
#include "engine/neighbour.h"
#include "engine/route.h"
#include "engine/stats.h"
#include "transport/peer_address.h"
#include "wire/frame.h"

namespace sluice::engine {

class Paths {
 public:
  struct PortFacts {
    NeighbourConfig neighbours;
    bool checksum_offload = false;
  };
  struct Setup {
    std::vector<PortFacts> ports;
    wire::Encapsulation encapsulation = wire::Encapsulation::kUdp;
    uint8_t native_protocol = wire::kProtocolNative;
    uint16_t base_port = 0;  // Source port of control packets: answers come to it.
    // Gives a whole frame to a port; false when it was dropped (the callee counts).
    std::function<bool(uint8_t port, std::span<const uint8_t> frame)> send_frame;
    // Tells every lcore of a new or changed route.
    std::function<void(uint32_t handle, const Route& route)> set_route;
    ControlStats* stats = nullptr;
  };

  explicit Paths(Setup setup);

  // At start, and when a port's link comes up.
  void announce(uint8_t port, base::Nanos now);
  void on_neighbour_frame(uint8_t port, std::span<const uint8_t> frame,
                          const wire::ParsedFrame& parsed, base::Nanos now);

  // Sends a packet from the base port. While its neighbour is not known it waits, if there is
  // room. False when there is no way to the peer at all.
  bool send_packet(const transport::PeerAddress& to, std::span<const uint8_t> packet,
                   base::Nanos now);

  // The route to a UDP port of a peer, shared by all who ask for it; nullopt when there is no way
  // or no room. Each acquire() is undone by one release().
  std::optional<uint32_t> acquire(const transport::PeerAddress& to, base::Nanos now);
  void release(uint32_t handle);

  base::Nanos next_deadline() const;
  void on_deadline(base::Nanos now);

  bool reachable(const wire::IpAddress& destination) const { return find_port(destination) >= 0; }
  size_t routes() const { return by_peer_.size(); }
  size_t waiting() const { return waiting_.size(); }
  const NeighbourTable& neighbours(uint8_t port) const { return tables_[port]; }

 private:
  struct Entry {
    transport::PeerAddress peer;
    wire::IpAddress next_hop;
    Route route;
    uint32_t users = 0;
  };
  struct Waiting {
    uint8_t port = 0;
    wire::IpAddress next_hop;
    transport::PeerAddress to;
    std::vector<uint8_t> packet;
    base::Nanos expires;
  };

  // How often the neighbours of live routes are looked up, so that they are kept fresh.
  static constexpr base::Nanos kTouch = base::seconds(10);
  // How long a packet waits for its neighbour; handshakes repeat themselves.
  static constexpr base::Nanos kPatience = base::seconds(1);

  int find_port(const wire::IpAddress& destination) const;
  wire::FramePath frame_path(uint8_t port, const transport::PeerAddress& to,
                             const wire::MacAddress& mac) const;
  void send_on(uint8_t port, const transport::PeerAddress& to, const wire::MacAddress& mac,
               std::span<const uint8_t> packet);
  void after_neighbours(uint8_t port, base::Nanos now);
  void send_waiting(uint8_t port, const wire::IpAddress& next_hop, const wire::MacAddress& mac);

  Setup setup_;
  std::deque<NeighbourTable> tables_;          // Tables cannot be moved.
  std::vector<std::optional<Entry>> entries_;  // By handle.
  std::vector<uint32_t> free_;
  std::map<transport::PeerAddress, uint32_t> by_peer_;
  std::deque<Waiting> waiting_;
  base::Nanos next_touch_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_PATHS_H_
