// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TRANSPORT_LOOK_AHEAD_H_
#define SLUICE_TRANSPORT_LOOK_AHEAD_H_

#include <cstdint>
#include <span>

#include "transport/context.h"
#include "transport/packet.h"

namespace sluice::transport {

// So many stay in the caches of an lcore: asking for them would cost more than it gives.
inline constexpr uint32_t kCachedLanes = 64;
inline constexpr uint32_t kCachedExchanges = 1024;

// Asks for the memory that the packets of a burst are going to need, all of it at once, where there
// are more lanes or exchanges than that: one packet after the other waits for one line after the
// other. Reads nothing beyond the packets' lengths, believes nothing, changes nothing.
void look_ahead(Context& ctx, std::span<const RxPacket> burst);

}  // namespace sluice::transport

#endif  // SLUICE_TRANSPORT_LOOK_AHEAD_H_
