// SPDX-License-Identifier: Apache-2.0
//
// What the prompt shows of a running engine.
#ifndef SLUICE_CLI_SHOW_H_
#define SLUICE_CLI_SHOW_H_

#include <string>
#include <vector>

#include "cli/options.h"
#include "sluice/fault.h"
#include "sluice/session.h"
#include "sluice/stats.h"

namespace sluice::cli {

std::string ports_text(const std::vector<PortInfo>& ports);
std::string port_stats_text(const std::vector<PortInfo>& ports);
std::string port_xstats_text(const std::vector<PortInfo>& ports);
// For the report of a start: whom the sessions begun are with, where peers have names, and what
// became of record mode, where it was asked for.
std::string peers_text(const std::vector<SessionInfo>& sessions, bool forms);
std::string sessions_text(const std::vector<SessionInfo>& sessions);
// RPCs, one-way messages and streams: what was begun, ended and is under way.
std::string messages_text(const StatsSnapshot& stats, const std::vector<SessionInfo>& sessions);
// Counters that are not zero, those whose name begins with `prefix`.
std::string counters_text(const StatsSnapshot& stats, const std::string& prefix);
std::string faults_text(const FaultOptions& faults, const StatsSnapshot& stats);
// The rules in force, a line each; or that there is no policy (an empty `file`).
std::string policy_text(const std::string& file, const std::vector<std::string>& rules);
// The traffic that the next `start` begins.
std::string config_text(const Options& options);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SHOW_H_
