// SPDX-License-Identifier: Apache-2.0
#include "engine/crypto_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace sluice::engine {
namespace {

using crypto::AeadAlgorithm;

TEST(CryptoLoader, finds_the_module_beside_the_build) {
  const auto library = load_crypto("");
  ASSERT_TRUE(library.ok()) << library.status();
  EXPECT_NE((*library)->primitives, nullptr);
  EXPECT_NE((*library)->backends.boringssl, nullptr);
  EXPECT_FALSE((*library)->module_path.empty());
  EXPECT_EQ(*load_crypto("/ignored/once/loaded"), *library);
}

TEST(CryptoLoader, looks_where_programs_and_libraries_are_installed) {
  const auto places = crypto_module_candidates("/opt/x/bin/sluice");
  const auto has = [&](const std::string& path) {
    return std::find(places.begin(), places.end(), path) != places.end();
  };
  EXPECT_TRUE(has("/opt/x/bin/libsluice-boringssl.so"));
  EXPECT_TRUE(has("/opt/x/bin/../lib/libsluice-boringssl.so"));
  EXPECT_TRUE(has("/opt/x/bin/src/crypto/libsluice-boringssl.so"));
  EXPECT_EQ(crypto_module_candidates("sluice").front(), "./libsluice-boringssl.so");
}

TEST(CryptoLoader, the_primitives_work) {
  const auto library = load_crypto("");
  ASSERT_TRUE(library.ok());
  std::array<uint8_t, crypto::kSha256Size> digest{};
  (*library)->primitives->sha256(nullptr, 0, digest.data());
  EXPECT_EQ(digest[0], 0xe3);
  EXPECT_EQ(digest[31], 0x55);
}

TEST(ChooseCrypto, the_first_algorithm_decides) {
  const auto library = load_crypto("");
  ASSERT_TRUE(library.ok());
  const auto chosen = choose_crypto((*library)->backends, crypto::BackendKind::kAuto,
                                    {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm});
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->algorithms.front(), AeadAlgorithm::kAes128Gcm);
  EXPECT_FALSE(chosen->report.choice.empty());
  EXPECT_FALSE(chosen->report.why.empty());
}

TEST(ChooseCrypto, plaintext_is_only_chosen_alone) {
  const auto library = load_crypto("");
  ASSERT_TRUE(library.ok());
  const auto plain =
      choose_crypto((*library)->backends, crypto::BackendKind::kAuto, {AeadAlgorithm::kNone});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->backend, (*library)->backends.plaintext);
  EXPECT_FALSE(choose_crypto((*library)->backends, crypto::BackendKind::kAuto,
                             {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kNone})
                   .ok());
  EXPECT_FALSE(choose_crypto((*library)->backends, crypto::BackendKind::kAuto, {}).ok());
  EXPECT_FALSE(choose_crypto((*library)->backends, crypto::BackendKind::kAuto,
                             {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes128Gcm})
                   .ok());
}

TEST(SystemRandom, differs_each_time) {
  std::array<uint8_t, 32> a{};
  std::array<uint8_t, 32> b{};
  system_random()(a.data(), a.size());
  system_random()(b.data(), b.size());
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace sluice::engine
