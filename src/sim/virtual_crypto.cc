// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_crypto.h"

#include <algorithm>

#include "base/byte_order.h"
#include "base/check.h"
#include "base/hash.h"

namespace sluice::sim {
namespace {

uint64_t absorb(uint64_t state, const uint8_t* data, size_t size) {
  for (size_t i = 0; i < size; ++i) state = base::mix64(state, data[i]);
  return base::mix64(state, size);
}

void squeeze(uint64_t state, uint8_t out[crypto::kSha256Size]) {
  for (size_t at = 0; at < crypto::kSha256Size; at += 8) {
    state = base::mix64(state, 0x9e3779b97f4a7c15u);
    base::store_be64(out + at, state);
  }
}

void hash(const crypto::ByteView* parts, size_t count, uint8_t out[crypto::kSha256Size]) {
  uint64_t state = 1;
  for (size_t i = 0; i < count; ++i) state = absorb(state, parts[i].data, parts[i].size);
  squeeze(state, out);
}

void keyed_hash(crypto::ByteView key, const crypto::ByteView* parts, size_t count,
                uint8_t out[crypto::kSha256Size]) {
  uint64_t state = absorb(2, key.data, key.size);
  for (size_t i = 0; i < count; ++i) state = absorb(state, parts[i].data, parts[i].size);
  squeeze(state, out);
}

void no_public_value(const uint8_t*, uint8_t*) { SLUICE_CHECK(false); }

bool no_shared_value(const uint8_t*, const uint8_t*, uint8_t*) {
  SLUICE_CHECK(false);
  return false;
}

constexpr crypto::Primitives kPrimitives{
    .name = "virtual",
    .sha256 = hash,
    .hmac_sha256 = keyed_hash,
    .x25519_public = no_public_value,
    .x25519_shared = no_shared_value,
};

}  // namespace

bool VirtualBackend::expand_key(crypto::AeadAlgorithm algorithm, std::span<const uint8_t>,
                                std::span<const uint8_t, crypto::kNonceSize> iv,
                                crypto::AeadKey* out) {
  if (!supports(algorithm)) return false;
  std::copy(iv.begin(), iv.end(), out->iv);
  out->algorithm = algorithm;
  return true;
}

void VirtualBackend::submit_seal(std::span<crypto::AeadJob> jobs) {
  for (crypto::AeadJob& job : jobs) job.ok = true;
}

void VirtualBackend::submit_open(std::span<crypto::AeadJob> jobs) {
  for (crypto::AeadJob& job : jobs) job.ok = true;
}

const crypto::Primitives& virtual_primitives() { return kPrimitives; }

}  // namespace sluice::sim
