// SPDX-License-Identifier: Apache-2.0
#include "crypto/choose_backend.h"

#include <gtest/gtest.h>

#include "crypto/null/null_backend.h"

namespace sluice::crypto {
namespace {

// A backend in name only: choosing never calls anything else.
class NamedBackend final : public AeadBackend {
 public:
  NamedBackend(const char* name, bool has_chacha) : name_(name), has_chacha_(has_chacha) {}
  const char* name() const override { return name_; }
  const char* detail() const override { return "for tests"; }
  bool supports(AeadAlgorithm algorithm) const override {
    if (algorithm == AeadAlgorithm::kChaCha20Poly1305) return has_chacha_;
    return algorithm != AeadAlgorithm::kNone;
  }
  bool expand_key(AeadAlgorithm, std::span<const uint8_t>, std::span<const uint8_t, kNonceSize>,
                  AeadKey*) override {
    return false;
  }
  void submit_seal(std::span<AeadJob>) override {}
  void submit_open(std::span<AeadJob>) override {}
  size_t poll(std::span<AeadJob*>) override { return 0; }
  bool completes_at_once() const override { return true; }
  void discard_key(AeadKey*) override {}

 private:
  const char* name_;
  bool has_chacha_;
};

class ChooseBackend : public testing::Test {
 protected:
  NamedBackend ipsec_mb_{"ipsec-mb", false};
  NamedBackend boringssl_{"boringssl", true};
  NullBackend plaintext_;
  BackendSet found_{&ipsec_mb_, &boringssl_, &plaintext_};
};

TEST_F(ChooseBackend, auto_takes_ipsec_mb_for_aes_gcm) {
  for (auto algorithm : {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm}) {
    const BackendChoice choice = choose_backend(BackendKind::kAuto, algorithm, found_);
    EXPECT_EQ(choice.backend, &ipsec_mb_);
    EXPECT_EQ(choice.reason, "ipsec-mb (for tests): the faster one for AES-GCM");
  }
}

TEST_F(ChooseBackend, auto_takes_boringssl_otherwise) {
  BackendChoice choice =
      choose_backend(BackendKind::kAuto, AeadAlgorithm::kChaCha20Poly1305, found_);
  EXPECT_EQ(choice.backend, &boringssl_);
  found_.ipsec_mb = nullptr;
  choice = choose_backend(BackendKind::kAuto, AeadAlgorithm::kAes128Gcm, found_);
  EXPECT_EQ(choice.backend, &boringssl_);
  EXPECT_EQ(choice.reason, "boringssl (for tests): ipsec-mb is not available here");
}

TEST_F(ChooseBackend, auto_falls_back_to_an_equal_cipher_only) {
  NamedBackend full("ipsec-mb", true);
  BackendSet found{&full, nullptr, &plaintext_};
  BackendChoice choice =
      choose_backend(BackendKind::kAuto, AeadAlgorithm::kChaCha20Poly1305, found);
  EXPECT_EQ(choice.backend, &full);
  found.ipsec_mb = nullptr;
  choice = choose_backend(BackendKind::kAuto, AeadAlgorithm::kAes128Gcm, found);
  EXPECT_EQ(choice.backend, nullptr);
  EXPECT_EQ(choice.reason, "no crypto backend here provides aes-128-gcm");
}

TEST_F(ChooseBackend, what_is_left_to_the_cpu_beside_ports_is_chosen_as_with_auto) {
  for (const auto algorithm : {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kChaCha20Poly1305}) {
    EXPECT_EQ(choose_backend(BackendKind::kInline, algorithm, found_).backend,
              choose_backend(BackendKind::kAuto, algorithm, found_).backend);
  }
  EXPECT_EQ(choose_backend(BackendKind::kInline, AeadAlgorithm::kNone, found_).backend, nullptr);
}

TEST_F(ChooseBackend, a_lookaside_device_is_taken_only_by_name) {
  found_.no_lookaside = "there is no crypto device";
  BackendChoice choice = choose_backend(BackendKind::kLookaside, AeadAlgorithm::kAes128Gcm, found_);
  EXPECT_EQ(choice.backend, nullptr);
  EXPECT_EQ(choice.reason, "crypto backend lookaside was asked for: there is no crypto device");
  found_.lookaside = &boringssl_;
  choice = choose_backend(BackendKind::kLookaside, AeadAlgorithm::kAes128Gcm, found_);
  EXPECT_EQ(choice.backend, &boringssl_);
  EXPECT_NE(choose_backend(BackendKind::kAuto, AeadAlgorithm::kAes128Gcm, found_).backend,
            &boringssl_);
}

TEST_F(ChooseBackend, a_named_backend_is_taken_or_refused) {
  BackendChoice choice = choose_backend(BackendKind::kBoringssl, AeadAlgorithm::kAes128Gcm, found_);
  EXPECT_EQ(choice.backend, &boringssl_);
  EXPECT_EQ(choice.reason, "boringssl (for tests): asked for by name");
  choice = choose_backend(BackendKind::kIpsecMb, AeadAlgorithm::kChaCha20Poly1305, found_);
  EXPECT_EQ(choice.backend, nullptr);
  EXPECT_NE(choice.reason.find("does not provide chacha20-poly1305"), std::string::npos);
  found_.ipsec_mb = nullptr;
  choice = choose_backend(BackendKind::kIpsecMb, AeadAlgorithm::kAes128Gcm, found_);
  EXPECT_EQ(choice.backend, nullptr);
  EXPECT_NE(choice.reason.find("not available here"), std::string::npos);
}

TEST_F(ChooseBackend, plaintext_only_where_it_is_the_algorithm) {
  BackendChoice choice = choose_backend(BackendKind::kAuto, AeadAlgorithm::kNone, found_);
  EXPECT_EQ(choice.backend, &plaintext_);
  choice = choose_backend(BackendKind::kIpsecMb, AeadAlgorithm::kNone, found_);
  EXPECT_EQ(choice.backend, nullptr);
  found_.plaintext = nullptr;
  choice = choose_backend(BackendKind::kAuto, AeadAlgorithm::kNone, found_);
  EXPECT_EQ(choice.backend, nullptr);
}

}  // namespace
}  // namespace sluice::crypto
