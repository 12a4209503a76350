// SPDX-License-Identifier: Apache-2.0
#include "crypto/boringssl/x509_support.h"

#include <gtest/gtest.h>

#include "certificates.h"

namespace sluice::crypto {
namespace {

using test::Holder;
using test::kThisDay;
using test::kToday;
using test::make_ca;
using test::make_leaf;
using test::pem_of;
using test::view_of;

TEST(X509Support, a_certificate_is_read_as_it_was_written) {
  const Holder ca = make_ca("the ca");
  const auto der = make_leaf({"a.example", "b.example"}, ca).der();
  const auto read = parse_certificate({der.data(), der.size()});
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(certificate_der(read.get()), der);
  EXPECT_EQ(read_names(read.get()).raw, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_FALSE(read_names(read.get()).other_types);
  EXPECT_EQ(common_name(read.get()), "leaf");
  EXPECT_EQ(issuer_common_name(read.get()), "the ca");
  EXPECT_TRUE(signature_allowed(read.get()));
  EXPECT_EQ(parse_certificate({der.data(), der.size() - 1}), nullptr);
  EXPECT_EQ(parse_certificate({der.data(), 0}), nullptr);
}

TEST(X509Support, validity_is_read_to_the_nanosecond) {
  const Holder ca = make_ca("ca");
  Validity read;
  ASSERT_TRUE(read_validity(ca.certificate.get(), &read));
  EXPECT_EQ(read.not_before_ns, kThisDay.not_before_ns);
  EXPECT_EQ(read.not_after_ns, kThisDay.not_after_ns);
  const Holder leaf = make_leaf({"a.example"}, ca, {kToday + 1, kToday + 500'000'001});
  ASSERT_TRUE(read_validity(leaf.certificate.get(), &read));
  EXPECT_EQ(read.not_before_ns, kToday + 1);
  EXPECT_EQ(read.not_after_ns, kToday + 500'000'001);
}

// The extension cannot make a certificate live longer than X.509 says.
TEST(X509Support, precise_validity_only_narrows) {
  const Holder ca = make_ca("ca");
  const Holder leaf =
      make_leaf({"a.example"}, ca, {kToday + 1, kToday + 500'000'001}, KeyKind::kEcdsaP256,
                [](X509* x) { ASN1_TIME_set(X509_getm_notAfter(x), kToday / kNanosPerSecond); });
  Validity read;
  ASSERT_TRUE(read_validity(leaf.certificate.get(), &read));
  EXPECT_EQ(read.not_after_ns, kToday);
  const Holder broken =
      make_leaf({"a.example"}, ca, {kToday + 1, kToday + 2}, KeyKind::kEcdsaP256, [](X509* x) {
        const int last = X509_get_ext_count(x) - 1;
        for (int i = 0; i <= last; ++i) {
          ASN1_OCTET_STRING* content = X509_EXTENSION_get_data(X509_get_ext(x, i));
          const ASN1_OBJECT* oid = X509_EXTENSION_get_object(X509_get_ext(x, i));
          if (OBJ_obj2nid(oid) == NID_undef) ASN1_OCTET_STRING_set(content, kPreciseValidityOid, 4);
        }
      });
  EXPECT_FALSE(read_validity(broken.certificate.get(), &read));
}

TEST(X509Support, keys_are_told_apart) {
  EXPECT_EQ(kind_of(make_key(KeyKind::kEcdsaP256).get()), KeyKind::kEcdsaP256);
  EXPECT_EQ(kind_of(make_key(KeyKind::kEd25519).get()), KeyKind::kEd25519);
  EXPECT_EQ(kind_of(nullptr), KeyKind::kOther);
  EXPECT_FALSE(key_allowed(nullptr));
}

TEST(X509Support, pem_texts_are_read_whole_or_not_at_all) {
  const Holder ca = make_ca("ca");
  const Holder leaf = make_leaf({"a.example"}, ca);
  const std::string both =
      pem_of(leaf.certificate.get()) + "a remark\n" + pem_of(ca.certificate.get());
  EXPECT_EQ(read_pem_certificates(view_of(both)).size(), 2u);
  EXPECT_TRUE(read_pem_certificates(view_of("")).empty());
  EXPECT_TRUE(read_pem_certificates(view_of("no certificate\n")).empty());
  std::string broken = both;
  broken[both.size() - 200] = '!';
  EXPECT_TRUE(read_pem_certificates(view_of(broken)).empty());
  EXPECT_TRUE(read_pem_certificates(view_of(both.substr(0, both.size() - 60))).empty());
}

TEST(X509Support, pem_keys) {
  const auto key = make_key(KeyKind::kEd25519);
  const auto read = read_pem_key(view_of(pem_of(key.get())));
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(EVP_PKEY_cmp(read.get(), key.get()), 1);
  EXPECT_EQ(read_pem_key(view_of("")), nullptr);
  const Holder ca = make_ca("ca");
  EXPECT_EQ(read_pem_key(view_of(pem_of(ca.certificate.get()))), nullptr);
  // Nobody is asked for a pass phrase.
  char phrase[] = "secret";
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), phrase, sizeof(phrase) - 1,
                                nullptr, nullptr);
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  BIO_mem_contents(bio.get(), &bytes, &size);
  EXPECT_EQ(read_pem_key({bytes, size}), nullptr);
}

}  // namespace
}  // namespace sluice::crypto
