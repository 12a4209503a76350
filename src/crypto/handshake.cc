// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake.h"

namespace sluice::crypto {

const char* refuse_reason_text(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::kNone:
      break;
    case RefuseReason::kKey:
      return "the two sides do not hold the same pre-shared key";
    case RefuseReason::kVersion:
      return "no protocol version in common";
    case RefuseReason::kAead:
      return "no AEAD algorithm in common";
    case RefuseReason::kBusy:
      return "the server has reached a limit of sessions or handshakes";
    case RefuseReason::kMalformed:
      return "the hello was malformed";
    case RefuseReason::kNotAccepting:
      return "the endpoint accepts no sessions";
    case RefuseReason::kSelf:
      return "the endpoint was asked to connect to itself";
    case RefuseReason::kParameters:
      return "the session parameters do not go together";
    case RefuseReason::kMechanism:
      return "the server requires another handshake mechanism";
  }
  return "no known reason was given";
}

}  // namespace sluice::crypto
