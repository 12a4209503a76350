// SPDX-License-Identifier: Apache-2.0
#include "sim/virtual_crypto.h"

#include <gtest/gtest.h>

#include <cstring>

namespace sluice::sim {
namespace {

TEST(VirtualCrypto, payloads_are_not_touched_and_jobs_complete_at_once) {
  VirtualBackend backend;
  uint8_t out[16];
  std::memset(out, 7, sizeof(out));
  crypto::AeadJob job;
  job.in = nullptr;  // Would fault if it were read.
  job.out = out;
  job.length = 1u << 30;
  backend.submit_seal({&job, 1});
  EXPECT_TRUE(job.ok);
  job.ok = false;
  backend.submit_open({&job, 1});
  EXPECT_TRUE(job.ok);
  for (const uint8_t byte : out) EXPECT_EQ(byte, 7);
  EXPECT_TRUE(backend.completes_at_once());
}

TEST(VirtualCrypto, only_the_algorithm_whose_sizes_it_has) {
  VirtualBackend backend;
  EXPECT_TRUE(backend.supports(crypto::AeadAlgorithm::kAes128Gcm));
  EXPECT_FALSE(backend.supports(crypto::AeadAlgorithm::kAes256Gcm));
  crypto::AeadKey key;
  const uint8_t iv[crypto::kNonceSize] = {1, 2, 3};
  EXPECT_FALSE(backend.expand_key(crypto::AeadAlgorithm::kChaCha20Poly1305, {}, iv, &key));
  ASSERT_TRUE(backend.expand_key(crypto::AeadAlgorithm::kAes128Gcm, {}, iv, &key));
  EXPECT_EQ(key.iv[2], 3);
}

TEST(VirtualCrypto, hashes_depend_on_key_and_every_byte_and_nothing_else) {
  const crypto::Primitives& primitives = virtual_primitives();
  uint8_t a[crypto::kSha256Size];
  uint8_t b[crypto::kSha256Size];
  const uint8_t text[] = "abcdef";
  const uint8_t other[] = "abcdeg";
  const crypto::ByteView whole{text, 6};
  const crypto::ByteView changed{other, 6};
  primitives.sha256(&whole, 1, a);
  primitives.sha256(&whole, 1, b);
  EXPECT_EQ(std::memcmp(a, b, sizeof(a)), 0);
  primitives.sha256(&changed, 1, b);
  EXPECT_NE(std::memcmp(a, b, sizeof(a)), 0);
  primitives.hmac_sha256(whole, &changed, 1, a);
  primitives.hmac_sha256(changed, &changed, 1, b);
  EXPECT_NE(std::memcmp(a, b, sizeof(a)), 0);
}

TEST(VirtualCryptoDeathTest, simulations_have_no_handshake) {
  uint8_t out[crypto::kX25519Size];
  EXPECT_DEATH(virtual_primitives().x25519_public(out, out), "");
}

}  // namespace
}  // namespace sluice::sim
