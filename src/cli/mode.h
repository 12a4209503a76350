// SPDX-License-Identifier: Apache-2.0
//
// The modes of the program, in a table: each says what it needs and makes the job that does it.
#ifndef SLUICE_CLI_MODE_H_
#define SLUICE_CLI_MODE_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/job.h"
#include "cli/options.h"
#include "cli/rig.h"

namespace sluice::cli {

struct Mode {
  const char* name;
  const char* summary;  // One line for the list of modes.
  const char* help;     // What it does, which options matter, an example.
  bool connects;        // Begins sessions; needs a peer.
  Roles roles;          // What this end serves in this mode.
  // Puts the mode's defaults where the options have none, and refuses what it cannot do.
  absl::Status (*prepare)(Options* options);
  // The longest test message, in bytes.
  uint32_t (*longest)(const Options& options);
  // Makes the job from prepared options. The rig outlives it, and has its sessions.
  absl::StatusOr<std::unique_ptr<Job>> (*make)(Rig* rig, const Options& options);
};

// All modes, in the order of the help.
std::span<const Mode* const> modes();
const Mode* find_mode(absl::string_view name);

// Checks and helpers that several modes share.
// A client of another machine needs its address.
absl::Status check_peer(const Options& options);
// Longer messages than the peer buffers by default can only go to the sink.
absl::Status check_traffic(const Options& options);
// The length of the longest message of the options' traffic, or of a workload that the prompt may
// choose later.
uint32_t longest_of_traffic(const Options& options);

extern const Mode kServeMode;
extern const Mode kPingpongMode;
extern const Mode kRateMode;
extern const Mode kStreamMode;
extern const Mode kIncastMode;
extern const Mode kHandshakesMode;
extern const Mode kSendfileMode;
extern const Mode kRecvfileMode;
extern const Mode kLoopbackMode;

}  // namespace sluice::cli

#endif  // SLUICE_CLI_MODE_H_
