// SPDX-License-Identifier: Apache-2.0
//
// Published vectors through the project's own interface: NIST's from the directory that the
// environment names in SLUICE_NIST_GCM_DIR, Wycheproof's from SLUICE_WYCHEPROOF_DIR, RFC 8439's
// written out. A vector's nonce serves as the key's IV, with record number 0.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "crypto/hkdf.h"
#include "published_vectors.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::Case;
using test::from_hex;
using test::to_hex;

std::string directory_from(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

const std::string& field(const Case& fields, std::string_view name) {
  static const std::string kEmpty;
  const auto it = fields.find(name);
  return it == fields.end() ? kEmpty : it->second;
}

// One vector with a 12-byte nonce and a 16-byte tag.
struct Vector {
  AeadAlgorithm algorithm;
  Buffer key, iv, aad, plain, sealed;
  bool valid;
  std::string label;
};

void check(const Vector& v) {
  for (AeadBackend* backend : test::backends()) {
    SCOPED_TRACE(std::string(backend->name()) + " " + v.label);
    AeadKey key;
    ASSERT_TRUE(test::expand(backend, v.algorithm, v.key, v.iv, &key));
    Buffer opened;
    ASSERT_EQ(test::open(backend, key, 0, v.aad, v.sealed, &opened), v.valid);
    if (!v.valid) continue;
    ASSERT_EQ(to_hex(opened), to_hex(v.plain));
    ASSERT_EQ(to_hex(test::seal(backend, key, 0, v.aad, v.plain)), to_hex(v.sealed));
  }
}

Buffer join(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void run_nist_file(const std::string& path, AeadAlgorithm algorithm) {
  const std::string text = test::read_file(path);
  ASSERT_FALSE(text.empty()) << path;
  size_t used = 0;
  test::for_each_rsp_case(text, [&](const Case& c) {
    if (testing::Test::HasFatalFailure()) return;
    if (field(c, "IVlen") != "96" || field(c, "Taglen") != "128") return;
    ++used;
    check({algorithm, from_hex(field(c, "Key")), from_hex(field(c, "IV")),
           from_hex(field(c, "AAD")), from_hex(field(c, "PT")),
           join(from_hex(field(c, "CT")), from_hex(field(c, "Tag"))), c.count("FAIL") == 0,
           path + " key " + field(c, "Key")});
  });
  // 5 plaintext lengths, 5 lengths of associated data, 15 cases each.
  EXPECT_EQ(used, 375u) << path;
}

class NistGcm : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = directory_from("SLUICE_NIST_GCM_DIR");
    if (directory_.empty()) {
      GTEST_SKIP() << "SLUICE_NIST_GCM_DIR is not set: python3-cryptography-vectors is missing";
    }
  }
  std::string directory_;
};

TEST_F(NistGcm, encrypts_128) {
  run_nist_file(directory_ + "/gcmEncryptExtIV128.rsp", AeadAlgorithm::kAes128Gcm);
}
TEST_F(NistGcm, encrypts_256) {
  run_nist_file(directory_ + "/gcmEncryptExtIV256.rsp", AeadAlgorithm::kAes256Gcm);
}
TEST_F(NistGcm, decrypts_128) {
  run_nist_file(directory_ + "/gcmDecrypt128.rsp", AeadAlgorithm::kAes128Gcm);
}
TEST_F(NistGcm, decrypts_256) {
  run_nist_file(directory_ + "/gcmDecrypt256.rsp", AeadAlgorithm::kAes256Gcm);
}

class Wycheproof : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = directory_from("SLUICE_WYCHEPROOF_DIR");
    if (directory_.empty()) GTEST_SKIP() << "SLUICE_WYCHEPROOF_DIR is not set";
  }

  // Visits every case of a file and returns how many there were.
  size_t visit(const char* file, const std::function<void(const Case&)>& each) {
    const std::string text = test::read_file(directory_ + "/" + file);
    EXPECT_FALSE(text.empty()) << file;
    return test::for_each_wycheproof_case(text, [&](const Case& c) {
      SCOPED_TRACE("tcId " + field(c, "tcId"));
      if (!HasFatalFailure()) each(c);
    });
  }

  std::string directory_;
};

TEST_F(Wycheproof, aes_gcm) {
  size_t used = 0;
  const size_t all = visit("aes_gcm_test.json", [&](const Case& c) {
    const Buffer key = from_hex(field(c, "key"));
    const Buffer iv = from_hex(field(c, "iv"));
    // Other nonces and AES-192 have no place in the interface.
    if (iv.size() != kNonceSize || key.size() == 24) return;
    ++used;
    check({key.size() == 16 ? AeadAlgorithm::kAes128Gcm : AeadAlgorithm::kAes256Gcm, key, iv,
           from_hex(field(c, "aad")), from_hex(field(c, "msg")),
           join(from_hex(field(c, "ct")), from_hex(field(c, "tag"))), field(c, "result") == "valid",
           "tcId " + field(c, "tcId")});
  });
  EXPECT_GT(all, 300u);
  EXPECT_GT(used, 100u);
}

