// SPDX-License-Identifier: Apache-2.0
//
// How a node proves who it is: the handshake mechanism made of its configuration.
#ifndef SLUICE_ENGINE_MECHANISM_H_
#define SLUICE_ENGINE_MECHANISM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/handshake.h"
#include "crypto/tls_handshake.h"
#include "engine/config.h"
#include "engine/crypto_loader.h"
#include "engine/report.h"

namespace sluice::engine {

// The kernel's time of day.
crypto::WallClock system_wall_clock();

// Keys or certificates, exactly one of them, else InvalidArgument.
absl::Status check_credentials(const NodeConfig& config);

struct NodeMechanism {
  std::unique_ptr<crypto::HandshakeMechanism> mechanism;
  crypto::TlsMechanism* tls = nullptr;  // The same where it is TLS, else null.
  std::vector<ReportLine> report;
};

struct NodeIdentity {
  crypto::TlsIdentityOwner owner;
  std::string text;  // Name, kind of key and end, for people.
  std::string issuer;
};

// An identity that can be used now. Errors as of make_mechanism().
absl::StatusOr<NodeIdentity> make_identity(const TlsConfig& tls, const CryptoLibrary& library);

// InvalidArgument, one sentence that names the file and says what to change, for certificates and
// keys that cannot be used. The library outlives the mechanism.
absl::StatusOr<NodeMechanism> make_mechanism(const NodeConfig& config,
                                             const CryptoLibrary& library);

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_MECHANISM_H_
