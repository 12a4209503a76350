// SPDX-License-Identifier: Apache-2.0
#include "crypto/choose_backend.h"

namespace sluice::crypto {
namespace {

bool has(AeadBackend* backend, AeadAlgorithm algorithm) {
  return backend != nullptr && backend->supports(algorithm);
}

BackendChoice chosen(AeadBackend* backend, const char* why) {
  return {backend, std::string(backend->name()) + " (" + backend->detail() + "): " + why};
}

BackendChoice choose_named(const char* name, AeadBackend* backend, AeadAlgorithm algorithm) {
  if (backend == nullptr) {
    return {nullptr, std::string("crypto backend ") + name +
                         " was asked for but is not available here; ask for auto"};
  }
  if (!backend->supports(algorithm)) {
    return {nullptr, std::string("crypto backend ") + name + " does not provide " +
                         algorithm_name(algorithm) + "; ask for auto or another algorithm"};
  }
  return chosen(backend, "asked for by name");
}

BackendChoice choose_auto(AeadAlgorithm algorithm, const BackendSet& found) {
  const bool gcm = algorithm == AeadAlgorithm::kAes128Gcm || algorithm == AeadAlgorithm::kAes256Gcm;
  if (gcm && has(found.ipsec_mb, algorithm)) {
    return chosen(found.ipsec_mb, "the faster one for AES-GCM");
  }
  if (has(found.boringssl, algorithm)) {
    return chosen(found.boringssl, gcm ? "ipsec-mb is not available here" : "the reference");
  }
  if (has(found.ipsec_mb, algorithm)) {
    return chosen(found.ipsec_mb, "BoringSSL is not available here");
  }
  return {nullptr, std::string("no crypto backend here provides ") + algorithm_name(algorithm)};
}

}  // namespace

BackendChoice choose_backend(BackendKind wanted, AeadAlgorithm algorithm, const BackendSet& found) {
  if (algorithm == AeadAlgorithm::kNone && wanted == BackendKind::kAuto) {
    if (!has(found.plaintext, algorithm)) return {nullptr, "plaintext is not available here"};
    return chosen(found.plaintext, "the endpoint is configured without encryption");
  }
  switch (wanted) {
    case BackendKind::kAuto:
    case BackendKind::kInline:
      return choose_auto(algorithm, found);
    case BackendKind::kIpsecMb:
      return choose_named("ipsec-mb", found.ipsec_mb, algorithm);
    case BackendKind::kBoringssl:
      return choose_named("boringssl", found.boringssl, algorithm);
    case BackendKind::kLookaside:
      if (found.lookaside == nullptr) {
        return {nullptr, "crypto backend lookaside was asked for: " + found.no_lookaside};
      }
      return choose_named("lookaside", found.lookaside, algorithm);
  }
  return {nullptr, "unknown crypto backend"};
}

}  // namespace sluice::crypto
