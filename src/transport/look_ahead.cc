// SPDX-License-Identifier: Apache-2.0
#include "transport/look_ahead.h"

#include <algorithm>
#include <array>

#include "base/byte_order.h"
#include "base/limits.h"
#include "wire/header.h"
#include "wire/record_number.h"

namespace sluice::transport {
namespace {

// A packet, and what is known of it after each round.
struct Place {
  const RxPacket* packet;
  uint64_t lane_key;
  Lane* lane;        // Null where there is none.
  uint64_t answers;  // The id of the call that it answers; 0 otherwise.
};

uint64_t lane_key_of(const RxPacket& packet) {
  return Context::lane_key(base::SessionId(base::load_be32(packet.data + wire::offsets::kSession)),
                           packet.data[wire::offsets::kLane]);
}

void find_lane(Context& ctx, const Place* before, Place* place) {
  if (before != nullptr && before->lane_key == place->lane_key) {
    place->lane = before->lane;
    return;
  }
  const uint32_t* const index = ctx.lane_by_session.find(place->lane_key);
  if (index == nullptr) return;
  place->lane = &ctx.lanes.at(*index);
  place->lane->prefetch();
}

// What remembers whether the packet, or its message, was seen before, and what it brings to an end.
void find_past(const Context& ctx, Place* place) {
  Lane& lane = *place->lane;
  const uint64_t number = base::load_be64(place->packet->data + wire::offsets::kRecordNumber);
  const Exchange* const finished = lane.peers.front();
  if (wire::is_counter_number(number)) {
    lane.receive.window().prefetch(wire::counter_of(number));
    if (finished != nullptr) finished->prefetch();
    return;
  }
  const auto record = wire::split_message_number(lane.split, number);
  const uint64_t near = record.initiator ? lane.peer_ids.highest() : lane.own_ids.next();
  const uint64_t id = wire::expand_message_id(lane.split, record.id_low, near);
  ctx.prefetch_exchange(lane, !record.initiator, id);
  if (!record.initiator) {
    place->answers = id;
    return;
  }
  lane.peer_ids.prefetch(id);
  if (finished != nullptr) finished->prefetch();
}

}  // namespace

// Each round finds its places by what the one before has asked for.
void look_ahead(Context& ctx, std::span<const RxPacket> burst) {
  const bool far = ctx.lanes.in_use() > kCachedLanes || ctx.exchanges.in_use() > kCachedExchanges;
  if (!far || burst.size() < 2) return;
  std::array<Place, base::limits::kMaxBurst> all;
  size_t count = 0;
  for (const RxPacket& packet : burst.first(std::min(burst.size(), all.size()))) {
    if (packet.length < wire::kCommonHeaderSize) continue;
    all[count] = {&packet, lane_key_of(packet), nullptr, 0};
    ctx.lane_by_session.prefetch(all[count].lane_key);
    ++count;
  }
  const std::span<Place> places(all.data(), count);
  const Place* before = nullptr;
  for (Place& place : places) {
    find_lane(ctx, before, &place);
    before = &place;
  }
  for (Place& place : places) {
    if (place.lane != nullptr) find_past(ctx, &place);
  }
  for (const Place& place : places) {
    if (place.answers != 0) ctx.prefetch_found(*place.lane, true, place.answers);
  }
}

}  // namespace sluice::transport
