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

  // The index in Context::exchanges of the exchange that has the id's place, kNone where none has:
  // of this id, or of another that is a multiple of kIds away.
  uint32_t at(uint64_t id) const { return places_[id % kIds] - 1; }
  // False where another has the place.
  bool take(uint64_t id, uint32_t index) {
    uint32_t& place = places_[id % kIds];
    if (place != 0) return false;
    place = index + 1;
    return true;
  }
  // By whoever has it.
  void leave(uint64_t id) {
    SLUICE_DCHECK(places_[id % kIds] != 0);
    places_[id % kIds] = 0;
  }
  void prefetch(uint64_t id) const { base::prefetch(&places_[id % kIds]); }

 private:
  std::array<uint32_t, kIds> places_{};
};

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_EXCHANGE_RING_H_
