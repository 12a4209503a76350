// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_TOTALS_H_
#define SLUICE_SIM_TOTALS_H_

#include <cstdint>

namespace sluice::sim {

// Why a packet never arrives.
enum class Drop : uint8_t {
  kQueueFull,  // No room at a switch's port.
  kLinkDown,   // Sent into a dead link, or under way on one as it failed.
  kLoss,       // By the link's LossModel.
  kNoRoute,    // No way to the destination is up, as far as the switch knows.
};
inline constexpr uint32_t kDropCauses = 4;
// A stable lower-case name such as "queue_full".
const char* drop_name(Drop cause);

// Packets and bytes (of wire time) since the start; see Network::conserved().
struct NetworkTotals {
  uint64_t sent_packets = 0;  // Taken by send().
  uint64_t sent_bytes = 0;
  uint64_t delivered_packets = 0;  // Handed to a HostPort.
  uint64_t delivered_bytes = 0;
  uint64_t dropped_packets[kDropCauses] = {};
  uint64_t dropped_bytes[kDropCauses] = {};
  uint64_t trimmed_packets = 0;
  uint64_t trimmed_bytes = 0;  // That cutting took away.
  uint64_t corrupted_packets = 0;
  uint64_t marked_packets = 0;  // Congestion experienced.
  uint64_t stalls = 0;          // Of hosts.
  uint64_t events = 0;

  uint64_t dropped(Drop cause) const { return dropped_packets[static_cast<uint32_t>(cause)]; }
};

}  // namespace sluice::sim

#endif  // SLUICE_SIM_TOTALS_H_
