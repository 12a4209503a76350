// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/certificate.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/rsa.h>

#include "certificates.h"

namespace sluice::crypto {
namespace {

using test::Holder;
using test::kHour;
using test::kThisDay;
using test::kToday;
using test::make_ca;
using test::make_leaf;

using Ders = std::vector<std::vector<uint8_t>>;

// A verifier with one anchor, and what it expects of a server.
struct Verifier {
  explicit Verifier(const Holder& ca, const std::string& suffix = "") {
    anchors.push_back({ca.der(), suffix});
    expected.of_server = true;
  }

  CertificateVerdict of(const Ders& chain) const {
    std::vector<ByteView> views;
    for (const auto& each : chain) views.push_back({each.data(), each.size()});
    return verify_certificates(views, anchors, expected, now);
  }
  CertificateVerdict of(const Holder& leaf) const { return of(Ders{leaf.der()}); }

  std::vector<TrustAnchor> anchors;
  CertificateExpectation expected;
  uint64_t now = kToday;
};

// A reason compared by its sentence, which a failure then shows.
std::string said(RefuseReason reason) { return refuse_reason_text(reason); }
#define EXPECT_REFUSED(verdict, expected_reason) \
  EXPECT_EQ(said((verdict).reason), said(RefuseReason::expected_reason)) << (verdict).detail

// Verifies MUST-I8
TEST(Certificate, good_certificates_prove_their_names) {
  for (const KeyKind ca_kind : {KeyKind::kEcdsaP256, KeyKind::kEd25519}) {
    for (const KeyKind kind : {KeyKind::kEcdsaP256, KeyKind::kEd25519}) {
      const Holder ca = make_ca("ca", nullptr, {}, 0, kThisDay, ca_kind);
      const Holder leaf = make_leaf({"A.Example", "b.example"}, ca, kThisDay, kind);
      Verifier verifier(ca);
      for (const bool of_server : {true, false}) {
        verifier.expected.of_server = of_server;
        verifier.expected.name = "b.example";
        const CertificateVerdict verdict = verifier.of(leaf);
        EXPECT_REFUSED(verdict, kNone);
        EXPECT_EQ(verdict.name, "b.example");
        EXPECT_EQ(verdict.expires_ns, kToday + 12 * kHour);
        verifier.expected.name.clear();
        EXPECT_EQ(verifier.of(leaf).name, "a.example");
      }
    }
  }
}

TEST(Certificate, an_anchor_that_is_sent_along_is_no_harm) {
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example"}, ca);
  EXPECT_REFUSED(Verifier(ca).of({leaf.der(), ca.der()}), kNone);
}

TEST(Certificate, no_certificate_and_no_anchor) {
  const Holder ca = make_ca("ca");
  Verifier verifier(ca);
  EXPECT_REFUSED(verifier.of(Ders{}), kNoCertificate);
  verifier.anchors.clear();
  EXPECT_REFUSED(verifier.of(make_leaf({"a.example"}, ca)), kCertificateAnchor);
}

TEST(Certificate, of_another_anchor_even_of_the_same_name) {
  const Holder ca = make_ca("ca");
  const Holder other = make_ca("ca");
  const CertificateVerdict verdict = Verifier(ca).of(make_leaf({"a.example"}, other));
  EXPECT_REFUSED(verdict, kCertificateAnchor);
  EXPECT_EQ(verdict.detail, "issuer: ca");
  EXPECT_REFUSED(Verifier(ca).of({make_leaf({"a.example"}, other).der(), other.der()}),
                 kCertificateAnchor);
}

TEST(Certificate, that_signed_itself) {
  const Holder ca = make_ca("ca");
  const Holder alone = test::make_holder(
      {.common_name = "a.example", .names = {"a.example"}, .validity = kThisDay}, nullptr);
  EXPECT_REFUSED(Verifier(ca).of(alone), kCertificateAnchor);
}

// The anchor of one name space cannot vouch for another's names, whoever else is trusted.
TEST(Certificate, an_anchor_vouches_for_its_name_space_alone) {
  const Holder foo = make_ca("foo");
  const Holder bar = make_ca("bar");
  Verifier verifier(foo, "foo.example");
  verifier.anchors.push_back({bar.der(), "bar.example"});
  EXPECT_REFUSED(verifier.of(make_leaf({"a.foo.example"}, foo)), kNone);
  EXPECT_REFUSED(verifier.of(make_leaf({"bar.example"}, bar)), kNone);
  EXPECT_REFUSED(verifier.of(make_leaf({"a.bar.example"}, foo)), kCertificateNameSpace);
  EXPECT_REFUSED(verifier.of(make_leaf({"a.foo.example", "a.bar.example"}, foo)),
                 kCertificateNameSpace);
  EXPECT_REFUSED(verifier.of(make_leaf({"afoo.example"}, foo)), kCertificateNameSpace);
  EXPECT_REFUSED(verifier.of(make_leaf({"a.bar.example"}, make_ca("foo"))), kCertificateAnchor);
}

TEST(Certificate, of_another_name) {
  const Holder ca = make_ca("ca");
  Verifier verifier(ca);
  verifier.expected.name = "b.example";
  const CertificateVerdict verdict = verifier.of(make_leaf({"a.example"}, ca));
  EXPECT_REFUSED(verdict, kCertificateName);
  EXPECT_EQ(verdict.detail, "a.example, not b.example");
  EXPECT_EQ(verdict.name, "");
  verifier.expected.name = "example";
  EXPECT_REFUSED(verifier.of(make_leaf({"a.example"}, ca)), kCertificateName);
}

TEST(Certificate, a_list_of_names_is_all_that_is_allowed) {
  const Holder ca = make_ca("ca");
  Verifier verifier(ca);
  verifier.expected.allowed = {"x.example", "b.example"};
  EXPECT_EQ(verifier.of(make_leaf({"a.example", "b.example"}, ca)).name, "b.example");
  EXPECT_REFUSED(verifier.of(make_leaf({"a.example"}, ca)), kCertificateName);
}

TEST(Certificate, outside_its_time) {
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example"}, ca, {kToday - kHour, kToday + kHour});
  Verifier verifier(ca);
  verifier.now = kToday + kHour - 1;
  EXPECT_REFUSED(verifier.of(leaf), kNone);
  verifier.now = kToday + kHour;
  EXPECT_REFUSED(verifier.of(leaf), kCertificateExpired);
  verifier.now = kToday - kHour;
  EXPECT_REFUSED(verifier.of(leaf), kNone);
  verifier.now = kToday - kHour - 1;
  EXPECT_REFUSED(verifier.of(leaf), kCertificateNotYetValid);
}

TEST(Certificate, an_issuer_outside_its_time) {
  const Holder root = make_ca("root", nullptr, {}, 2, {kToday - 12 * kHour, kToday + 3 * kHour});
  const Holder ca = make_ca("ca", &root, {}, 0, {kToday - kHour, kToday + kHour});
  const Holder leaf = make_leaf({"a.example"}, ca);
  Verifier verifier(root);
  EXPECT_EQ(verifier.of({leaf.der(), ca.der()}).expires_ns, kToday + kHour);
  verifier.now = kToday + 2 * kHour;
  const CertificateVerdict late = verifier.of({leaf.der(), ca.der()});
  EXPECT_REFUSED(late, kCertificateExpired);
  EXPECT_EQ(late.detail, "an issuer's");
  verifier.now = kToday - 2 * kHour;
  EXPECT_REFUSED(verifier.of({leaf.der(), ca.der()}), kCertificateNotYetValid);
  // The anchor's own end counts as well.
  const Holder direct = make_leaf({"a.example"}, root);
  verifier.now = kToday + 4 * kHour;
  EXPECT_REFUSED(verifier.of(direct), kCertificateExpired);
}

TEST(Certificate, a_life_of_half_a_second) {
  const uint64_t half = kNanosPerSecond / 2;
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example"}, ca, {kToday + 100, kToday + 100 + half});
  Verifier verifier(ca);
  verifier.now = kToday + 99;
  EXPECT_REFUSED(verifier.of(leaf), kCertificateNotYetValid);
  verifier.now = kToday + 100;
  EXPECT_EQ(verifier.of(leaf).expires_ns, kToday + 100 + half);
  verifier.now = kToday + 100 + half;
  EXPECT_REFUSED(verifier.of(leaf), kCertificateExpired);
}

TEST(Certificate, a_leaf_cannot_issue) {
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example"}, ca);
  const Holder below = make_leaf({"b.example"}, leaf);
  EXPECT_REFUSED(Verifier(ca).of({below.der(), leaf.der()}), kCertificateIssuer);
  // Nor one that claims the right to sign certificates without being a CA.
  const Holder greedy = make_leaf({"a.example"}, ca, kThisDay, KeyKind::kEcdsaP256, [](X509* x) {
    test::set_extension(x, NID_key_usage, "critical,digitalSignature,keyCertSign");
  });
  const Holder under = make_leaf({"b.example"}, greedy);
  EXPECT_REFUSED(Verifier(ca).of({under.der(), greedy.der()}), kCertificateIssuer);
}

TEST(Certificate, a_ca_is_nobodys_identity) {
  const Holder ca = make_ca("ca");
  const Holder named = test::make_holder(
      {.common_name = "b", .ca = true, .validity = kThisDay}, &ca, KeyKind::kEcdsaP256,
      [](X509* x) { test::set_extension(x, NID_subject_alt_name, "DNS:a.example"); });
  EXPECT_REFUSED(Verifier(ca).of(named), kCertificateUsage);
}

TEST(Certificate, outside_the_names_its_issuer_may_issue_for) {
  const Holder root = make_ca("root");
  const Holder ca = make_ca("ca", &root, {"foo.example"}, 0);
  const Verifier verifier(root);
  EXPECT_REFUSED(verifier.of({make_leaf({"a.foo.example"}, ca).der(), ca.der()}), kNone);
  EXPECT_REFUSED(verifier.of({make_leaf({"a.bar.example"}, ca).der(), ca.der()}),
                 kCertificateConstraints);
  EXPECT_REFUSED(verifier.of({make_leaf({"a.foo.example", "a.bar.example"}, ca).der(), ca.der()}),
                 kCertificateConstraints);
  // An anchor may be constrained itself, and a child cannot widen what its parent has.
  const Holder narrow = make_ca("narrow", nullptr, {"foo.example"});
  EXPECT_REFUSED(Verifier(narrow).of(make_leaf({"a.bar.example"}, narrow)),
                 kCertificateConstraints);
  const Holder wide = make_ca("wide", &narrow, {"example"}, 0);
  EXPECT_REFUSED(Verifier(narrow).of({make_leaf({"a.bar.example"}, wide).der(), wide.der()}),
                 kCertificateConstraints);
  EXPECT_REFUSED(Verifier(narrow).of({make_leaf({"a.foo.example"}, wide).der(), wide.der()}),
                 kNone);
}

TEST(Certificate, a_common_name_is_no_name) {
  const Holder ca = make_ca("ca");
  const Holder leaf = test::make_holder(
      {.common_name = "a.example", .names = {"a.example"}, .validity = kThisDay}, &ca,
      KeyKind::kEcdsaP256, [](X509* x) { test::remove_extension(x, NID_subject_alt_name); });
  Verifier verifier(ca);
  verifier.expected.name = "a.example";
  EXPECT_REFUSED(verifier.of(leaf), kCertificateNoDnsName);
}

TEST(Certificate, wildcards) {
  const Holder ca = make_ca("ca");
  Verifier verifier(ca);
  verifier.expected.name = "a.example";
  EXPECT_REFUSED(verifier.of(make_leaf({"*.example"}, ca)), kCertificateWildcard);
  EXPECT_REFUSED(verifier.of(make_leaf({"a.example", "*.example"}, ca)), kCertificateWildcard);
}

// The TLS library takes these along, whatever a CA is constrained to.
TEST(Certificate, names_of_other_types) {
  const Holder ca = make_ca("ca", nullptr, {"example"});
  for (const char* extra :
       {"URI:spiffe://example/a", "IP:10.0.0.1", "email:a@example", "RID:1.2.3.4"}) {
    const Holder leaf = make_leaf({"a.example"}, ca, kThisDay, KeyKind::kEcdsaP256, [&](X509* x) {
      test::set_extension(x, NID_subject_alt_name, std::string("DNS:a.example,") + extra);
    });
    EXPECT_REFUSED(Verifier(ca).of(leaf), kCertificateSanType);
  }
}

TEST(Certificate, names_that_are_none) {
  const Holder ca = make_ca("ca");
  for (const char* name : {"a..example", "a.example.", "a b", ".example"}) {
    EXPECT_REFUSED(Verifier(ca).of(make_leaf({name}, ca)), kCertificateGarbage);
  }
}

TEST(Certificate, too_many_issuers) {
  const Holder root = make_ca("root");
  std::vector<Holder> cas;
  Ders issuers;
  for (size_t i = 0; i < kMaxCertificateIssuers + 2; ++i) {
    cas.push_back(make_ca("ca" + std::to_string(i), cas.empty() ? &root : &cas.back()));
    issuers.insert(issuers.begin(), cas.back().der());
    Ders chain = issuers;
    chain.insert(chain.begin(), make_leaf({"a.example"}, cas.back()).der());
    const CertificateVerdict verdict = Verifier(root).of(chain);
    if (i < kMaxCertificateIssuers) {
      EXPECT_REFUSED(verdict, kNone);
    } else {
      EXPECT_REFUSED(verdict, kCertificateChainLength);
    }
  }
}

TEST(Certificate, more_issuers_than_one_allows) {
  const Holder root = make_ca("root", nullptr, {}, 0);
  const Holder ca = make_ca("ca", &root);
  EXPECT_REFUSED(Verifier(root).of({make_leaf({"a.example"}, ca).der(), ca.der()}),
                 kCertificateChainLength);
}

TEST(Certificate, keys_and_signatures_of_other_types) {
  const Holder ca = make_ca("ca");
  const auto with_key = [&](EVP_PKEY* raw) {
    Holder leaf;
    leaf.key.reset(raw);
    leaf.certificate =
        build_certificate({.common_name = "leaf", .names = {"a.example"}, .validity = kThisDay},
                          leaf.key.get(), ca.certificate.get());
    sign_certificate(leaf.certificate.get(), ca.key.get());
    return Verifier(ca).of(leaf);
  };
  EVP_PKEY* p384 = EVP_PKEY_new();
  EC_KEY* ec = EC_KEY_new_by_curve_name(NID_secp384r1);
  EC_KEY_generate_key(ec);
  EVP_PKEY_assign_EC_KEY(p384, ec);
  EXPECT_REFUSED(with_key(p384), kCertificateKeyType);
  EVP_PKEY* rsa_key = EVP_PKEY_new();
  RSA* rsa = RSA_new();
  const bssl::UniquePtr<BIGNUM> exponent(BN_new());
  BN_set_word(exponent.get(), RSA_F4);
  RSA_generate_key_ex(rsa, 2048, exponent.get(), nullptr);
  EVP_PKEY_assign_RSA(rsa_key, rsa);
  EXPECT_REFUSED(with_key(rsa_key), kCertificateKeyType);
  Holder sha1 = make_leaf({"a.example"}, ca);
  X509_sign(sha1.certificate.get(), ca.key.get(), EVP_sha1());
  EXPECT_REFUSED(Verifier(ca).of(sha1), kCertificateKeyType);
}

TEST(Certificate, for_the_other_side_only) {
  const Holder ca = make_ca("ca");
  const auto usage = [&](const char* value) {
    return make_leaf({"a.example"}, ca, kThisDay, KeyKind::kEcdsaP256,
                     [&](X509* x) { test::set_extension(x, NID_ext_key_usage, value); });
  };
  Verifier verifier(ca);
  EXPECT_REFUSED(verifier.of(usage("clientAuth")), kCertificateUsage);
  EXPECT_REFUSED(verifier.of(usage("serverAuth")), kNone);
  verifier.expected.of_server = false;
  EXPECT_REFUSED(verifier.of(usage("serverAuth")), kCertificateUsage);
  EXPECT_REFUSED(verifier.of(usage("clientAuth")), kNone);
  const Holder mute = make_leaf({"a.example"}, ca, kThisDay, KeyKind::kEcdsaP256, [](X509* x) {
    test::set_extension(x, NID_key_usage, "critical,keyAgreement");
  });
  EXPECT_REFUSED(verifier.of(mute), kCertificateUsage);
}

TEST(Certificate, garbage) {
  const Holder ca = make_ca("ca");
  const auto good = make_leaf({"a.example"}, ca).der();
  const Verifier verifier(ca);
  EXPECT_REFUSED(verifier.of(Ders{{}}), kCertificateGarbage);
  EXPECT_REFUSED(verifier.of(Ders{{1, 2, 3}}), kCertificateGarbage);
  EXPECT_REFUSED(verifier.of(Ders{good, {0x30}}), kCertificateGarbage);
  auto longer = good;
  longer.push_back(0);
  EXPECT_REFUSED(verifier.of(Ders{longer}), kCertificateGarbage);
  const Holder strange = make_leaf({"a.example"}, ca, kThisDay, KeyKind::kEcdsaP256, [](X509* x) {
    test::set_extension(x, NID_netscape_comment, "critical,what only others know");
  });
  EXPECT_REFUSED(verifier.of(strange), kCertificateGarbage);
}

// Whatever a stranger changes in a certificate, it proves nothing any more.
TEST(Certificate, each_changed_byte_breaks_it) {
  const Holder ca = make_ca("ca");
  const auto good = make_leaf({"a.example"}, ca).der();
  const Verifier verifier(ca);
  ASSERT_EQ(verifier.of(Ders{good}).reason, RefuseReason::kNone);
  for (size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = static_cast<uint8_t>(bad[i] ^ 1);
    EXPECT_NE(verifier.of(Ders{bad}).reason, RefuseReason::kNone) << i;
    bad.resize(i);
    EXPECT_REFUSED(verifier.of(Ders{bad}), kCertificateGarbage);
  }
}

}  // namespace
}  // namespace sluice::crypto
