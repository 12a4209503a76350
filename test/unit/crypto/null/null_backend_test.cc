// SPDX-License-Identifier: Apache-2.0
#include "crypto/null/null_backend.h"

#include <gtest/gtest.h>

#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;

class NullBackendTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(test::expand(&backend_, AeadAlgorithm::kNone, {}, iv_, &key_));
  }

  NullBackend backend_;
  Buffer iv_ = Buffer(kNonceSize, 1);
  AeadKey key_;
};

TEST_F(NullBackendTest, adds_nothing_and_changes_nothing) {
  const Buffer plain = test::from_hex("0011223344");
  const Buffer sealed = test::seal(&backend_, key_, 1, {}, plain);
  EXPECT_EQ(sealed, plain);
  Buffer opened;
  EXPECT_TRUE(test::open(&backend_, key_, 2, {}, sealed, &opened));
  EXPECT_EQ(opened, plain);
  EXPECT_TRUE(test::seal(&backend_, key_, 1, {}, {}).empty());
}

TEST_F(NullBackendTest, works_in_place) {
  Buffer bytes = test::from_hex("aabbcc");
  AeadJob job{.key = &key_, .in = bytes.data(), .out = bytes.data(), .length = 3};
  backend_.submit_seal({&job, 1});
  EXPECT_TRUE(job.ok);
  EXPECT_EQ(test::to_hex(bytes), "aabbcc");
}

TEST_F(NullBackendTest, serves_no_encrypting_algorithm) {
  for (AeadAlgorithm algorithm : test::kAllAlgorithms) {
    EXPECT_FALSE(backend_.supports(algorithm));
    EXPECT_FALSE(test::expand(&backend_, algorithm, Buffer(key_size(algorithm), 1), iv_, &key_));
  }
  EXPECT_FALSE(test::expand(&backend_, AeadAlgorithm::kNone, Buffer(16, 1), iv_, &key_));
}

TEST_F(NullBackendTest, completes_at_once) {
  AeadJob* completed[1];
  EXPECT_TRUE(backend_.completes_at_once());
  EXPECT_EQ(backend_.poll(completed), 0u);
  EXPECT_STREQ(backend_.name(), "plaintext");
}

}  // namespace
}  // namespace sluice::crypto
