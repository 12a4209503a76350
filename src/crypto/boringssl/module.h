// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_BORINGSSL_MODULE_H_
#define SLUICE_CRYPTO_BORINGSSL_MODULE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "crypto/aead.h"
#include "crypto/boringssl/tls_functions.h"
#include "crypto/primitives.h"

namespace sluice::crypto {

// BoringSSL exports some 1,800 symbols that OpenSSL exports too, and either may bind to the other's
// when both are in a process. Everything that calls BoringSSL therefore lives in a shared module of
// its own, which exports the one C function below and is loaded with
// dlopen(RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND). Unit tests and sanitizer builds, where
// RTLD_DEEPBIND is refused, link the same sources directly.

inline constexpr uint32_t kBoringsslModuleVersion = 3;
inline constexpr char kBoringsslModuleFile[] = "libsluice-boringssl.so";
inline constexpr char kBoringsslModuleSymbol[] = "sluice_boringssl_v1";

// `state` is the expanded key: kExpandedKeyMax bytes aligned to 64, written by aead_expand. The
// memory rules are those of AeadJob. All functions are thread-safe and allocate nothing.
struct BoringsslModule {
  uint32_t version;    // kBoringsslModuleVersion; a loader refuses any other.
  uint32_t size;       // sizeof(BoringsslModule), a second guard against a mismatched build.
  const char* detail;  // Static string, for the start-up report.
  Primitives primitives;

  bool (*aead_expand)(AeadAlgorithm algorithm, ByteView key, void* state);
  bool (*aead_seal)(const void* state, const uint8_t nonce[kNonceSize], ByteView aad, ByteView in,
                    uint8_t* out_and_tag);
  bool (*aead_open)(const void* state, const uint8_t nonce[kNonceSize], ByteView aad, ByteView in,
                    const uint8_t tag[kTagSize], uint8_t* out);
  void (*aead_discard)(void* state);

  const TlsFunctions* tls;  // TLS 1.3 and certificates; never null.
};

using BoringsslModuleFunction = const BoringsslModule* (*)();

// The backend over a loaded module, which must stay loaded as long as the backend lives. Null when
// `module` is null or of another version. Allocates; for the control thread.
std::unique_ptr<AeadBackend> make_boringssl_backend(const BoringsslModule* module);

}  // namespace sluice::crypto

// The module's only exported symbol. Returns a static structure, never null.
extern "C" const sluice::crypto::BoringsslModule* sluice_boringssl_v1();

#endif  // SLUICE_CRYPTO_BORINGSSL_MODULE_H_
