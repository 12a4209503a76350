// SPDX-License-Identifier: Apache-2.0
//
// Brings the TLS library's module into the process and chooses how to seal.
#ifndef SLUICE_ENGINE_CRYPTO_LOADER_H_
#define SLUICE_ENGINE_CRYPTO_LOADER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/aead.h"
#include "crypto/boringssl/module.h"
#include "crypto/choose_backend.h"
#include "crypto/handshake.h"
#include "crypto/primitives.h"
#include "engine/report.h"

namespace sluice::engine {

// Everything cryptographic that is one per process; found at the first call and kept for good.
struct CryptoLibrary {
  const crypto::Primitives* primitives = nullptr;
  const crypto::BoringsslModule* module = nullptr;  // With TLS and certificates.
  crypto::BackendSet backends;
  std::string module_path;  // Or "linked in".
};

// `module_path` empty: looked for beside the program or library that contains this code, in the
// places of an installation and of a build directory. FailedPrecondition when it is not there.
absl::StatusOr<const CryptoLibrary*> load_crypto(const std::string& module_path);

// The places that are tried for the code at `self` (a path), in order.
std::vector<std::string> crypto_module_candidates(const std::string& self);

struct ChosenCrypto {
  crypto::AeadBackend* backend = nullptr;
  // The algorithms asked for that the backend has; the first is the first asked for.
  std::vector<crypto::AeadAlgorithm> algorithms;
  ReportLine report;
};

// One backend that has the first algorithm; the others that it lacks are left out, and the report
// says so. InvalidArgument for a list that is empty, repeats itself or mixes plaintext in.
absl::StatusOr<ChosenCrypto> choose_crypto(const crypto::BackendSet& found,
                                           crypto::BackendKind wanted,
                                           const std::vector<crypto::AeadAlgorithm>& algorithms);

// The kernel's randomness; for keys.
crypto::RandomSource system_random();

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_CRYPTO_LOADER_H_
