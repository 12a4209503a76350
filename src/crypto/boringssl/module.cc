// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/module.h"

#include <openssl/aead.h>
#include <openssl/curve25519.h>
#include <openssl/mem.h>
#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <type_traits>

#include "crypto/wipe.h"

namespace sluice::crypto {
namespace {

static_assert(sizeof(EVP_AEAD_CTX) <= kExpandedKeyMax && alignof(EVP_AEAD_CTX) <= 64);
static_assert(std::is_trivially_copyable_v<EVP_AEAD_CTX>);
static_assert(kSha256Size == SHA256_DIGEST_LENGTH && kX25519Size == X25519_SHARED_KEY_LEN);

// An empty view may carry a null pointer, which memcpy inside the library must not be given.
void update(SHA256_CTX* context, ByteView part) {
  if (part.size > 0) SHA256_Update(context, part.data, part.size);
}

void sha256(const ByteView* parts, size_t count, uint8_t out[kSha256Size]) {
  SHA256_CTX context;
  WipeOnExit wipe_context(&context);
  SHA256_Init(&context);
  for (size_t i = 0; i < count; ++i) update(&context, parts[i]);
  SHA256_Final(out, &context);
}

// One keyed pass of HMAC (RFC 2104): SHA-256 over (key XOR fill) and the parts.
void keyed_hash(const uint8_t key[SHA256_CBLOCK], uint8_t fill, const ByteView* parts, size_t count,
                uint8_t out[kSha256Size]) {
  std::array<uint8_t, SHA256_CBLOCK> pad;
  SHA256_CTX context;
  WipeOnExit wipe_pad(&pad);
  WipeOnExit wipe_context(&context);
  for (size_t i = 0; i < pad.size(); ++i) pad[i] = static_cast<uint8_t>(key[i] ^ fill);
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  for (size_t i = 0; i < count; ++i) update(&context, parts[i]);
  SHA256_Final(out, &context);
}

// Written over SHA-256 because the library's HMAC allocates its context on the heap, and the key
// update runs on an lcore.
void hmac_sha256(ByteView key, const ByteView* parts, size_t count, uint8_t out[kSha256Size]) {
  std::array<uint8_t, SHA256_CBLOCK> block{};
  std::array<uint8_t, kSha256Size> inner;
  WipeOnExit wipe_block(&block);
  WipeOnExit wipe_inner(&inner);
  if (key.size > block.size()) {
    sha256(&key, 1, block.data());
  } else if (key.size > 0) {
    std::memcpy(block.data(), key.data, key.size);
  }
  keyed_hash(block.data(), 0x36, parts, count, inner.data());
  const ByteView inner_view{inner.data(), inner.size()};
  keyed_hash(block.data(), 0x5C, &inner_view, 1, out);
}

void x25519_public(const uint8_t private_key[kX25519Size], uint8_t out[kX25519Size]) {
  X25519_public_from_private(out, private_key);
}

bool x25519_shared(const uint8_t private_key[kX25519Size], const uint8_t peer_public[kX25519Size],
                   uint8_t out[kX25519Size]) {
  if (X25519(out, private_key, peer_public) == 1) return true;
  std::memset(out, 0, kX25519Size);
  return false;
}

const EVP_AEAD* aead_of(AeadAlgorithm algorithm) {
  switch (algorithm) {
    case AeadAlgorithm::kAes128Gcm:
      return EVP_aead_aes_128_gcm();
    case AeadAlgorithm::kAes256Gcm:
      return EVP_aead_aes_256_gcm();
    case AeadAlgorithm::kChaCha20Poly1305:
      return EVP_aead_chacha20_poly1305();
    case AeadAlgorithm::kNone:
      break;
  }
  return nullptr;
}

bool aead_expand(AeadAlgorithm algorithm, ByteView key, void* state) {
  const EVP_AEAD* aead = aead_of(algorithm);
  auto* context = static_cast<EVP_AEAD_CTX*>(state);
  return aead != nullptr &&
         EVP_AEAD_CTX_init(context, aead, key.data, key.size, kTagSize, nullptr) == 1;
}

bool aead_seal(const void* state, const uint8_t nonce[kNonceSize], ByteView aad, ByteView in,
               uint8_t* out_and_tag) {
  size_t tag_length = 0;
  return EVP_AEAD_CTX_seal_scatter(static_cast<const EVP_AEAD_CTX*>(state), out_and_tag,
                                   out_and_tag + in.size, &tag_length, kTagSize, nonce, kNonceSize,
                                   in.data, in.size, nullptr, 0, aad.data, aad.size) == 1;
}

bool aead_open(const void* state, const uint8_t nonce[kNonceSize], ByteView aad, ByteView in,
               const uint8_t tag[kTagSize], uint8_t* out) {
  return EVP_AEAD_CTX_open_gather(static_cast<const EVP_AEAD_CTX*>(state), out, nonce, kNonceSize,
                                  in.data, in.size, tag, kTagSize, aad.data, aad.size) == 1;
}

void aead_discard(void* state) { EVP_AEAD_CTX_cleanup(static_cast<EVP_AEAD_CTX*>(state)); }

const BoringsslModule kModule = {
    .version = kBoringsslModuleVersion,
    .size = sizeof(BoringsslModule),
    .detail = "BoringSSL",
    .primitives = {.name = "boringssl",
                   .sha256 = sha256,
                   .hmac_sha256 = hmac_sha256,
                   .x25519_public = x25519_public,
                   .x25519_shared = x25519_shared},
    .aead_expand = aead_expand,
    .aead_seal = aead_seal,
    .aead_open = aead_open,
    .aead_discard = aead_discard,
    .tls = boringssl_tls_functions(),
};

}  // namespace
}  // namespace sluice::crypto

extern "C" __attribute__((visibility("default"))) const sluice::crypto::BoringsslModule*
sluice_boringssl_v1() {
  return &sluice::crypto::kModule;
}
