// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>

#include "base/prng.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;

Buffer random_bytes(base::Prng* prng, size_t length) {
  Buffer out(length);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(prng->next_u64());
  return out;
}

// Verifies MUST-C1
TEST(Aead, nonce_is_iv_xor_right_aligned_big_endian_number) {
  AeadKey key;
  for (uint8_t i = 0; i < kNonceSize; ++i) key.iv[i] = i;
  uint8_t nonce[kNonceRoom];
  make_nonce(key, 0x8102030405060708u, nonce);
  EXPECT_EQ(test::to_hex(nonce), "00010203850705030d0f0d0300000000");
}

TEST(Aead, sizes_and_names_follow_the_algorithm) {
  EXPECT_EQ(key_size(AeadAlgorithm::kAes128Gcm), 16u);
  EXPECT_EQ(key_size(AeadAlgorithm::kAes256Gcm), 32u);
  EXPECT_EQ(key_size(AeadAlgorithm::kChaCha20Poly1305), 32u);
  EXPECT_EQ(key_size(AeadAlgorithm::kNone), 0u);
  EXPECT_EQ(tag_size(AeadAlgorithm::kNone), 0u);
  EXPECT_EQ(tag_size(AeadAlgorithm::kAes128Gcm), 16u);
  EXPECT_STREQ(algorithm_name(AeadAlgorithm::kNone), "none");
  EXPECT_STREQ(algorithm_name(AeadAlgorithm::kAes128Gcm), "aes-128-gcm");
  EXPECT_STREQ(algorithm_name(AeadAlgorithm::kAes256Gcm), "aes-256-gcm");
  EXPECT_STREQ(algorithm_name(AeadAlgorithm::kChaCha20Poly1305), "chacha20-poly1305");
  EXPECT_STREQ(algorithm_name(static_cast<AeadAlgorithm>(9)), "unknown");
}

TEST(Aead, wipe_leaves_nothing_of_a_key) {
  AeadKey key;
  std::memset(static_cast<void*>(&key), 0x5A, sizeof(key));
  key.wipe();
  const auto* bytes = reinterpret_cast<const uint8_t*>(&key);
  EXPECT_TRUE(std::all_of(bytes, bytes + sizeof(key), [](uint8_t b) { return b == 0; }));
}

// What every backend owes for every algorithm it has.
class AeadBackends : public testing::TestWithParam<std::tuple<const char*, AeadAlgorithm>> {
 protected:
  void SetUp() override {
    const bool wants_ipsec_mb = std::string(std::get<0>(GetParam())) == "ipsec_mb";
    backend_ = wants_ipsec_mb ? test::ipsec_mb() : test::boringssl();
    algorithm_ = std::get<1>(GetParam());
    if (backend_ == nullptr) GTEST_SKIP() << "this processor has no AES and CLMUL instructions";
    key_bytes_ = random_bytes(&prng_, key_size(algorithm_));
    iv_ = random_bytes(&prng_, kNonceSize);
    ASSERT_TRUE(test::expand(backend_, algorithm_, key_bytes_, iv_, &key_));
  }

  base::Prng prng_{7};
  AeadBackend* backend_ = nullptr;
  AeadAlgorithm algorithm_ = AeadAlgorithm::kNone;
  Buffer key_bytes_;
  Buffer iv_;
  AeadKey key_;
};

TEST_P(AeadBackends, agrees_with_the_reference_at_every_length) {
  AeadKey reference;
  ASSERT_TRUE(test::expand(test::boringssl(), algorithm_, key_bytes_, iv_, &reference));
  for (size_t length = 0; length <= 2048; ++length) {
    const Buffer plain = random_bytes(&prng_, length);
    const Buffer aad = random_bytes(&prng_, prng_.uniform(100));
    const uint64_t number = prng_.next_u64();
    const Buffer sealed = test::seal(backend_, key_, number, aad, plain);
    ASSERT_EQ(sealed, test::seal(test::boringssl(), reference, number, aad, plain)) << length;
    Buffer opened;
    ASSERT_TRUE(test::open(backend_, key_, number, aad, sealed, &opened)) << length;
    ASSERT_EQ(opened, plain) << length;
  }
}

TEST_P(AeadBackends, seals_and_opens_in_place_and_touches_nothing_else) {
  constexpr size_t kGuard = 64;
  for (size_t length : {0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 300, 1399, 1400, 8000, 16384}) {
    const Buffer plain = random_bytes(&prng_, length);
    const Buffer aad = random_bytes(&prng_, 48);
    const Buffer expected = test::seal(backend_, key_, 3, aad, plain);
    Buffer area(kGuard + length + kTagSize + kGuard, 0xEE);
    uint8_t* at = area.data() + kGuard;
    std::copy(plain.begin(), plain.end(), at);
    AeadJob job{.key = &key_,
                .record_number = 3,
                .aad = aad.data(),
                .aad_length = 48,
                .in = at,
                .out = at,
                .length = static_cast<uint32_t>(length)};
    backend_->submit_seal({&job, 1});
    ASSERT_TRUE(job.ok);
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), at)) << length;
    job.ok = false;
    backend_->submit_open({&job, 1});
    ASSERT_TRUE(job.ok) << length;
    ASSERT_TRUE(std::equal(plain.begin(), plain.end(), at)) << length;
    const auto is_guard = [](uint8_t b) { return b == 0xEE; };
    EXPECT_TRUE(std::all_of(area.begin(), area.begin() + kGuard, is_guard));
    EXPECT_TRUE(std::all_of(area.end() - kGuard, area.end(), is_guard));
  }
}

