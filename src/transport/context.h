// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_CONTEXT_H_
#define SLUICE_TRANSPORT_CONTEXT_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/buddy_arena.h"
#include "base/flat_table.h"
#include "base/intrusive_list.h"
#include "base/lazy_array.h"
#include "base/prng.h"
#include "base/slab.h"
#include "base/timer_wheel.h"
#include "crypto/aead.h"
#include "crypto/inline_crypto.h"
#include "crypto/primitives.h"
#include "transport/config.h"
#include "transport/cutoffs.h"
#include "transport/exchange.h"
#include "transport/lane.h"
#include "transport/record_assembly.h"
#include "transport/size_buckets.h"
#include "transport/stats.h"
#include "wire/esp.h"

namespace sluice::transport {

// What TimerNode::kind says about its owner.
inline constexpr uint32_t kExchangeTimer = 1;
inline constexpr uint32_t kLaneTimer = 2;

// How messages of one service land.
struct ServiceLanding {
  LandingMode mode = LandingMode::kBuffered;
  uint32_t stream_window = 0;
};

// Exchanges whose ids differ in so many last bits lie side by side in the table of exchanges.
inline constexpr unsigned kNearIdBits = 6;
// Of the index of a lane in the keys of that table.
inline constexpr unsigned kLaneIndexBits = 20;
static_assert(base::limits::kMaxLanes <= 1u << kLaneIndexBits);

struct LaneEvent {
  EventKind kind = EventKind::kLaneUp;
  base::Code code = base::Code::kOk;
  LaneRef lane;
};

// The memory and tables that an endpoint's roles share. It has no behaviour of its own beyond
// look-ups, so that each role can be read, and tested, alone.
struct Context {
  Context(const EndpointConfig& endpoint_config, crypto::AeadBackend* aead,
          const crypto::Primitives* functions, crypto::InlineCrypto* sealing_ports = nullptr);

  Lane* find_lane(base::SessionId session, uint8_t number) {
    uint32_t* index = lane_by_session.find(lane_key(session, number));
    return index == nullptr ? nullptr : &lanes.at(*index);
  }
  // The lane that an SPI of this side's choice names.
  Lane* find_spi(uint32_t spi) {
    uint32_t* index = lane_by_spi.find(wire::esp_lane_key(spi));
    return index == nullptr ? nullptr : &lanes.at(*index);
  }
  Lane* find_lane(LaneRef ref) {
    if (ref.index >= lanes.capacity()) return nullptr;
    Lane& lane = lanes.at(ref.index);
    return lane.live && lane.generation == ref.generation ? &lane : nullptr;
  }
  Exchange* find_exchange(const Lane& lane, bool caller, uint64_t id) {
    if (lane.busy != nullptr) [[likely]] {
      const uint32_t index = lane.busy->exchanges[caller].at(id);
      // A peer may name any id, also one that the ring cannot tell from this.
      if (index != ExchangeRing::kNone && exchanges.at(index).id == id) return &exchanges.at(index);
    }
    if (by_id.size() == 0) return nullptr;
    uint32_t* index = by_id.find(exchange_key(lane, caller, id));
    return index == nullptr ? nullptr : &exchanges.at(*index);
  }
  // Starts to load what find_exchange() looks at first.
  void prefetch_exchange(const Lane& lane, bool caller, uint64_t id) const {
    if (lane.busy != nullptr) lane.busy->exchanges[caller].prefetch(id);
    if (by_id.size() != 0) by_id.prefetch(exchange_key(lane, caller, id));
  }
  // And then all of what it finds, of which it reads nothing itself.
  void prefetch_found(const Lane& lane, bool caller, uint64_t id) {
    uint32_t index =
        lane.busy == nullptr ? ExchangeRing::kNone : lane.busy->exchanges[caller].at(id);
    if (index == ExchangeRing::kNone && by_id.size() != 0) {
      const uint32_t* const found = by_id.find(exchange_key(lane, caller, id));
      if (found != nullptr) index = *found;
    }
    if (index != ExchangeRing::kNone) exchanges.at(index).prefetch();
  }
  // From here on find_exchange() finds it, until forget(); its lane is engaged.
  void remember(Exchange& exchange) {
    const uint32_t index = exchanges.index_of(&exchange);
    exchange.in_table = true;
    exchange.in_ring = exchange.lane->busy->exchanges[exchange.caller].take(exchange.id, index);
    if (exchange.in_ring) [[likely]]
      return;
    const uint64_t key = exchange_key(*exchange.lane, exchange.caller, exchange.id);
    SLUICE_CHECK(by_id.insert(key, index) != nullptr);
  }
  void forget(Exchange& exchange) {
    if (!exchange.in_table) return;
    exchange.in_table = false;
    if (exchange.in_ring) [[likely]] {
      exchange.lane->busy->exchanges[exchange.caller].leave(exchange.id);
    } else {
      by_id.erase(exchange_key(*exchange.lane, exchange.caller, exchange.id));
    }
  }
  Exchange* find_exchange(ExchangeRef ref) {
    if (ref.index >= exchanges.capacity()) return nullptr;
    Exchange& exchange = exchanges.at(ref.index);
    const bool same = exchange.generation == ref.generation;
    return same && exchange.state != ExchangeState::kFree ? &exchange : nullptr;
  }
  ExchangeRef ref_of(const Exchange& exchange) const {
    return {exchanges.index_of(&exchange), exchange.generation};
  }
  static LaneRef ref_of(const Lane& lane) { return {lane.index, lane.generation}; }

