// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_BUSY_LANE_H_
#define SLUICE_TRANSPORT_BUSY_LANE_H_

#include <array>
#include <cstdint>

#include "base/limits.h"
#include "crypto/replay_window.h"
#include "transport/exchange_ring.h"
#include "transport/frame_queue.h"
#include "transport/held_acks.h"
#include "transport/path_judge.h"
#include "transport/send_paths.h"

namespace sluice::transport {

// The part of a lane that it needs only while something is under way on it, and which is most of a
// lane's memory. An endpoint has a fixed number of them (EndpointConfig::max_busy_lanes) and lends
// them to its lanes: Context::engage(). While nobody has it, all bits of ids are zero.
struct BusyLane {
  using IdWords = std::array<uint64_t, base::limits::kMaxIdsAboveFloor / 64>;

  // What waits for the next packet begins in one line of the cache: the counts of the one, and the
  // first bytes of the other.
  alignas(64) HeldAcks held_acks;
  FrameQueue frames;
  // Of the peer's calls, and of this side's own.
  std::array<ExchangeRing, 2> exchanges;
  crypto::ReplayWindow::Bits replay{};
  IdWords own_done{};
  IdWords own_told{};
  IdWords peer_seen{};
  IdWords peer_released{};
  SendPaths paths;  // Where packets take several.
  PathJudge judge;  // Of the peer's.
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_BUSY_LANE_H_
