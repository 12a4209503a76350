// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_messages.h"

#include <gtest/gtest.h>

#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::from_hex;
using test::to_hex;

const Buffer kTls = {1, 2, 3};
const Buffer kToken = {9, 8};

// Verifies MUST-I7
TEST(TlsMessages, a_hello_has_its_layout) {
  const Buffer core = encode_tls_core(0x1122334455667788, kTls);
  EXPECT_EQ(to_hex(core),
            "0201"
            "1122334455667788"
            "0003"
            "010203");
  const Buffer hello = join_tls_hello(test::primitives(), core, kToken, 64);
  ASSERT_EQ(hello.size(), 64u);
  const auto view = decode_tls_hello(hello);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->attempt, 0x1122334455667788u);
  EXPECT_EQ(Buffer(view->tls.begin(), view->tls.end()), kTls);
  EXPECT_EQ(view->padding.size(), 64 - core.size() - 2 - 2 - kTlsCheckSize);
  EXPECT_TRUE(tls_hello_intact(test::primitives(), *view, kToken));
  EXPECT_FALSE(tls_hello_intact(test::primitives(), *view, kTls));
  EXPECT_EQ(join_tls_hello(test::primitives(), core, kToken, 0).size(),
            core.size() + 2 + 2 + kTlsCheckSize);
  EXPECT_TRUE(view->early.empty());
}

TEST(TlsMessages, a_hello_holds_what_comes_early_and_checks_it) {
  const Buffer core = encode_tls_core(0x1122334455667788, kTls);
  const Buffer early = {7, 8, 9};
  Buffer hello = join_tls_hello(test::primitives(), core, kToken, 64, early);
  ASSERT_EQ(hello.size(), 64u);
  const auto view = decode_tls_hello(hello);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(Buffer(view->early.begin(), view->early.end()), early);
  EXPECT_TRUE(tls_hello_intact(test::primitives(), *view, kToken));
  hello[hello.size() - kTlsCheckSize - 1] ^= 1;
  EXPECT_FALSE(tls_hello_intact(test::primitives(), *decode_tls_hello(hello), kToken));
}

TEST(TlsMessages, early_requests_and_their_limits) {
  const std::vector<EarlyRequest> two = {{1, {5}}, {0x0203, {6, 7}}};
  const Buffer bytes = encode_early(two);
  EXPECT_EQ(to_hex(bytes),
            "02"
            "0001"
            "0001"
            "05"
            "0203"
            "0002"
            "0607");
  const auto back = decode_early(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ((*back)[1].service, 0x0203);
  EXPECT_EQ((*back)[1].bytes, (Buffer{6, 7}));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_early(std::span(bytes).first(size)).has_value()) << size;
  }
  Buffer more = bytes;
  more.push_back(0);
  EXPECT_FALSE(decode_early(more).has_value());
  EXPECT_FALSE(decode_early(encode_early({{{1, {}}}})).has_value());
  EXPECT_FALSE(decode_early(Buffer{0}).has_value());
  using base::limits::kMaxEarlyRequestBytes;
  using base::limits::kMaxEarlyRequests;
  EXPECT_FALSE(decode_early(encode_early({{{1, Buffer(kMaxEarlyRequestBytes + 1)}}})).has_value());
  const std::vector<EarlyRequest> many(kMaxEarlyRequests + 1, EarlyRequest{1, {5}});
  EXPECT_FALSE(decode_early(encode_early(many)).has_value());
  EXPECT_EQ(early_that_fit(many), kMaxEarlyRequests);
  EXPECT_EQ(early_that_fit({{{1, {5}}, {1, Buffer(kMaxEarlyRequestBytes + 1)}, {1, {5}}}}), 1u);
}

TEST(TlsMessages, a_servers_flight_has_its_layout) {
  ResetToken token;
  token.fill(9);
  const Buffer address = {1, 2};
  const Buffer bytes = encode_server_flight(
      {.reset_token = token, .early_taken = 3, .address_token = address, .tls = kTls});
  ASSERT_EQ(bytes.size(), kResetTokenSize + 1 + 1 + 2 + kTls.size());
  const auto back = decode_server_flight(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->reset_token, token);
  EXPECT_EQ(back->early_taken, 3);
  EXPECT_EQ(Buffer(back->address_token.begin(), back->address_token.end()), address);
  EXPECT_EQ(Buffer(back->tls.begin(), back->tls.end()), kTls);
  // Without a byte of TLS it is none.
  for (size_t size = 0; size <= bytes.size() - kTls.size(); ++size) {
    EXPECT_FALSE(decode_server_flight(std::span(bytes).first(size)).has_value()) << size;
  }
  Buffer bad = bytes;
  bad[kResetTokenSize + 1] = 65;
  bad.resize(200);
  EXPECT_FALSE(decode_server_flight(bad).has_value());
}

TEST(TlsMessages, malformed_hellos) {
  const Buffer good = join_tls_hello(test::primitives(), encode_tls_core(1, kTls), kToken, 60);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_tls_hello(std::span(good).first(size)).has_value()) << size;
  }
  Buffer bad = good;
  bad.push_back(0);
  EXPECT_FALSE(decode_tls_hello(bad).has_value());
  for (const size_t at : {0, 1}) {
    bad = good;
    bad[at] = 7;
    EXPECT_FALSE(decode_tls_hello(bad).has_value());
  }
}

// Verifies MUST-I7
TEST(TlsMessages, a_server_hello_has_its_layout) {
  const Buffer core = encode_tls_core(1, kTls);
  const Buffer sealed = {4, 5};
  const Buffer message = join_tls_server_hello(test::primitives(), core, kTls, sealed);
  EXPECT_EQ(to_hex(std::span(message).first(8)),
            "01"
            "0003"
            "010203"
            "0405");
  const auto view = decode_tls_server_hello(message);
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(Buffer(view->tls.begin(), view->tls.end()), kTls);
  EXPECT_EQ(Buffer(view->sealed.begin(), view->sealed.end()), sealed);
  EXPECT_TRUE(tls_server_hello_intact(test::primitives(), core, *view));
  EXPECT_FALSE(tls_server_hello_intact(test::primitives(), encode_tls_core(2, kTls), *view));
  for (size_t size = 0; size < 3 + kTls.size() + kTlsCheckSize; ++size) {
    EXPECT_FALSE(decode_tls_server_hello(std::span(message).first(size)).has_value()) << size;
  }
}

TEST(TlsMessages, what_is_sealed_opens_under_the_same_secret_label_and_attempt_only) {
  const Buffer secret(48, 3);
  const Buffer plain = {1, 2, 3, 4};
  const TlsSeal seal(sluice_boringssl_v1(), secret, "one");
  const Buffer sealed = seal.seal(5, plain);
  EXPECT_EQ(sealed.size(), plain.size() + kTagSize);
  EXPECT_EQ(TlsSeal(sluice_boringssl_v1(), secret, "one").open(5, sealed), plain);
  EXPECT_FALSE(seal.open(6, sealed).has_value());
  EXPECT_FALSE(TlsSeal(sluice_boringssl_v1(), secret, "two").open(5, sealed).has_value());
  EXPECT_FALSE(TlsSeal(sluice_boringssl_v1(), Buffer(48, 4), "one").open(5, sealed).has_value());
  EXPECT_FALSE(seal.open(5, Buffer(kTagSize - 1)).has_value());
  EXPECT_EQ(seal.open(5, seal.seal(5, {})), Buffer());
}

}  // namespace
}  // namespace sluice::crypto
