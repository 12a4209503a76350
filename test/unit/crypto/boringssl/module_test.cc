// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/module.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::from_hex;
using test::to_hex;

ByteView view(const Buffer& bytes) { return {bytes.data(), bytes.size()}; }

std::string hmac_hex(const Buffer& key, const Buffer& data, size_t cut) {
  std::array<uint8_t, kSha256Size> out;
  const ByteView parts[] = {
      {data.data(), cut}, {nullptr, 0}, {data.data() + cut, data.size() - cut}};
  test::primitives().hmac_sha256(view(key), parts, 3, out.data());
  return to_hex(out);
}

TEST(BoringsslModule, names_its_version) {
  EXPECT_EQ(sluice_boringssl_v1()->version, kBoringsslModuleVersion);
  EXPECT_EQ(sluice_boringssl_v1()->size, sizeof(BoringsslModule));
  EXPECT_STREQ(kBoringsslModuleSymbol, "sluice_boringssl_v1");
}

// FIPS 180-4 example values.
TEST(BoringsslModule, sha256_of_known_texts) {
  std::array<uint8_t, kSha256Size> out;
  test::primitives().sha256(nullptr, 0, out.data());
  EXPECT_EQ(to_hex(out), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const Buffer abc = {'a', 'b', 'c'};
  const ByteView parts[] = {{abc.data(), 1}, {abc.data() + 1, 2}};
  test::primitives().sha256(parts, 2, out.data());
  EXPECT_EQ(to_hex(out), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4231 test cases 1, 2, 3, 4, 6 and 7.
TEST(BoringsslModule, hmac_of_rfc_4231) {
  const std::string what = "what do ya want for nothing?";
  const std::string larger = "Test Using Larger Than Block-Size Key - Hash Key First";
  const std::string largest =
      "This is a test using a larger than block-size key and a larger than block-size data. The "
      "key needs to be hashed before being used by the HMAC algorithm.";
  const struct {
    Buffer key;
    Buffer data;
    const char* expected;
  } cases[] = {
      {Buffer(20, 0x0B), from_hex("4869205468657265"),
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {from_hex("4a656665"), Buffer(what.begin(), what.end()),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Buffer(20, 0xAA), Buffer(50, 0xDD),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), Buffer(50, 0xCD),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Buffer(131, 0xAA), Buffer(larger.begin(), larger.end()),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Buffer(131, 0xAA), Buffer(largest.begin(), largest.end()),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& c : cases) {
    for (size_t cut : {size_t{0}, size_t{1}, c.data.size()}) {
      EXPECT_EQ(hmac_hex(c.key, c.data, cut), c.expected);
    }
  }
}

TEST(BoringsslModule, hmac_takes_an_empty_key) {
  EXPECT_EQ(hmac_hex({}, {}, 0),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// RFC 7748 section 5.2.
TEST(BoringsslModule, x25519_of_rfc_7748) {
  const struct {
    const char* scalar;
    const char* point;
    const char* expected;
  } cases[] = {
      {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
       "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
       "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
      {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
       "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
       "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
  };
  for (const auto& c : cases) {
    std::array<uint8_t, kX25519Size> out;
    ASSERT_TRUE(test::primitives().x25519_shared(from_hex(c.scalar).data(),
                                                 from_hex(c.point).data(), out.data()));
    EXPECT_EQ(to_hex(out), c.expected);
  }
}

// RFC 7748 section 5.2: the same function a thousand times over.
TEST(BoringsslModule, x25519_a_thousand_times) {
  std::array<uint8_t, kX25519Size> scalar{9};
  std::array<uint8_t, kX25519Size> point{9};
  for (int i = 0; i < 1000; ++i) {
    std::array<uint8_t, kX25519Size> out;
    ASSERT_TRUE(test::primitives().x25519_shared(scalar.data(), point.data(), out.data()));
    point = scalar;
    scalar = out;
  }
  EXPECT_EQ(to_hex(scalar), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

// RFC 7748 section 6.1.
TEST(BoringsslModule, x25519_agreement_of_rfc_7748) {
  const Buffer alice = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const Buffer bob = from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  std::array<uint8_t, kX25519Size> alice_public;
  std::array<uint8_t, kX25519Size> bob_public;
  test::primitives().x25519_public(alice.data(), alice_public.data());
  test::primitives().x25519_public(bob.data(), bob_public.data());
  EXPECT_EQ(to_hex(alice_public),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(bob_public), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  std::array<uint8_t, kX25519Size> out;
  ASSERT_TRUE(test::primitives().x25519_shared(alice.data(), bob_public.data(), out.data()));
  EXPECT_EQ(to_hex(out), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  ASSERT_TRUE(test::primitives().x25519_shared(bob.data(), alice_public.data(), out.data()));
  EXPECT_EQ(to_hex(out), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(BoringsslModule, x25519_refuses_points_of_small_order) {
  const Buffer scalar(kX25519Size, 0x42);
  const Buffer zero(kX25519Size);
  std::array<uint8_t, kX25519Size> out;
  out.fill(0xEE);
  EXPECT_FALSE(test::primitives().x25519_shared(scalar.data(), zero.data(), out.data()));
  EXPECT_TRUE(std::all_of(out.begin(), out.end(), [](uint8_t b) { return b == 0; }));
}

}  // namespace
}  // namespace sluice::crypto
