// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/identity.h"

#include <gtest/gtest.h>

#include "certificates.h"
#include "tls_support.h"

namespace sluice::crypto {
namespace {

using test::issue_pair;
using test::PemPair;
using test::read_pair;
using test::TrustText;

IdentityError error_of(const PemPair& own, const std::vector<TrustText>& trust,
                       const std::vector<std::string>& allowed = {}) {
  IdentityError error{IdentityProblem::kNone, RefuseReason::kNone, 99};
  TlsIdentity* identity = read_pair(own, trust, allowed, &error);
  EXPECT_EQ(identity == nullptr, error.problem != IdentityProblem::kNone);
  delete identity;
  return error;
}

TEST(Identity, good_files_are_taken) {
  const PemPair ca = issue_pair(nullptr, {});
  const PemPair own = issue_pair(&ca, {"a.example"});
  EXPECT_EQ(error_of(own, {{ca.certificate, ""}, {ca.certificate, "Example"}}, {"b"}).problem,
            IdentityProblem::kNone);
}

TEST(Identity, each_bad_file_is_named) {
  const PemPair ca = issue_pair(nullptr, {});
  const PemPair own = issue_pair(&ca, {"a.example"});
  const PemPair other = issue_pair(&ca, {"b.example"});
  const TrustText good = {ca.certificate, ""};
  EXPECT_EQ(error_of({"", own.key}, {good}).problem, IdentityProblem::kCertificateUnreadable);
  EXPECT_EQ(error_of({own.certificate, ""}, {good}).problem, IdentityProblem::kKeyUnreadable);
  EXPECT_EQ(error_of({own.certificate, other.key}, {good}).problem, IdentityProblem::kKeyMismatch);
  EXPECT_EQ(error_of(own, {}).problem, IdentityProblem::kTrustUnreadable);
  EXPECT_EQ(error_of(own, {good, {"none", ""}}).problem, IdentityProblem::kTrustUnreadable);
  EXPECT_EQ(error_of(own, {good, {"none", ""}}).index, 1u);
  EXPECT_EQ(error_of(own, {{own.certificate, ""}}).problem, IdentityProblem::kTrustNoIssuer);
  EXPECT_EQ(error_of(own, {{ca.certificate, "*.example"}}).problem, IdentityProblem::kTrustSuffix);
  EXPECT_EQ(error_of(own, {good}, {"a", "*"}).problem, IdentityProblem::kAllowedName);
  EXPECT_EQ(error_of(own, {good}, {"a", "*"}).index, 1u);
  EXPECT_EQ(error_of(own, std::vector<TrustText>(kMaxTrustAnchors + 1, good)).problem,
            IdentityProblem::kTooMany);
  EXPECT_EQ(error_of(issue_pair(&ca, {"*.example"}), {good}).problem,
            IdentityProblem::kCertificateNames);
  EXPECT_EQ(error_of(issue_pair(&ca, {"*.example"}), {good}).reason,
            RefuseReason::kCertificateWildcard);
}

TEST(Identity, keys_of_other_types_are_refused) {
  const test::Holder ca = test::make_ca("ca");
  EVP_PKEY* p384 = EVP_PKEY_new();
  EC_KEY* ec = EC_KEY_new_by_curve_name(NID_secp384r1);
  EC_KEY_generate_key(ec);
  EVP_PKEY_assign_EC_KEY(p384, ec);
  const bssl::UniquePtr<EVP_PKEY> key(p384);
  const auto certificate =
      build_certificate({.common_name = "leaf", .names = {"a.example"}, .validity = test::kThisDay},
                        key.get(), ca.certificate.get());
  sign_certificate(certificate.get(), ca.key.get());
  const PemPair own = {test::pem_of(certificate.get()), test::pem_of(key.get())};
  EXPECT_EQ(error_of(own, {{test::pem_of(ca.certificate.get()), ""}}).problem,
            IdentityProblem::kKeyType);
}

TEST(Identity, its_secret_follows_from_the_key_alone) {
  const PemPair ca = issue_pair(nullptr, {});
  const PemPair own = issue_pair(&ca, {"a.example"});
  const PemPair other = issue_pair(&ca, {"a.example"});
  IdentityError error;
  const auto secret_of = [&](const PemPair& pair) {
    const std::unique_ptr<TlsIdentity> identity(
        read_pair(pair, {{ca.certificate, ""}}, {}, &error));
    std::array<uint8_t, kTlsSecretSize> out{};
    identity_secret(identity.get(), out.data());
    return out;
  };
  EXPECT_EQ(secret_of(own), secret_of(own));
  EXPECT_NE(secret_of(own), secret_of(other));
  EXPECT_NE(secret_of(own), (std::array<uint8_t, kTlsSecretSize>{}));
}

}  // namespace
}  // namespace sluice::crypto
