// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_LEAST_TIME_H_
#define SLUICE_SIM_LEAST_TIME_H_

#include <span>

#include "sim/message_log.h"
#include "sim/scenario.h"
#include "sim/time.h"
#include "sim/topology.h"

namespace sluice::sim {

// A time before which messages that begin at once cannot all be delivered, whoever schedules them.
// What enters or leaves a host has its link to share, what enters or leaves a rack the leaf's links
// to spines, and the way of one packet comes on top. 0 without messages.
Picos least_time(const Topology& topology, const Packetisation& packets,
                 std::span<const MessageRecord> messages);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_LEAST_TIME_H_
