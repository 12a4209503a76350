// SPDX-License-Identifier: Apache-2.0
#include "crypto/psk_messages.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/handshake_steps.h"
#include "handshake_support.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::from_hex;
using test::primitives;
using test::to_hex;

const Buffer kClientBlock = {'c', 'l', 'i', 'e', 'n', 't', ' ', 'b', 'l', 'o', 'c', 'k'};
const Buffer kServerBlock = {'s', 'e', 'r', 'v', 'e', 'r', ' ', 'b', 'l', 'o', 'c', 'k', '!'};

PskClientHello sample_hello() {
  PskClientHello hello;
  hello.attempt = 0x0102030405060708;
  hello.random.fill(0x33);
  const Buffer share = from_hex("7b4e909bbe7ffe44c465a220037d608ee35897d31ef972f07f74892cb0f73f13");
  std::copy(share.begin(), share.end(), hello.share.begin());
  hello.key_id = derive_psk_keys(primitives(), test::psk_of(1)).key_id;
  hello.block = kClientBlock;
  return hello;
}

PskServerHello sample_server() {
  PskServerHello hello;
  hello.random.fill(0x44);
  const Buffer share = from_hex("0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20");
  std::copy(share.begin(), share.end(), hello.share.begin());
  hello.block = kServerBlock;
  return hello;
}

// Verifies MUST-H5. The expected values were computed by a second implementation of
// psk_handshake.h's key table, in Python over hmac, hashlib and the cryptography package's X25519.
TEST(PskMessages, keys_follow_the_documented_table) {
  const PskKeys keys = derive_psk_keys(primitives(), test::psk_of(1));
  EXPECT_EQ(to_hex(keys.key_id), "2069d9e571accc1549e1ef04ce4f0d98");
  const Buffer core = encode_hello_core(sample_hello());
  const Digest t1 = transcript_hello(primitives(), core);
  EXPECT_EQ(to_hex(t1), "f8ce57db9d8dfad5b29a3f73679201ec0b7614a14560eca42deaf28be98f6e1c");
  const Buffer token = {'t', 'o', 'k', 'e', 'n'};
  const Buffer padding = hello_padding(core.size(), 300);
  EXPECT_EQ(to_hex(hello_binder(primitives(), keys, t1, token, padding)),
            "5950fa2ef4d5a8648b8540e1a22a50b50ae6ed1b80efe990e48c820ba8fb205a");
  const Digest t2 = transcript_server(primitives(), t1, encode_server_core(sample_server()));
  EXPECT_EQ(to_hex(t2), "1a88996f20e2b919a982d322674e203bafa326a5b54d433aca25554a3c00ad95");
  const std::array<uint8_t, kX25519Size> client_key = [] {
    std::array<uint8_t, kX25519Size> out;
    out.fill(0x11);
    return out;
  }();
  const auto secrets =
      derive_psk_secrets(primitives(), keys, client_key, sample_server().share, t2);
  ASSERT_TRUE(secrets);
  EXPECT_EQ(to_hex(secrets->server_mac),
            "7f5375bb9d5ebe4f047e193dce62622c3f37b48adde19dcbbbc8dd3ca20114d3");
  EXPECT_EQ(to_hex(secrets->client_mac),
            "c946b7384924c3b5bf4afed52ec6d2ff9e81295a0ceb3b7013a0c6efc9b993b7");
  EXPECT_EQ(to_hex(secrets->done_mac),
            "dc15209cefb81a7ddf9f4d54d1e5852001cd17f590ed42ff68d15552710b3f65");
  EXPECT_EQ(to_hex(secrets->session.bytes),
            "064b6df0a1f6738afd34c3d7bf491e92266f35f0c1373d885e98a45cd0743341");
  EXPECT_EQ(to_hex(derive_reset_token(primitives(), keys.reset_key, base::SessionId(0x01020304))),
            "6bd65d0b326c464e56638785444e3b1d");
}

// Verifies MUST-H11
TEST(PskMessages, a_public_value_of_small_order_yields_no_secrets) {
  const PskKeys keys = derive_psk_keys(primitives(), test::psk_of(1));
  std::array<uint8_t, kX25519Size> own;
  own.fill(0x11);
  const std::array<uint8_t, kX25519Size> zero{};
  EXPECT_FALSE(derive_psk_secrets(primitives(), keys, own, zero, Digest{}));
}

TEST(PskMessages, a_hello_comes_apart_as_it_was_joined) {
  const Buffer core = encode_hello_core(sample_hello());
  const Buffer padding = hello_padding(core.size(), 500);
  Digest binder;
  binder.fill(0x55);
  const Buffer message = join_hello(core, padding, binder);
  EXPECT_EQ(message.size(), 500u);
  const auto view = decode_hello(message);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->fields.attempt, sample_hello().attempt);
  EXPECT_EQ(view->fields.random, sample_hello().random);
  EXPECT_EQ(view->fields.share, sample_hello().share);
  EXPECT_EQ(view->fields.key_id, sample_hello().key_id);
  EXPECT_EQ(Buffer(view->fields.block.begin(), view->fields.block.end()), kClientBlock);
  EXPECT_EQ(Buffer(view->core.begin(), view->core.end()), core);
  EXPECT_EQ(Buffer(view->padding.begin(), view->padding.end()), padding);
  EXPECT_EQ(Buffer(view->binder.begin(), view->binder.end()), Buffer(binder.begin(), binder.end()));
}

TEST(PskMessages, padding_never_shortens_and_may_be_nothing) {
  EXPECT_TRUE(hello_padding(100, 0).empty());
  EXPECT_TRUE(hello_padding(100, 134).empty());
  EXPECT_EQ(hello_padding(100, 135).size(), 1u);
}

TEST(PskMessages, anything_too_short_or_too_long_is_malformed) {
  const Buffer core = encode_hello_core(sample_hello());
  Buffer hello = join_hello(core, hello_padding(core.size(), 200), Digest{});
  for (size_t size = 0; size < hello.size(); ++size) {
    EXPECT_FALSE(decode_hello(std::span(hello).first(size))) << size;
  }
  hello.push_back(0);
  EXPECT_FALSE(decode_hello(hello));
  Buffer server = encode_server_core(sample_server());
  server.resize(server.size() + kPskMacSize);
  EXPECT_TRUE(decode_server_hello(server));
  for (size_t size = 0; size < server.size(); ++size) {
    EXPECT_FALSE(decode_server_hello(std::span(server).first(size))) << size;
  }
  server.push_back(0);
  EXPECT_FALSE(decode_server_hello(server));
}

TEST(PskMessages, another_mechanism_or_format_is_malformed) {
  const Buffer core = encode_hello_core(sample_hello());
  Buffer hello = join_hello(core, {}, Digest{});
  ASSERT_TRUE(decode_hello(hello));
  hello[0] = 2;
  EXPECT_FALSE(decode_hello(hello));
  hello[0] = 1;
  hello[1] = 2;
  EXPECT_FALSE(decode_hello(hello));
}

}  // namespace
}  // namespace sluice::crypto