  void raise(Exchange& exchange, EventKind kind) {
    exchange.events = static_cast<uint8_t>(exchange.events | (1u << static_cast<uint8_t>(kind)));
    if (!exchange.event_node.linked()) events.push_back(exchange);
  }
  // The lane has frames or small messages to send: frames go first, then the shortest messages.
  void wake(Lane& lane) {
    if (lane.tx_node.linked()) {
      tx_lanes.update(lane, tx_size(lane));
    } else {
      tx_lanes.insert(lane, tx_size(lane));
    }
  }
  static uint32_t tx_size(Lane& lane) {
    const bool message = !lane.has_frames && !lane.small.empty();
    return message ? lane.small.front()->length : 0;
  }
  // Lends the lane what a busy one needs, if it has none; to be called before it is given an id, a
  // frame or a verified packet. Where all are lent, some lane at rest loses its own. False, and
  // counted, where all are needed: then the lane can do nothing that needs one.
  bool engage(Lane& lane) { return lane.busy != nullptr || engage_idle(lane); }
  // Takes it back from a lane that is going away.
  void disengage(Lane& lane);
  // Whether so little is under way that what is finished may be kept until its caller has something
  // else to send.
  bool may_keep() const { return exchanges.in_use() <= most_kept; }
  // There is work on the lane: its timer must look after it soon.
  void attend(Lane& lane) {
    lane.last_active = now;
    if (lane.timer.linked() && lane.timer.deadline() <= base::after(now, kLaneTick)) return;
    wheel.arm(lane.timer, base::after(now, kLaneTick));
  }
  // Bytes of a message that a peer may send here without a grant. Never less than one packet: the
  // first one has to come unasked.
  uint32_t unscheduled_limit() const {
    return std::max(config.unscheduled_bytes, config.max_packet);
  }
  ServiceLanding landing_of(uint16_t service) {
    const ServiceLanding* found = services.find(service);
    return found == nullptr ? ServiceLanding{} : *found;
  }

  // Whether granted bytes of a higher priority have arrived since: on this side's link they
  // overtake.
  bool overtaken_since(uint8_t priority, base::Nanos since) const {
    return std::any_of(granted_arrival.begin() + priority + 1, granted_arrival.end(),
                       [since](base::Nanos at) { return at > since; });
  }

  static uint64_t lane_key(base::SessionId session, uint8_t number) {
    return uint64_t{session.value()} << 8 | number;
  }
  // Ids are given out in order: their last bits come last, so that the table keeps them together.
  static uint64_t exchange_key(const Lane& lane, bool caller, uint64_t id) {
    constexpr uint64_t kNear = (1u << kNearIdBits) - 1;
    const uint64_t group = (id & ~kNear) << (kLaneIndexBits + 1) | uint64_t{lane.index}
                                                                       << (1 + kNearIdBits);
    return group | uint64_t{caller} << kNearIdBits | (id & kNear);
  }

  // The exchange's cold part as new; nothing is allocated.
  void make_cold(Exchange& exchange) {
    exchange.cold = cold_parts.make(exchanges.index_of(&exchange));
    exchange.cold->out = &exchange.out;
  }

  const EndpointConfig config;
  const uint32_t most_kept;  // See may_keep().
  crypto::AeadBackend* const backend;
  const crypto::Primitives* const primitives;
  crypto::InlineCrypto* const ports;  // Null where none seals.
  Stats stats;
  base::Nanos now{};  // The time of the verb in progress.
  base::Prng prng;
  base::Slab<Exchange> exchanges;
  base::LazyArray<ColdPart> cold_parts;  // Of the exchange at the same place.
  base::Slab<Reassembly> reassemblies;
  base::Slab<Lane> lanes;
  base::Slab<BusyLane> busy_lanes;
  base::IntrusiveList<Lane, &Lane::busy_node> engaged;     // Those who have one.
  base::FlatTable<uint64_t, uint32_t, kNearIdBits> by_id;  // Exchanges beyond their lane's ring.
  base::FlatTable<uint64_t, uint32_t> lane_by_session;
  base::FlatTable<uint32_t, uint32_t> lane_by_spi;
  base::FlatTable<uint64_t, ServiceLanding> services;
  base::BuddyArena arena;
  RecordAssembly records;
  base::TimerWheel wheel;
  CutoffEstimator cutoffs;
  std::array<base::Nanos, 8> granted_arrival{};  // The last of granted bytes, by their priority.
  base::IntrusiveList<Exchange, &Exchange::event_node> events;
  SizeBuckets<Lane, &Lane::tx_node, &Lane::tx_bucket> tx_lanes;
  std::vector<LaneEvent> lane_events;  // A ring of fixed size: at most two events a lane.
  uint32_t lane_event_head = 0;
  uint32_t lane_event_count = 0;

  void raise_lane(const Lane& lane, EventKind kind, base::Code code);

 private:
  // So many lanes are asked whether they are at rest for another one's sake.
  static constexpr uint32_t kMaxRestLook = 8;

  bool engage_idle(Lane& lane);
  static bool at_rest(const Lane& lane);
  // Of a lane that has one, all of whose bits of ids are zero.
  static BusyLane* take_back(Lane& lane);
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_CONTEXT_H_
