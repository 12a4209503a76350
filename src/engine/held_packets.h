// SPDX-License-Identifier: Apache-2.0
//
// Packets that have overtaken the handshake: the server answers early requests as soon as it has
// them, and the client's lanes are there only when it has worked through the server's flight.
#ifndef SLUICE_ENGINE_HELD_PACKETS_H_
#define SLUICE_ENGINE_HELD_PACKETS_H_

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/types.h"
#include "engine/stats.h"

namespace sluice::engine {

struct HeldPacket {
  base::SessionId session;
  uint8_t lane = 0;
  bool congestion_experienced = false;
  std::vector<uint8_t> bytes;  // From the common header on. Nothing of it is verified.
};

// Holds limits::kMaxHeldPackets of them, the oldest of which make room: they come again by the
// timers. The control thread's.
class HeldPackets {
 public:
  // `stats` outlives the object.
  explicit HeldPackets(ControlStats* stats) : stats_(stats) {}

  void hold(HeldPacket packet);
  // Those of one session, oldest first; they are forgotten here.
  std::vector<HeldPacket> take(base::SessionId session);
  size_t size() const { return packets_.size(); }

 private:
  ControlStats* stats_;
  std::deque<HeldPacket> packets_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_HELD_PACKETS_H_
