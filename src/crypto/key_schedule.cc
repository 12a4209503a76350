// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_schedule.h"

#include <span>
#include <string_view>

#include "crypto/hkdf.h"

namespace sluice::crypto {
namespace {

void expand_secret(const Primitives& primitives, const Secret& from, std::string_view label,
                   std::span<const uint8_t> context, Secret* out) {
  Secret next;
  hkdf_expand_label(primitives, from.bytes, label, context, next.bytes);
  *out = next;
}

}  // namespace

void derive_direction_secret(const Primitives& primitives, const Secret& session,
                             Direction direction, Secret* out) {
  const bool outward = direction == Direction::kInitiatorToResponder;
  expand_secret(primitives, session, outward ? "c2s" : "s2c", {}, out);
}

void derive_lane_secret(const Primitives& primitives, const Secret& direction, uint8_t lane,
                        Secret* out) {
  expand_secret(primitives, direction, "lane", std::span<const uint8_t>(&lane, 1), out);
}

void derive_next_epoch_secret(const Primitives& primitives, const Secret& epoch, Secret* out) {
  expand_secret(primitives, epoch, "ku", {}, out);
}

void derive_lane_secrets(const Primitives& primitives, const Secret& session, bool initiator,
                         uint8_t lane, LaneSecrets* out) {
  Secret outward;
  Secret homeward;
  derive_direction_secret(primitives, session, Direction::kInitiatorToResponder, &outward);
  derive_direction_secret(primitives, session, Direction::kResponderToInitiator, &homeward);
  derive_lane_secret(primitives, initiator ? outward : homeward, lane, &out->send);
  derive_lane_secret(primitives, initiator ? homeward : outward, lane, &out->receive);
}

void derive_epoch_key(const Primitives& primitives, AeadAlgorithm algorithm, const Secret& epoch,
                      EpochKey* out) {
  const auto key = std::span<uint8_t>(out->key).first(key_size(algorithm));
  hkdf_expand_label(primitives, epoch.bytes, "key", {}, key);
  hkdf_expand_label(primitives, epoch.bytes, "iv", {}, out->iv);
}

bool derive_epoch_key(const Primitives& primitives, AeadBackend* backend, AeadAlgorithm algorithm,
                      const Secret& epoch, AeadKey* out) {
  EpochKey raw;
  derive_epoch_key(primitives, algorithm, epoch, &raw);
  return backend->expand_key(algorithm, std::span(raw.key).first(key_size(algorithm)), raw.iv, out);
}

}  // namespace sluice::crypto
