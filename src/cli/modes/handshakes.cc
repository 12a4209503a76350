// SPDX-License-Identifier: Apache-2.0
#include "cli/handshake_job.h"
#include "cli/mode.h"
#include "cli/modes/traffic_plan.h"

namespace sluice::cli {
namespace {

std::vector<HandshakeKind> kinds_of(const Options& options) {
  if (!has_certificates(options)) return {HandshakeKind::kFull};
  if (options.handshake != HandshakeKind::kAll) return {options.handshake};
  return {HandshakeKind::kFull, HandshakeKind::kResumed, HandshakeKind::kEarly};
}

absl::Status prepare(Options* options) {
  set_default(&options->size, 64);
  set_default(&options->count, 100);
  set_default(&options->service, kEchoService);
  if (!options->workload.empty()) {
    return absl::InvalidArgumentError("handshakes sends one size: give --size, not --workload");
  }
  const bool other =
      options->handshake == HandshakeKind::kResumed || options->handshake == HandshakeKind::kEarly;
  if (other && !has_certificates(*options)) {
    return absl::InvalidArgumentError(
        "a pre-shared key leaves no tickets: give --cert, --key and --trust, or --handshake=full");
  }
  return check_traffic(*options);
}

uint32_t longest(const Options& options) { return static_cast<uint32_t>(options.size); }

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  return std::make_unique<HandshakeJob>(rig, kinds_of(options), options.count,
                                        static_cast<uint32_t>(options.size));
}

}  // namespace

const Mode kHandshakesMode = {
    .name = "handshakes",
    .summary = "sessions one after another: full, resumed, and with an early request",
    .help =
        "Begins --count sessions of each kind (default 100), one after another, each with one RPC\n"
        "of --size bytes (default 64), and times the first answer. Resumed sessions and early\n"
        "requests take certificates; --handshake=full, resumed or early chooses one kind.\n"
        "  sluice handshakes --port=... --peer=10.0.0.2 --cert=... --key=... --trust=... "
        "--name=...\n",
    .connects = true,
    .roles = {.serve = true, .files = false},
    .prepare = &prepare,
    .longest = &longest,
    .make = &make,
};

}  // namespace sluice::cli