TEST_P(AeadBackends, opening_writes_only_the_plaintext_range) {
  const Buffer plain = random_bytes(&prng_, 333);
  const Buffer sealed = test::seal(backend_, key_, 1, {}, plain);
  Buffer out(plain.size() + 64, 0xEE);
  AeadJob job{.key = &key_,
              .record_number = 1,
              .in = sealed.data(),
              .out = out.data(),
              .length = static_cast<uint32_t>(plain.size())};
  backend_->submit_open({&job, 1});
  ASSERT_TRUE(job.ok);
  EXPECT_TRUE(std::all_of(out.begin() + 333, out.end(), [](uint8_t b) { return b == 0xEE; }));
}

TEST_P(AeadBackends, any_changed_bit_fails_the_opening) {
  const Buffer plain = random_bytes(&prng_, 40);
  const Buffer aad = random_bytes(&prng_, 24);
  const Buffer sealed = test::seal(backend_, key_, 77, aad, plain);
  Buffer out;
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Buffer changed = sealed;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    ASSERT_FALSE(test::open(backend_, key_, 77, aad, changed, &out)) << bit;
  }
  for (size_t bit = 0; bit < aad.size() * 8; ++bit) {
    Buffer changed = aad;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    ASSERT_FALSE(test::open(backend_, key_, 77, changed, sealed, &out)) << bit;
  }
  for (unsigned bit = 0; bit < 64; ++bit) {
    ASSERT_FALSE(test::open(backend_, key_, 77 ^ uint64_t{1} << bit, aad, sealed, &out)) << bit;
  }
  EXPECT_TRUE(test::open(backend_, key_, 77, aad, sealed, &out));
}

TEST_P(AeadBackends, a_burst_reports_each_job_by_itself) {
  constexpr size_t kJobs = 8;
  const Buffer plain = random_bytes(&prng_, 100);
  std::vector<Buffer> sealed;
  std::vector<Buffer> opened(kJobs, Buffer(plain.size()));
  std::vector<AeadJob> jobs(kJobs);
  for (size_t i = 0; i < kJobs; ++i) {
    sealed.push_back(test::seal(backend_, key_, i, {}, plain));
    if (i % 3 == 1) sealed[i].back() ^= 1;
    jobs[i].key = &key_;
    jobs[i].record_number = i;
    jobs[i].in = sealed[i].data();
    jobs[i].out = opened[i].data();
    jobs[i].length = static_cast<uint32_t>(plain.size());
  }
  backend_->submit_open(jobs);
  for (size_t i = 0; i < kJobs; ++i) EXPECT_EQ(jobs[i].ok, i % 3 != 1) << i;
  EXPECT_EQ(opened[0], plain);
  EXPECT_TRUE(backend_->completes_at_once());
  AeadJob* completed[kJobs];
  EXPECT_EQ(backend_->poll(completed), 0u);
}

TEST_P(AeadBackends, a_moved_key_seals_the_same) {
  const Buffer plain = random_bytes(&prng_, 99);
  const Buffer expected = test::seal(backend_, key_, 5, {}, plain);
  AeadKey moved = key_;
  key_.wipe();
  EXPECT_EQ(test::seal(backend_, moved, 5, {}, plain), expected);
}

TEST_P(AeadBackends, a_key_of_the_wrong_length_is_refused) {
  for (size_t length : {0, 15, 17, 24, 31, 33}) {
    if (length == key_size(algorithm_)) continue;
    AeadKey key;
    const Buffer bytes(length, 1);
    EXPECT_FALSE(test::expand(backend_, algorithm_, bytes, iv_, &key)) << length;
  }
}

// Verifies MUST-C11
TEST_P(AeadBackends, a_discarded_key_leaves_nothing) {
  backend_->discard_key(&key_);
  const auto* bytes = reinterpret_cast<const uint8_t*>(&key_);
  EXPECT_TRUE(std::all_of(bytes, bytes + sizeof(key_), [](uint8_t b) { return b == 0; }));
  backend_->discard_key(&key_);
}

TEST_P(AeadBackends, plaintext_is_not_an_algorithm_of_an_encrypting_backend) {
  AeadKey key;
  EXPECT_FALSE(backend_->supports(AeadAlgorithm::kNone));
  EXPECT_FALSE(test::expand(backend_, AeadAlgorithm::kNone, {}, iv_, &key));
  EXPECT_TRUE(backend_->supports(algorithm_));
}

INSTANTIATE_TEST_SUITE_P(all, AeadBackends,
                         testing::Combine(testing::Values("boringssl", "ipsec_mb"),
                                          testing::ValuesIn(test::kAllAlgorithms)),
                         [](const auto& param) {
                           std::string name = std::get<0>(param.param);
                           name += std::string("_") + algorithm_name(std::get<1>(param.param));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace sluice::crypto
