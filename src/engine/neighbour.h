// SPDX-License-Identifier: Apache-2.0
//
// The link-layer neighbours of one port: finds peers and gateways by ARP and neighbour discovery,
// answers for the port's own addresses. Sans-IO, driven by the control thread; may allocate, holds
// at most limits::kMaxNeighbours entries.
#ifndef SLUICE_ENGINE_NEIGHBOUR_H_
#define SLUICE_ENGINE_NEIGHBOUR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"
#include "engine/config.h"
#include "transport/stats.h"
#include "wire/frame.h"
#include "wire/ip_address.h"
#include "wire/neighbour.h"

namespace sluice::engine {

#define SLUICE_NEIGHBOUR_COUNTERS(X)                                               \
  X(asked, "neighbour.asked", "requests and solicitations sent")                   \
  X(answered, "neighbour.answered", "questions for our addresses answered")        \
  X(learned, "neighbour.learned", "addresses found")                               \
  X(changed, "neighbour.changed", "neighbours that moved to another link address") \
  X(malformed, "neighbour.malformed", "frames that break ARP's or NDP's rules")    \
  X(limit_entries, "limit.neighbours", "neighbours not asked for: table full")

struct NeighbourStats {
#define SLUICE_DECLARE(field, name, help) transport::Counter field;
  SLUICE_NEIGHBOUR_COUNTERS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

template <typename F>
void for_each_counter(const NeighbourStats& stats, F&& f) {
#define SLUICE_VISIT(field, name, help) f(name, help, stats.field.value());
  SLUICE_NEIGHBOUR_COUNTERS(SLUICE_VISIT)
#undef SLUICE_VISIT
}

struct NeighbourConfig {
  wire::MacAddress mac;
  std::vector<IpPrefix> addresses;
  std::vector<wire::IpAddress> gateways;
  std::optional<uint16_t> vlan;
  size_t max_entries = 1024;
  base::Nanos ask_first = base::millis(10);  // Wait for an answer before asking again; doubles.
  base::Nanos ask_max = base::seconds(1);
  base::Nanos refresh = base::seconds(30);  // A known neighbour in use is asked again after this.
  base::Nanos forget = base::seconds(600);  // An entry that nobody looked up for so long goes.
};

// A whole Ethernet frame to send.
struct NeighbourFrame {
  std::array<uint8_t, wire::kMaxNeighbourFrameSize> bytes;
  size_t size = 0;
};

class NeighbourTable {
 public:
  explicit NeighbourTable(const NeighbourConfig& config);

  // The neighbour that packets for `destination` go to: itself on the same network, else the
  // gateway. nullopt when the port has no address of the family, or there is no way.
  std::optional<wire::IpAddress> next_hop(const wire::IpAddress& destination) const;
  // The port's address of the family, if any.
  std::optional<wire::IpAddress> own_address(bool v4) const;

  // The link address of a neighbour, when known; starts to ask when not. An unused entry gives way
  // when the table is full.
  std::optional<wire::MacAddress> resolve(const wire::IpAddress& neighbour, base::Nanos now);

  // Tells the network who we are: at start, and when a link comes up.
  void announce(base::Nanos now);

  // A received frame that wire::parse_frame() found to be kArp or kNdp.
  void on_frame(std::span<const uint8_t> frame, const wire::ParsedFrame& parsed, base::Nanos now);

  base::Nanos next_deadline() const;
  void on_deadline(base::Nanos now);

  // Frames to send and neighbours whose link address is new; each call hands them out once.
  std::vector<NeighbourFrame> take_frames();
  std::vector<wire::IpAddress> take_changes();

  size_t size() const { return entries_.size(); }
  const NeighbourStats& stats() const { return stats_; }

 private:
  struct Entry {
    std::optional<wire::MacAddress> mac;
    base::Nanos due;       // When to ask (again).
    base::Nanos interval;  // Until then, doubled by each unanswered question.
    base::Nanos used;      // Last looked up.
  };

  bool ours(const wire::IpAddress& address) const;
  void ask(const wire::IpAddress& neighbour, Entry* entry, base::Nanos now);
  void learn(const wire::NeighbourEvent& event, base::Nanos now);
  bool make_room(base::Nanos now);

  NeighbourConfig config_;
  std::map<wire::IpAddress, Entry> entries_;
  std::vector<NeighbourFrame> frames_;
  std::vector<wire::IpAddress> changes_;
  NeighbourStats stats_;
};

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_NEIGHBOUR_H_
