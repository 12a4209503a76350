// SPDX-License-Identifier: Apache-2.0
//
// What tests look at from outside: everything of an endpoint that a packet without effect must
// leave alone, and everything on the wire that must never be.
#ifndef SLUICE_TEST_UNIT_TRANSPORT_WATCH_H_
#define SLUICE_TEST_UNIT_TRANSPORT_WATCH_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "transport/endpoint.h"
#include "wire/header.h"

namespace sluice::transport {

// The counters of drops together, and all others apart from those of arriving packets.
struct Counters {
  uint64_t drops = 0;
  std::map<std::string, uint64_t> others;
};

inline Counters counters_of(const Endpoint& endpoint) {
  Counters out;
  for_each_counter(endpoint.stats(), [&](const char* name, const char*, uint64_t value) {
    const std::string_view what(name);
    if (what.starts_with("dropped.")) {
      out.drops += value;
    } else if (what != "packets.received" && what != "bytes.received") {
      out.others[name] = value;
    }
  });
  return out;
}

// The state of an endpoint as far as it shows.
using State = std::tuple<std::map<std::string, uint64_t>, std::vector<std::array<uint64_t, 7>>,
                         bool, uint64_t>;

inline State state_of(const Endpoint& endpoint) {
  std::array<LaneSnapshot, 8> lanes;
  const size_t count = endpoint.snapshot_lanes(lanes);
  std::vector<std::array<uint64_t, 7>> seen;
  for (size_t i = 0; i < count; ++i) {
    const LaneSnapshot& lane = lanes[i];
    seen.push_back({lane.ref.index, lane.send_epoch, lane.receive_epoch, lane.exchanges,
                    lane.packet_bytes, lane.smoothed_rtt.value(), lane.last_heard.value()});
  }
  return {counters_of(endpoint).others, seen, endpoint.idle(), endpoint.next_deadline().value()};
}

// True when every byte of the arena is free: it can be given out in one piece.
inline bool arena_is_free(Endpoint& endpoint, uint64_t arena_bytes) {
  uint8_t* all = endpoint.allocate(static_cast<uint32_t>(arena_bytes));
  if (all == nullptr) return false;
  endpoint.release(all);
  return true;
}

// Looks at every packet sent: no record number twice under one key, and no plaintext.
class WireWatch {
 public:
  static constexpr std::string_view kCanary = "canary in clear!";

  static std::vector<uint8_t> canaries(size_t length) {
    std::vector<uint8_t> bytes(length);
    for (size_t i = 0; i < length; ++i)
      bytes[i] = static_cast<uint8_t>(kCanary[i % kCanary.size()]);
    return bytes;
  }

  void see(int from, const std::vector<uint8_t>& packet) {
    const auto view = wire::CommonView::parse(packet.data(), packet.size());
    ASSERT_TRUE(view.has_value());
    const auto key =
        std::tuple(from, view->session(), view->lane(), view->epoch(), view->record_number());
    const uint64_t bytes = std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(packet.data()), packet.size()});
    const auto [at, fresh] = seen_.emplace(key, bytes);
    if (!fresh && at->second != bytes) ++repeats;
    const auto found = std::search(packet.begin(), packet.end(), kCanary.begin(), kCanary.end());
    if (found != packet.end()) ++canaries_seen;
  }

  uint64_t repeats = 0;        // Two records under one number of one key.
  uint64_t canaries_seen = 0;  // Packets with plaintext in them.
  size_t records() const { return seen_.size(); }

 private:
  std::map<std::tuple<int, uint32_t, uint8_t, uint8_t, uint64_t>, uint64_t> seen_;
};

}  // namespace sluice::transport

#endif  // SLUICE_TEST_UNIT_TRANSPORT_WATCH_H_
