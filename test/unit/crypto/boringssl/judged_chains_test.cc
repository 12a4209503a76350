// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/judged_chains.h"

#include <gtest/gtest.h>

#include "certificates.h"

namespace sluice::crypto {
namespace {

using test::Holder;
using test::kHour;
using test::kToday;
using test::make_ca;
using test::make_leaf;

std::string said(RefuseReason reason) { return refuse_reason_text(reason); }

// Somebody who judges a server's one certificate, now and later.
struct Judge {
  explicit Judge(const Holder& ca, size_t most = kMaxJudgedChains) : chains(most) {
    anchors.push_back({ca.der(), ""});
    expected.of_server = true;
  }

  CertificateVerdict of(const Holder& leaf, uint64_t now = kToday) {
    const std::vector<uint8_t> der = leaf.der();
    const ByteView view = {der.data(), der.size()};
    return chains.judge({&view, 1}, anchors, expected, now);
  }

  std::vector<TrustAnchor> anchors;
  CertificateExpectation expected;
  JudgedChains chains;
};

// Verifies MUST-I8
TEST(JudgedChains, what_was_accepted_is_told_again) {
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example"}, ca);
  Judge judge(ca);
  const CertificateVerdict first = judge.of(leaf);
  EXPECT_EQ(said(first.reason), said(RefuseReason::kNone));
  EXPECT_EQ(judge.chains.told_again(), 0u);
  const CertificateVerdict again = judge.of(leaf);
  EXPECT_EQ(judge.chains.told_again(), 1u);
  EXPECT_EQ(said(again.reason), said(RefuseReason::kNone));
  EXPECT_EQ(again.name, "a.example");
  EXPECT_EQ(again.chain, first.chain);
  EXPECT_EQ(again.key_id, first.key_id);
  EXPECT_EQ(again.valid_from_ns, first.valid_from_ns);
  EXPECT_EQ(again.expires_ns, first.expires_ns);
}

// Verifies MUST-I10
TEST(JudgedChains, only_while_every_certificate_is_valid) {
  const Holder ca = make_ca("ca", nullptr, {}, 0, {kToday - 3 * kHour, kToday + 5 * kHour});
  const Holder leaf = make_leaf({"a.example"}, ca, {kToday - 5 * kHour, kToday + 2 * kHour});
  Judge judge(ca);
  const CertificateVerdict verdict = judge.of(leaf);
  EXPECT_EQ(verdict.valid_from_ns, kToday - 3 * kHour);
  EXPECT_EQ(verdict.expires_ns, kToday + 2 * kHour);
  EXPECT_EQ(said(judge.of(leaf, kToday + 2 * kHour - 1).reason), said(RefuseReason::kNone));
  EXPECT_EQ(said(judge.of(leaf, kToday - 3 * kHour).reason), said(RefuseReason::kNone));
  EXPECT_EQ(judge.chains.told_again(), 2u);
  EXPECT_EQ(said(judge.of(leaf, kToday + 2 * kHour).reason),
            said(RefuseReason::kCertificateExpired));
  EXPECT_EQ(said(judge.of(leaf, kToday - 3 * kHour - 1).reason),
            said(RefuseReason::kCertificateNotYetValid));
  EXPECT_EQ(said(judge.of(leaf).reason), said(RefuseReason::kNone));  // The clock was set back.
  EXPECT_EQ(judge.chains.told_again(), 2u);
}

TEST(JudgedChains, of_another_name_or_side_nothing_is_known) {
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example", "b.example"}, ca);
  Judge judge(ca);
  judge.expected.name = "a.example";
  EXPECT_EQ(judge.of(leaf).name, "a.example");
  judge.expected.name = "b.example";
  EXPECT_EQ(judge.of(leaf).name, "b.example");
  judge.expected.name = "c.example";
  EXPECT_EQ(said(judge.of(leaf).reason), said(RefuseReason::kCertificateName));
  judge.expected.name = "a.example";
  judge.expected.of_server = false;
  EXPECT_EQ(judge.of(leaf).name, "a.example");
  EXPECT_EQ(judge.chains.told_again(), 0u);
  EXPECT_EQ(judge.chains.size(), 3u);
}

// The same bytes as two certificates and as one.
TEST(JudgedChains, a_chain_is_its_certificates_one_by_one) {
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example"}, ca);
  Judge judge(ca);
  std::vector<uint8_t> both = leaf.der();
  const size_t first = both.size();
  const std::vector<uint8_t> issuer = ca.der();
  both.insert(both.end(), issuer.begin(), issuer.end());
  const ByteView two[] = {{both.data(), first}, {both.data() + first, both.size() - first}};
  const ByteView one = {both.data(), both.size()};
  EXPECT_EQ(said(judge.chains.judge(two, judge.anchors, judge.expected, kToday).reason),
            said(RefuseReason::kNone));
  EXPECT_EQ(said(judge.chains.judge({&one, 1}, judge.anchors, judge.expected, kToday).reason),
            said(RefuseReason::kCertificateGarbage));
  EXPECT_EQ(judge.chains.told_again(), 0u);
}

TEST(JudgedChains, who_is_refused_takes_no_place_and_places_are_bounded) {
  const Holder ca = make_ca("ca");
  const Holder other = make_ca("other");
  Judge judge(ca, 3);
  EXPECT_EQ(said(judge.of(make_leaf({"a.example"}, other)).reason),
            said(RefuseReason::kCertificateAnchor));
  EXPECT_EQ(judge.chains.size(), 0u);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(said(judge.of(make_leaf({"a.example"}, ca)).reason), said(RefuseReason::kNone));
    EXPECT_LE(judge.chains.size(), 3u);
  }
  EXPECT_EQ(judge.chains.size(), 3u);
}

}  // namespace
}  // namespace sluice::crypto
