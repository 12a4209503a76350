// SPDX-License-Identifier: Apache-2.0
#include "cli/mode.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::cli {

std::span<const Mode* const> modes() {
  static constexpr const Mode* kModes[] = {&kServeMode,    &kPingpongMode, &kRateMode,
                                           &kStreamMode,   &kIncastMode,   &kHandshakesMode,
                                           &kSendfileMode, &kRecvfileMode, &kLoopbackMode};
  return kModes;
}

const Mode* find_mode(absl::string_view name) {
  for (const Mode* mode : modes()) {
    if (name == mode->name) return mode;
  }
  return nullptr;
}

absl::Status check_peer(const Options& options) {
  if (has_certificates(options) && options.peer_name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.mode,
                     " has to know whom it talks to: add --name=server.dc.example, a name in the "
                     "server's certificate"));
  }
  if (options.embedded() || !options.peer.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      options.mode, " needs the server's address: add --peer=10.0.0.2 (or leave out --port to run ",
      "both ends in this process)"));
}

absl::Status check_traffic(const Options& options) {
  absl::Status status = check_peer(options);
  if (!status.ok()) return status;
  const auto workload = workload_of(options);
  if (!workload.ok()) return workload.status();
  if (options.service != kEchoService && options.service != kSinkService) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--service=", options.service, ": choose 1 (echo) or 2 (sink), which sluice serve offers"));
  }
  if (options.service == kEchoService && workload->max_size() > options.max_buffered) {
    return absl::InvalidArgumentError(absl::StrCat("messages of ", workload->max_size(),
                                                   " bytes are too long to be echoed: use the mode "
                                                   "stream, --service=2, or --max-buffered=",
                                                   workload->max_size(), " on both sides"));
  }
  return absl::OkStatus();
}

uint32_t longest_of_traffic(const Options& options) {
  const auto workload = workload_of(options);
  const auto named = static_cast<uint32_t>(std::max(options.max_size, options.beside));
  return workload.ok() ? std::max(workload->max_size(), named) : named;
}

}  // namespace sluice::cli
