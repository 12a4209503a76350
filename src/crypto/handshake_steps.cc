// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake_steps.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/byte_order.h"
#include "crypto/hkdf.h"

namespace sluice::crypto {
namespace {

RefuseReason reason_of(AgreementError error) {
  switch (error) {
    case AgreementError::kVersion:
      return RefuseReason::kVersion;
    case AgreementError::kAead:
      return RefuseReason::kAead;
    case AgreementError::kLanes:
    case AgreementError::kPadding:
    case AgreementError::kNone:
      break;
  }
  return RefuseReason::kParameters;
}

}  // namespace

HandshakeOutcome ignored(IgnoreCause cause) {
  HandshakeOutcome out;
  out.step = HandshakeStep::kIgnored;
  out.cause = cause;
  return out;
}

HandshakeOutcome refused(RefuseReason reason, std::string detail) {
  HandshakeOutcome out;
  out.step = HandshakeStep::kRefused;
  out.reason = reason;
  out.detail = std::move(detail);
  return out;
}

HandshakeOutcome answer(HandshakeStep step, HandshakeType type, std::vector<uint8_t> bytes) {
  HandshakeOutcome out;
  out.step = step;
  out.send.push_back({type, std::move(bytes)});
  return out;
}

RefuseReason accept_parameters(std::span<const uint8_t> block, bool allow_self,
                               HandshakeResult* result) {
  const auto offer = decode_parameters(block);
  if (!offer || offer->selection) return RefuseReason::kMalformed;
  // PROTOCOL MUST-H13
  if (!allow_self && offer->parameters.instance == result->local.instance) {
    return RefuseReason::kSelf;
  }
  const AgreementResult chosen = choose_agreement(offer->parameters, result->local);
  if (chosen.error != AgreementError::kNone) return reason_of(chosen.error);
  result->peer = offer->parameters;
  result->agreement = chosen.agreement;
  return RefuseReason::kNone;
}

ResetToken derive_reset_token(const Primitives& primitives,
                              std::span<const uint8_t, kSha256Size> reset_key,
                              base::SessionId session) {
  uint8_t context[4];
  base::store_be32(context, session.value());
  ResetToken out;
  hkdf_expand_label(primitives, reset_key, "reset token", context, out);
  return out;
}

// PROTOCOL MUST-H16
ResetToken told_reset_token(const Primitives& primitives, const ResetToken& token,
                            const wire::IpAddress& from) {
  constexpr std::string_view kName = "sluice reset 1";
  const ByteView parts[] = {{reinterpret_cast<const uint8_t*>(kName.data()), kName.size()},
                            {from.bytes, sizeof(from.bytes)}};
  uint8_t mac[kSha256Size];
  primitives.hmac_sha256({token.data(), token.size()}, parts, std::size(parts), mac);
  ResetToken out;
  std::copy_n(mac, out.size(), out.begin());
  return out;
}

}  // namespace sluice::crypto
