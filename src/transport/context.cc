// SPDX-License-Identifier: Apache-2.0
#include "transport/context.h"

#include <algorithm>
#include <utility>

#include "base/core_dumps.h"
#include "wire/header.h"

namespace sluice::transport {

Lane::Lane() : rtt(base::Nanos{}, base::Nanos{}, base::Nanos{}) { timer.kind = kLaneTimer; }

namespace {

// A message begins with a packet: whatever was asked for, a first one has to be let in.
EndpointConfig normalized(EndpointConfig config) {
  config.unscheduled_bytes = std::max(config.unscheduled_bytes, config.max_packet);
  return config;
}

// See Context::may_keep(): an eighth of the exchanges; and none where fewer lanes can be busy than
// there are, since each that is kept keeps a lane busy.
uint32_t most_to_keep(const EndpointConfig& config) {
  return config.max_lanes <= config.max_busy_lanes ? config.max_exchanges / 8 : 0;
}

}  // namespace

Context::Context(const EndpointConfig& endpoint_config, crypto::AeadBackend* aead,
                 const crypto::Primitives* functions, crypto::InlineCrypto* sealing_ports)
    : config(normalized(endpoint_config)),
      most_kept(most_to_keep(endpoint_config)),
      backend(aead),
      primitives(functions),
      ports(sealing_ports),
      prng(endpoint_config.seed),
      exchanges(endpoint_config.max_exchanges),
      cold_parts(endpoint_config.max_exchanges),
      reassemblies(endpoint_config.max_reassemblies),
      lanes(endpoint_config.max_lanes),
      busy_lanes(endpoint_config.busy_lanes()),
      by_id(endpoint_config.max_exchanges, prng.next_u64()),
      lane_by_session(endpoint_config.max_lanes, prng.next_u64()),
      lane_by_spi(endpoint_config.esp ? endpoint_config.max_lanes : 1,
                  endpoint_config.esp ? prng.next_u64() : 0),
      services(base::limits::kMaxServices, prng.next_u64()),
      arena(endpoint_config.arena_bytes),
      records(endpoint_config.record_mode ? endpoint_config.unverified_bytes : 0),
      wheel(),
      lane_events(endpoint_config.max_lanes * 2) {
  for (uint32_t i = 0; i < lanes.capacity(); ++i) lanes.at(i).index = i;
  // They hold their keys, and what the next ones are derived from.
  base::keep_out_of_core_dumps(&lanes.at(0), lanes.capacity() * sizeof(Lane));
  for (uint32_t i = 0; i < exchanges.capacity(); ++i) exchanges.at(i).timer.kind = kExchangeTimer;
}

bool Context::at_rest(const Lane& lane) {
  return !lane.has_exchanges() && lane.own_ids.at_rest() && lane.peer_ids.at_rest() &&
         !lane.has_frames && lane.busy->held_acks.empty() && !lane.tx_node.linked();
}

BusyLane* Context::take_back(Lane& lane) {
  lane.receive.window().detach();
  lane.own_ids.lend(nullptr, nullptr);
  lane.peer_ids.lend(nullptr, nullptr);
  return std::exchange(lane.busy, nullptr);
}

// The one lent longest ago goes first, unless it is still needed: then it is asked again last.
bool Context::engage_idle(Lane& lane) {
  SLUICE_DCHECK(lane.live);
  BusyLane* busy = busy_lanes.allocate();
  for (uint32_t i = 0; busy == nullptr && i < kMaxRestLook; ++i) {
    Lane* const oldest = engaged.pop_front();
    if (oldest == nullptr) break;
    if (at_rest(*oldest)) {
      busy = take_back(*oldest);
      stats.lanes_rested.add();
    } else {
      engaged.push_back(*oldest);
    }
  }
  if (busy == nullptr) {
    stats.limit_busy_lanes.add();
    return false;
  }
  lane.busy = busy;
  engaged.push_back(lane);
  lane.receive.window().attach(&busy->replay);
  lane.own_ids.lend(busy->own_done.data(), busy->own_told.data());
  lane.peer_ids.lend(busy->peer_seen.data(), busy->peer_released.data());
  if (config.several_paths()) busy->paths.start(&prng);
  busy->judge.start();
  return true;
}

void Context::disengage(Lane& lane) {
  if (lane.busy == nullptr) return;
  lane.busy->frames.clear();
  lane.has_frames = false;
  lane.busy->held_acks.clear();
  lane.own_ids.reset();
  lane.peer_ids.reset();
  engaged.erase(lane);
  busy_lanes.release(take_back(lane));
}

void Context::raise_lane(const Lane& lane, EventKind kind, base::Code code) {
  // A lane is not reused before its events are read, so that two places for each suffice.
  SLUICE_CHECK(lane_event_count < lane_events.size());
  const size_t at = (lane_event_head + lane_event_count) % lane_events.size();
  lane_events[at] = {kind, code, ref_of(lane)};
  ++lane_event_count;
}

}  // namespace sluice::transport
