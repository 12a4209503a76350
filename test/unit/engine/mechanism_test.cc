// SPDX-License-Identifier: Apache-2.0
#include "engine/mechanism.h"

#include <gtest/gtest.h>

#include "engine_test_util.h"
#include "engine_tls.h"

namespace sluice::engine {
namespace {

using crypto::test::issue_pair;
using crypto::test::PemPair;

std::string error_of(const NodeConfig& config) {
  const auto made = make_mechanism(config, **load_crypto(""));
  return made.ok() ? "" : std::string(made.status().message());
}

TEST(Mechanism, keys_make_one_and_certificates_another) {
  NodeConfig config = test_node("n", "pair:x", {"10.0.0.1/24"});
  auto made = make_mechanism(config, **load_crypto(""));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->mechanism->id(), crypto::HandshakeMechanismId::kPsk);
  EXPECT_TRUE(made->report.empty());
  config.psks.clear();
  const PemPair ca = issue_now(nullptr, {});
  config.tls = tls_config(issue_now(&ca, {"a.example"}), ca);
  made = make_mechanism(config, **load_crypto(""));
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->mechanism->id(), crypto::HandshakeMechanismId::kTls13);
  ASSERT_EQ(made->report.size(), 2u);
  EXPECT_NE(made->report[0].choice.find("a.example, ECDSA P-256, until 2"), std::string::npos);
  EXPECT_NE(made->report[0].why.find("trusts ca.pem"), std::string::npos);
  EXPECT_NE(made->report[1].choice.find("X25519"), std::string::npos);
}

TEST(Mechanism, exactly_one_of_both_is_wanted) {
  NodeConfig config = test_node("n", "pair:x", {"10.0.0.1/24"});
  const PemPair ca = issue_now(nullptr, {});
  config.tls = tls_config(issue_now(&ca, {"a.example"}), ca);
  EXPECT_NE(error_of(config).find("exclude each other"), std::string::npos);
  config.psks.clear();
  config.tls.reset();
  EXPECT_NE(error_of(config).find("--psk-file"), std::string::npos);
}

TEST(Mechanism, each_bad_file_is_one_sentence_that_names_it) {
  const PemPair ca = issue_now(nullptr, {});
  const PemPair own = issue_now(&ca, {"a.example"});
  const auto with = [&](const std::function<void(TlsConfig*)>& spoil) {
    NodeConfig config = test_node("n", "pair:x", {"10.0.0.1/24"});
    config.psks.clear();
    config.tls = tls_config(own, ca);
    spoil(&*config.tls);
    return error_of(config);
  };
  EXPECT_EQ(with([](TlsConfig*) {}), "");
  EXPECT_NE(
      with([](TlsConfig* t) { t->certificate.bytes = {1}; }).find("own.pem holds no readable"),
      std::string::npos);
  EXPECT_NE(with([](TlsConfig* t) { t->key = {}; }).find("own.key holds no readable private key"),
            std::string::npos);
  EXPECT_NE(with([&](TlsConfig* t) {
              t->key = secret_of(issue_now(&ca, {"b.example"}).key);
            }).find("own.key is not the private key of own.pem"),
            std::string::npos);
  EXPECT_NE(with([](TlsConfig* t) { t->trust[0].text.bytes.clear(); }).find("ca.pem holds no"),
            std::string::npos);
  EXPECT_NE(with([](TlsConfig* t) { t->trust[0].text = t->certificate; }).find("self-signed CA"),
            std::string::npos);
  EXPECT_NE(with([](TlsConfig* t) { t->trust.clear(); }).find("no trust anchor"),
            std::string::npos);
  EXPECT_NE(with([](TlsConfig* t) { t->trust[0].suffix = "*.x"; }).find("'*.x' is no DNS name"),
            std::string::npos);
  EXPECT_NE(with([](TlsConfig* t) { t->allowed = {"*"}; }).find("'*' is no DNS name of a peer"),
            std::string::npos);
  EXPECT_NE(with([&](TlsConfig* t) {
              t->certificate.bytes = bytes_of(issue_now(&ca, {"*.x"}).certificate);
            }).find("is not the private key"),
            std::string::npos);
  const PemPair old = issue_pair(&ca, {"a.example"}, 2'000'000'000, 1'000'000'000);
  EXPECT_NE(with([&](TlsConfig* t) {
              t->certificate.bytes = bytes_of(old.certificate);
              t->key = secret_of(old.key);
            }).find("own.pem has expired (a.example, until 1970-01-01 00:00:02 UTC)"),
            std::string::npos);
}

TEST(Mechanism, the_wall_clock_is_of_this_century) {
  EXPECT_GT(system_wall_clock()(), 1'700'000'000u * uint64_t{1'000'000'000});
}

}  // namespace
}  // namespace sluice::engine
