// SPDX-License-Identifier: Apache-2.0
//
// Commands for DPDK's telemetry socket: /sluice/stats, /sluice/sessions, /sluice/ports,
// /sluice/faults. Each covers every engine of the process.
#ifndef SLUICE_ENGINE_TELEMETRY_H_
#define SLUICE_ENGINE_TELEMETRY_H_

namespace sluice::engine {

class Engine;

// Registers the commands at the first call (they stay), and adds an engine to them.
void telemetry_add(const Engine* engine);
// Waits for a command that is running.
void telemetry_remove(const Engine* engine);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_TELEMETRY_H_
