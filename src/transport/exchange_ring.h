// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_EXCHANGE_RING_H_
#define SLUICE_TRANSPORT_EXCHANGE_RING_H_

#include <array>
#include <cstdint>

#include "base/check.h"
#include "base/prefetch.h"

namespace sluice::transport {

// Where the exchanges are whose ids, of one lane and one side, lie close together: a place for each
// of kIds ids in a row, taken by whoever comes first. Ids are dense, so that it knows nearly all
// that a lane has under way, and nothing is hashed; the others are in Context::by_id. Empty while
// all zero.
class ExchangeRing {
 public:
  static constexpr uint32_t kIds = 64;
  static constexpr uint32_t kNone = UINT32_MAX;

  // The index in Context::exchanges of the exchange with this id; kNone where it has no place. It
  // takes ids 2^37 apart for each other, of which a lane never has two under way; but a peer may
  // name any.
  uint32_t at(uint64_t id) const {
    const Place& place = places_[id % kIds];
    return place.round == round_of(id) ? place.index : kNone;
  }
  // False where another has the place.
  bool take(uint64_t id, uint32_t index) {
    Place& place = places_[id % kIds];
    if (place.round != 0) return false;
    place = {round_of(id), index};
    return true;
  }
  // By whoever has it.
  void leave(uint64_t id) {
    SLUICE_DCHECK(places_[id % kIds].round == round_of(id));
    places_[id % kIds].round = 0;
  }
  void prefetch(uint64_t id) const { base::prefetch(&places_[id % kIds]); }

 private:
  struct Place {
    uint32_t round = 0;  // Of the id that has it; 0: it is free.
    uint32_t index = 0;
  };

  // Which of the ids that share its place, by their low bits. Those that a lane has under way are
  // less than kMaxIdsAboveFloor apart.
  static uint32_t round_of(uint64_t id) { return static_cast<uint32_t>(id / kIds) | kTaken; }
  static constexpr uint32_t kTaken = 1u << 31;

  std::array<Place, kIds> places_{};
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_EXCHANGE_RING_H_
