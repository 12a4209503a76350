// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_CHOOSE_BACKEND_H_
#define SLUICE_CRYPTO_CHOOSE_BACKEND_H_

#include <string>

#include "crypto/aead.h"

namespace sluice::crypto {

enum class BackendKind {
  kAuto,  // The fastest that has the algorithm.
  kIpsecMb,
  kBoringssl,
  kLookaside,  // A crypto device (engine).
  kInline,     // Records by the ports (engine); what is left to the CPU as with kAuto.
};

// What was found at start. A null pointer says that the backend could not be had here.
struct BackendSet {
  AeadBackend* ipsec_mb = nullptr;
  AeadBackend* boringssl = nullptr;
  AeadBackend* plaintext = nullptr;
  AeadBackend* lookaside = nullptr;
  std::string no_lookaside;  // Why there is none, and what to do about it.
};

// `backend` is null on failure. `reason` is one line for the start-up report: why this backend, or
// what to change.
struct BackendChoice {
  AeadBackend* backend = nullptr;
  std::string reason;
};

// Chooses for one algorithm. A backend asked for by name is taken or refused, never replaced, and
// encryption is never replaced by plaintext. Runs on the control thread; allocates the reason.
BackendChoice choose_backend(BackendKind wanted, AeadAlgorithm algorithm, const BackendSet& found);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_CHOOSE_BACKEND_H_
