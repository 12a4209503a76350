// SPDX-License-Identifier: Apache-2.0
#include "sim/network_config.h"

#include "absl/strings/str_cat.h"
#include "sim/packet_pool.h"

namespace sluice::sim {
namespace {

absl::Status validate_switches(const SwitchModel& model) {
  if (model.priorities == 0 || model.priorities > kMaxPriorities) {
    return absl::InvalidArgumentError(absl::StrCat("switches.priorities: ", model.priorities,
                                                   ": 1 to ", kMaxPriorities, " are possible"));
  }
  const bool bounded = model.buffer_bytes != 0 || model.port_bytes != 0;
  if (model.discipline == Discipline::kRanked && bounded) {
    return absl::InvalidArgumentError(
        "switches.discipline: ranked queues have no limit: leave buffer_bytes and port_bytes 0");
  }
  if (model.alpha_sixteenths != 0 && model.buffer_bytes == 0) {
    return absl::InvalidArgumentError(
        "switches.alpha_sixteenths: a dynamic threshold needs a buffer: set buffer_bytes");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status validate(const NetworkConfig& config) {
  if (absl::Status status = validate_switches(config.switches); !status.ok()) return status;
  if (config.hosts.refill_bytes == 0) {
    return absl::InvalidArgumentError(
        "hosts.refill_bytes: 0 would never ask for packets: take 1 or more");
  }
  if (config.packets == 0 || config.packets == kNoPacket) {
    return absl::InvalidArgumentError(
        absl::StrCat("packets: ", config.packets, ": 1 to ", kNoPacket - 1, " are possible"));
  }
  if (config.max_samples != 0 && config.sample_period == Picos()) {
    return absl::InvalidArgumentError(
        "sample_period: 0 with samples asked for: take a microsecond, say, or max_samples 0");
  }
  return absl::OkStatus();
}

}  // namespace sluice::sim
