// SPDX-License-Identifier: Apache-2.0
#include "engine/held_packets.h"

#include <utility>

#include "engine/limits.h"

namespace sluice::engine {

void HeldPackets::hold(HeldPacket packet) {
  if (packets_.size() >= limits::kMaxHeldPackets) {
    stats_->limit_held.add();
    packets_.pop_front();
  }
  stats_->packets_held.add();
  packets_.push_back(std::move(packet));
}

std::vector<HeldPacket> HeldPackets::take(base::SessionId session) {
  std::vector<HeldPacket> out;
  std::deque<HeldPacket> others;
  for (HeldPacket& each : packets_) {
    if (each.session == session) {
      out.push_back(std::move(each));
    } else {
      others.push_back(std::move(each));
    }
  }
  packets_ = std::move(others);
  return out;
}

}  // namespace sluice::engine
