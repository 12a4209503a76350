// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/issue.h"

#include <gtest/gtest.h>

#include "certificates.h"
#include "tls_support.h"

namespace sluice::crypto {
namespace {

using test::issue_pair;
using test::kTlsSecond;
using test::kTlsToday;
using test::PemPair;
using test::sink_of;
using test::text_view;

struct Seen {
  CertificateFacts facts;
  std::string names;
};

std::vector<Seen> inspect(const std::string& pem) {
  std::vector<Seen> out;
  const size_t count = inspect_pem(
      text_view(pem),
      [](void* context, const CertificateFacts* facts, ByteView names) {
        static_cast<std::vector<Seen>*>(context)->push_back(
            {*facts, {reinterpret_cast<const char*>(names.data), names.size}});
      },
      &out);
  EXPECT_EQ(count, out.size());
  return out;
}

TEST(Issue, a_ca_and_what_it_issues) {
  const PemPair ca = issue_pair(nullptr, {"example"});
  const PemPair leaf = issue_pair(&ca, {"a.example", "b.example"}, kTlsToday + 5,
                                  kTlsToday - kTlsSecond, KeyKind::kEd25519);
  const auto seen_ca = inspect(ca.certificate);
  ASSERT_EQ(seen_ca.size(), 1u);
  EXPECT_TRUE(seen_ca[0].facts.is_ca);
  EXPECT_EQ(seen_ca[0].names, "example");
  EXPECT_EQ(seen_ca[0].facts.key, KeyKind::kEcdsaP256);
  const auto seen = inspect(leaf.certificate);
  ASSERT_EQ(seen.size(), 1u) << "the anchor does not travel";
  EXPECT_FALSE(seen[0].facts.is_ca);
  EXPECT_EQ(seen[0].names, "a.example,b.example");
  EXPECT_STREQ(seen[0].facts.name, "a.example");
  EXPECT_STREQ(seen[0].facts.issuer, seen_ca[0].facts.subject);
  EXPECT_EQ(seen[0].facts.not_after_ns, kTlsToday + 5);
  EXPECT_EQ(seen[0].facts.not_before_ns, kTlsToday - kTlsSecond);
  EXPECT_EQ(seen[0].facts.key, KeyKind::kEd25519);
  EXPECT_NE(leaf.key.find("PRIVATE KEY"), std::string::npos);
}

TEST(Issue, an_issuer_in_between_travels_along) {
  const PemPair root = issue_pair(nullptr, {});
  IssueInput input{};
  input.ca_certificate_pem = text_view(root.certificate);
  input.ca_key_pem = text_view(root.key);
  input.ca = true;
  input.common_name = text_view("between");
  input.not_before_ns = kTlsToday;
  input.not_after_ns = kTlsToday + kTlsSecond;
  PemPair between;
  // The root allows none below it; that is for who verifies, not for who issues.
  ASSERT_TRUE(issue_pem(&input, sink_of(&between.certificate), sink_of(&between.key)));
  EXPECT_EQ(inspect(issue_pair(&between, {"a.example"}).certificate).size(), 2u);
}

TEST(Issue, a_key_can_be_kept) {
  const PemPair ca = issue_pair(nullptr, {});
  const PemPair first = issue_pair(&ca, {"a.example"});
  const ByteView name = text_view("a.example");
  IssueInput input{};
  input.ca_certificate_pem = text_view(ca.certificate);
  input.ca_key_pem = text_view(ca.key);
  input.key_pem = text_view(first.key);
  input.common_name = name;
  input.names = &name;
  input.name_count = 1;
  input.not_before_ns = kTlsToday;
  input.not_after_ns = kTlsToday + kTlsSecond;
  PemPair second;
  ASSERT_TRUE(issue_pem(&input, sink_of(&second.certificate), sink_of(&second.key)));
  EXPECT_EQ(second.key, first.key);
  EXPECT_NE(second.certificate, first.certificate);
}

TEST(Issue, what_does_not_go_together_is_refused) {
  const PemPair ca = issue_pair(nullptr, {});
  const PemPair other = issue_pair(nullptr, {});
  IssueInput input{};
  input.ca_certificate_pem = text_view(ca.certificate);
  input.ca_key_pem = text_view(other.key);
  input.common_name = text_view("a");
  input.not_after_ns = kTlsToday;
  std::string certificate;
  std::string key;
  EXPECT_FALSE(issue_pem(&input, sink_of(&certificate), sink_of(&key)));
  input.ca_key_pem = text_view(ca.key);
  EXPECT_TRUE(issue_pem(&input, sink_of(&certificate), sink_of(&key)));
  input.key_kind = KeyKind::kOther;
  EXPECT_FALSE(issue_pem(&input, sink_of(&certificate), sink_of(&key)));
  input.key_pem = text_view("no key");
  EXPECT_FALSE(issue_pem(&input, sink_of(&certificate), sink_of(&key)));
  EXPECT_TRUE(inspect("no certificate").empty());
}

}  // namespace
}  // namespace sluice::crypto
