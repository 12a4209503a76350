// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_API_ENGINE_OPTIONS_H_
#define SLUICE_API_ENGINE_OPTIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "engine/config.h"
#include "sluice/options.h"
#include "transport/peer_address.h"

namespace sluice::internal {

// Checks the options and turns them into what the engine is told, but for the applications and
// listeners of the nodes. Reads the key file. Errors are one sentence that says what to change.
absl::StatusOr<engine::EngineConfig> make_engine_config(const EngineOptions& options);

// Reads what may change at run time again, as make_engine_config() did. FailedPrecondition when the
// options name neither a policy nor a certificate.
absl::StatusOr<engine::ReloadConfig> read_again(const CryptoOptions& crypto,
                                                const AccessOptions& access);

engine::FaultConfig make_fault_config(const FaultOptions& faults);

// "10.0.0.2", "10.0.0.2:7470", "fd00::2" or "[fd00::2]:7470".
absl::StatusOr<transport::PeerAddress> parse_peer(const std::string& text);
// The same without the port: "10.0.0.2" or "fd00::2".
std::string format_peer_ip(const transport::PeerAddress& peer);

}  // namespace sluice::internal

#endif  // SLUICE_API_ENGINE_OPTIONS_H_
