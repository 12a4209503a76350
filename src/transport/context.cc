// SPDX-License-Identifier: Apache-2.0
#include "transport/context.h"

#include <algorithm>

#include "wire/header.h"

namespace sluice::transport {

Lane::Lane() : rtt(base::Nanos{}, base::Nanos{}, base::Nanos{}) { timer.kind = kLaneTimer; }

namespace {

// A message begins with a packet: whatever was asked for, a first one has to be let in.
EndpointConfig normalized(EndpointConfig config) {
  config.unscheduled_bytes = std::max(config.unscheduled_bytes, config.max_packet);
  return config;
}

}  // namespace

Context::Context(const EndpointConfig& endpoint_config, crypto::AeadBackend* aead,
                 const crypto::Primitives* functions, crypto::InlineCrypto* sealing_ports)
    : config(normalized(endpoint_config)),
      backend(aead),
      primitives(functions),
      ports(sealing_ports),
      prng(endpoint_config.seed),
      exchanges(endpoint_config.max_exchanges),
      reassemblies(endpoint_config.max_reassemblies),
      lanes(endpoint_config.max_lanes),
      by_id(endpoint_config.max_exchanges, prng.next_u64()),
      lane_by_session(endpoint_config.max_lanes, prng.next_u64()),
      services(base::limits::kMaxServices, prng.next_u64()),
      arena(endpoint_config.arena_bytes),
      records(endpoint_config.record_mode ? endpoint_config.unverified_bytes : 0),
      wheel(),
      lane_events(endpoint_config.max_lanes * 2) {
  for (uint32_t i = 0; i < lanes.capacity(); ++i) lanes.at(i).index = i;
  for (uint32_t i = 0; i < exchanges.capacity(); ++i) exchanges.at(i).timer.kind = kExchangeTimer;
}

void Context::raise_lane(const Lane& lane, EventKind kind, base::Code code) {
  // A lane is not reused before its events are read, so that two places for each suffice.
  SLUICE_CHECK(lane_event_count < lane_events.size());
  const size_t at = (lane_event_head + lane_event_count) % lane_events.size();
  lane_events[at] = {kind, code, ref_of(lane)};
  ++lane_event_count;
}

}  // namespace sluice::transport
