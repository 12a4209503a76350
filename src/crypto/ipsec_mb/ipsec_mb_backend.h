// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CRYPTO_IPSEC_MB_IPSEC_MB_BACKEND_H_
#define SLUICE_CRYPTO_IPSEC_MB_IPSEC_MB_BACKEND_H_

#include <memory>

#include "crypto/aead.h"

namespace sluice::crypto {

// Intel's multi-buffer library through its direct calls: AES-128/256-GCM and ChaCha20-Poly1305.
// Null when the processor has no AES and carry-less multiplication instructions, because the
// library's portable code leaks keys through its timing. Allocates; for the control thread.
std::unique_ptr<AeadBackend> make_ipsec_mb_backend();

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_IPSEC_MB_IPSEC_MB_BACKEND_H_
