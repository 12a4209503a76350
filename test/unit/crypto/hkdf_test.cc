// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.h"

#include <gtest/gtest.h>

#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::from_hex;
using test::to_hex;

struct Rfc5869Case {
  const char* input;
  const char* salt;
  const char* info;
  size_t length;
  const char* prk;
  const char* output;
};

// RFC 5869 appendix A.1 to A.3.
constexpr Rfc5869Case kRfc5869[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9", 42, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
     "404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
     "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
     "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     82, "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
     "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
     "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "", 42,
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
     "9d201395faa4b61a96c8"},
};

TEST(Hkdf, rfc_5869_vectors) {
  for (const Rfc5869Case& c : kRfc5869) {
    std::array<uint8_t, kSha256Size> prk;
    hkdf_extract(test::primitives(), from_hex(c.salt), from_hex(c.input), prk);
    EXPECT_EQ(to_hex(prk), c.prk);
    Buffer out(c.length);
    hkdf_expand(test::primitives(), prk, from_hex(c.info), out);
    EXPECT_EQ(to_hex(out), c.output);
  }
}

TEST(Hkdf, expands_up_to_the_rfcs_limit_and_no_further) {
  const std::array<uint8_t, kSha256Size> prk{};
  Buffer longest(kHkdfMaxOutput);
  hkdf_expand(test::primitives(), prk, {}, longest);
  Buffer shorter(kHkdfMaxOutput - 5);
  hkdf_expand(test::primitives(), prk, {}, shorter);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longest.begin()));
  Buffer excess(kHkdfMaxOutput + 1);
  EXPECT_DEATH(hkdf_expand(test::primitives(), prk, {}, excess), "");
}

// The expected value was computed with Python's hmac module.
TEST(Hkdf, expand_label_has_the_documented_form) {
  const Secret secret = test::secret_of(0);
  const uint8_t context[] = {1, 2, 3};
  Buffer out(50);
  hkdf_expand_label(test::primitives(), secret.bytes, "test", context, out);
  EXPECT_EQ(to_hex(out),
            "35fd898aeeb8b935861e03ad1345b0bf11c5849cf5498457945eccd3e6eff3ca"
            "7dce379ecb9587a6cecf0b00b92a3a03a405");
}

TEST(Hkdf, expand_label_takes_the_longest_label_and_context) {
  const Secret secret = test::secret_of(0);
  const std::string label(kHkdfMaxLabel, 'x');
  const Buffer context(kHkdfMaxContext, 7);
  Buffer out(32);
  hkdf_expand_label(test::primitives(), secret.bytes, label, context, out);
  EXPECT_NE(out, Buffer(32));
  EXPECT_DEATH(hkdf_expand_label(test::primitives(), secret.bytes, label + "x", context, out), "");
}

}  // namespace
}  // namespace sluice::crypto
