// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/boringssl/module.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;

// What it shares with the other backends is in aead_test.cc and aead_vectors_test.cc.

TEST(BoringsslBackend, refuses_a_missing_or_foreign_module) {
  EXPECT_EQ(make_boringssl_backend(nullptr), nullptr);
  BoringsslModule other = *sluice_boringssl_v1();
  other.version += 1;
  EXPECT_EQ(make_boringssl_backend(&other), nullptr);
  other = *sluice_boringssl_v1();
  other.size -= 1;
  EXPECT_EQ(make_boringssl_backend(&other), nullptr);
}

TEST(BoringsslBackend, names_itself) {
  const auto backend = make_boringssl_backend(sluice_boringssl_v1());
  ASSERT_NE(backend, nullptr);
  EXPECT_STREQ(backend->name(), "boringssl");
  EXPECT_STREQ(backend->detail(), "BoringSSL");
}

TEST(BoringsslBackend, a_failed_expansion_leaves_a_wiped_key) {
  BoringsslModule failing = *sluice_boringssl_v1();
  failing.aead_expand = [](AeadAlgorithm, ByteView, void* state) {
    *static_cast<uint8_t*>(state) = 0x77;
    return false;
  };
  const auto backend = make_boringssl_backend(&failing);
  AeadKey key;
  const Buffer bytes(16, 1);
  const Buffer iv(kNonceSize, 2);
  EXPECT_FALSE(test::expand(backend.get(), AeadAlgorithm::kAes128Gcm, bytes, iv, &key));
  EXPECT_EQ(key.expanded[0], 0);
  EXPECT_EQ(key.algorithm, AeadAlgorithm::kNone);
}

}  // namespace
}  // namespace sluice::crypto