TEST_F(Wycheproof, chacha20_poly1305) {
  size_t used = 0;
  const size_t all = visit("chacha20_poly1305_test.json", [&](const Case& c) {
    const Buffer iv = from_hex(field(c, "iv"));
    if (iv.size() != kNonceSize) return;
    ++used;
    check({AeadAlgorithm::kChaCha20Poly1305, from_hex(field(c, "key")), iv,
           from_hex(field(c, "aad")), from_hex(field(c, "msg")),
           join(from_hex(field(c, "ct")), from_hex(field(c, "tag"))), field(c, "result") == "valid",
           "tcId " + field(c, "tcId")});
  });
  EXPECT_GT(all, 300u);
  EXPECT_GT(used, 250u);
}

TEST_F(Wycheproof, hkdf_sha256) {
  const size_t all = visit("hkdf_sha256_test.json", [&](const Case& c) {
    const size_t size = std::stoul(field(c, "size"));
    // Longer outputs are a checked bug of the caller, see hkdf_test.cc.
    if (size > kHkdfMaxOutput) return;
    std::array<uint8_t, kSha256Size> prk;
    hkdf_extract(test::primitives(), from_hex(field(c, "salt")), from_hex(field(c, "ikm")), prk);
    Buffer out(size);
    hkdf_expand(test::primitives(), prk, from_hex(field(c, "info")), out);
    ASSERT_EQ(to_hex(out), field(c, "okm"));
    ASSERT_EQ(field(c, "result"), "valid");
  });
  EXPECT_GT(all, 50u);
}

TEST_F(Wycheproof, x25519) {
  const std::string zero(2 * kX25519Size, '0');
  const size_t all = visit("x25519_test.json", [&](const Case& c) {
    std::array<uint8_t, kX25519Size> out;
    const bool ok = test::primitives().x25519_shared(
        from_hex(field(c, "private")).data(), from_hex(field(c, "public")).data(), out.data());
    ASSERT_EQ(to_hex(out), field(c, "shared"));
    ASSERT_EQ(ok, field(c, "shared") != zero);
  });
  EXPECT_GT(all, 500u);
}

// RFC 8439 section 2.8.2.
TEST(Rfc8439, chacha20_poly1305_sunscreen) {
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  const char kSealed[] =
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
      "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
      "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
      "3ff4def08e4b7a9de576d26586cec64b6116"
      "1ae10b594f09e26a7e902ecbd0600691";
  check({AeadAlgorithm::kChaCha20Poly1305,
         from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
         from_hex("070000004041424344454647"), from_hex("50515253c0c1c2c3c4c5c6c7"),
         Buffer(text.begin(), text.end()), from_hex(kSealed), true, "RFC 8439 2.8.2"});
}

// RFC 8439 appendix A.5 (its tag and associated data) is among Wycheproof's; here the vector files'
// readers are checked, so that a changed format cannot pass as an empty file.
TEST(PublishedVectors, readers_understand_their_formats) {
  std::vector<Case> seen;
  const auto keep = [&](const Case& c) { seen.push_back(c); };
  EXPECT_EQ(test::for_each_rsp_case("# x\n[IVlen = 96]\n\nCount = 0\nKey = ab\nPT =\n\n"
                                    "[IVlen = 8]\nCount = 1\r\nFAIL\r\n",
                                    keep),
            2u);
  EXPECT_EQ(seen[0], (Case{{"IVlen", "96"}, {"Count", "0"}, {"Key", "ab"}, {"PT", ""}}));
  EXPECT_EQ(seen[1], (Case{{"IVlen", "8"}, {"Count", "1"}, {"FAIL", ""}}));
  seen.clear();
  EXPECT_EQ(test::for_each_wycheproof_case(
                R"({"a": "tcId", "testGroups": [{"n": 1, "tests": [
                    {"tcId": 7, "flags": ["x", "y"], "key": "00\"ff", "ok": true},
                    {"tcId": 8, "key": ""}]}]})",
                keep),
            2u);
  EXPECT_EQ(seen[0], (Case{{"a", "tcId"}, {"n", "1"}, {"tcId", "7"}, {"key", "00\"ff"}}));
  EXPECT_EQ(seen[1], (Case{{"a", "tcId"}, {"n", "1"}, {"tcId", "8"}, {"key", ""}}));
}

}  // namespace
}  // namespace sluice::crypto
