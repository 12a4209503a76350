// SPDX-License-Identifier: Apache-2.0
//
// Wycheproof's signatures, from the directory that SLUICE_WYCHEPROOF_DIR names. The project has no
// interface for a bare signature: certificates and TLS have theirs verified inside BoringSSL. So
// this holds the BoringSSL that is linked to them, by the call that both end in, with keys that
// key_allowed() admits.
#include <gtest/gtest.h>
#include <openssl/digest.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <string>

#include "../published_vectors.h"
#include "../support.h"
#include "crypto/boringssl/x509_support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::Case;
using test::from_hex;

bool verifies(EVP_PKEY* key, const EVP_MD* digest, const Buffer& message, const Buffer& signature) {
  const ErrorsOf errors;
  const bssl::ScopedEVP_MD_CTX context;
  auto* raw = const_cast<EVP_MD_CTX*>(context.get());
  return EVP_DigestVerifyInit(raw, nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(raw, signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

struct Counts {
  size_t good = 0;
  size_t bad = 0;
};

// Visits all cases of a file, with keys of one kind.
Counts run(const char* file, KeyKind kind, const EVP_MD* digest) {
  Counts counts;
  const std::string directory = std::getenv("SLUICE_WYCHEPROOF_DIR");
  const std::string text = test::read_file(directory + "/" + file);
  EXPECT_FALSE(text.empty()) << file;
  test::for_each_wycheproof_case(text, [&](const Case& c) {
    const Buffer der = from_hex(c.at("publicKeyDer"));
    CBS bytes;
    CBS_init(&bytes, der.data(), der.size());
    const bssl::UniquePtr<EVP_PKEY> key(EVP_parse_public_key(&bytes));
    ASSERT_NE(key, nullptr) << c.at("tcId");
    ASSERT_TRUE(key_allowed(key.get())) << c.at("tcId");
    ASSERT_EQ(kind_of(key.get()), kind);
    const bool good = c.at("result") == "valid";
    ++(good ? counts.good : counts.bad);
    EXPECT_EQ(verifies(key.get(), digest, from_hex(c.at("msg")), from_hex(c.at("sig"))), good)
        << c.at("tcId") << " " << c.at("comment");
  });
  return counts;
}

class WycheproofSignatures : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("SLUICE_WYCHEPROOF_DIR") == nullptr) {
      GTEST_SKIP() << "SLUICE_WYCHEPROOF_DIR is not set";
    }
  }
};

TEST_F(WycheproofSignatures, ecdsa_p256_with_sha256) {
  const Counts counts = run("ecdsa_secp256r1_sha256_test.json", KeyKind::kEcdsaP256, EVP_sha256());
  EXPECT_GT(counts.good, 100u);
  EXPECT_GT(counts.bad, 200u);
}

TEST_F(WycheproofSignatures, ed25519) {
  const Counts counts = run("ed25519_test.json", KeyKind::kEd25519, nullptr);
  EXPECT_GT(counts.good, 50u);
  EXPECT_GT(counts.bad, 50u);
}

// RFC 8032 section 7.1, TEST 2: one case that needs no file.
TEST(Signatures, ed25519_of_rfc_8032) {
  Buffer key = from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const bssl::UniquePtr<EVP_PKEY> parsed(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  ASSERT_TRUE(key_allowed(parsed.get()));
  Buffer signature = from_hex(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(verifies(parsed.get(), nullptr, {0x72}, signature));
  EXPECT_FALSE(verifies(parsed.get(), nullptr, {0x73}, signature));
  signature[40] ^= 1;
  EXPECT_FALSE(verifies(parsed.get(), nullptr, {0x72}, signature));
}

}  // namespace
}  // namespace sluice::crypto
