// SPDX-License-Identifier: Apache-2.0
//
// What the handshakes of every mechanism have in common.
#ifndef SLUICE_CRYPTO_HANDSHAKE_STEPS_H_
#define SLUICE_CRYPTO_HANDSHAKE_STEPS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crypto/handshake.h"
#include "crypto/primitives.h"
#include "wire/ip_address.h"

namespace sluice::crypto {

HandshakeOutcome ignored(IgnoreCause cause);
// `detail`: what the reason's own sentence does not say; may be empty.
HandshakeOutcome refused(RefuseReason reason, std::string detail = {});
HandshakeOutcome answer(HandshakeStep step, HandshakeType type, std::vector<uint8_t> bytes);

// What a server makes of the parameter block in a hello, whatever proves it: fills the peer's
// parameters and the agreement with result->local, or says why there is none.
RefuseReason accept_parameters(std::span<const uint8_t> block, bool allow_self,
                               HandshakeResult* result);

// What a RESET for a session id carries, from the secret of who chose the id.
ResetToken derive_reset_token(const Primitives& primitives,
                              std::span<const uint8_t, kSha256Size> reset_key,
                              base::SessionId session);

// The form in which it is told: bound to the address that the RESET comes from. Else who makes a
// holder of the same secret answer for an id that was never its own, and reflects that, has the
// token of another.
ResetToken told_reset_token(const Primitives& primitives, const ResetToken& token,
                            const wire::IpAddress& from);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_HANDSHAKE_STEPS_H_
