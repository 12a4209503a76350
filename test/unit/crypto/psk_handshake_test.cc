// SPDX-License-Identifier: Apache-2.0
#include "crypto/psk_handshake.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "crypto/psk_messages.h"
#include "handshake_scenarios.h"
#include "handshake_support.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::expect_ignored;
using test::kAttempt;
using test::kToken;
using test::psk_of;
using test::sample_parameters;

constexpr size_t kEveryCut = 1;

// A client and a server handshake facing each other, with all that they need.
struct Pair {
  explicit Pair(const std::vector<Psk>& client_keys = {psk_of(1)},
                const std::vector<Psk>& server_keys = {psk_of(1)}, uint64_t seed = 1)
      : random(seed),
        client_side(client_keys, &test::primitives(), random.source(), false),
        server_side(server_keys, &test::primitives(), random.source(), false) {
    restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  }

  void restart(const SessionParameters& client_parameters,
               const SessionParameters& server_parameters) {
    client = client_side.new_client(kAttempt, client_parameters, "");
    server = server_side.new_server(kAttempt, server_parameters);
  }

  std::unique_ptr<ServerHandshake> fresh_server() {
    return server_side.new_server(kAttempt, sample_parameters(0x20002, 2));
  }

  Buffer hello() { return client->begin(kToken, 400).send.at(0).bytes; }
  Buffer server_hello() { return server->on_hello(kToken, hello()).send.at(0).bytes; }
  Buffer finished() {
    return client->on_message(HandshakeType::kServerHello, server_hello()).send.at(0).bytes;
  }
  Buffer done() {
    return server->on_message(HandshakeType::kClientFinished, finished()).send.at(0).bytes;
  }
  bool complete() {
    return client->on_message(HandshakeType::kServerDone, done()).step ==
           HandshakeStep::kEstablished;
  }

  test::SeededRandom random;
  PskMechanism client_side;
  PskMechanism server_side;
  std::unique_ptr<ClientHandshake> client;
  std::unique_ptr<ServerHandshake> server;
};

TEST(PskHandshake, both_sides_end_with_the_same_secret_and_each_others_parameters) {
  Pair pair;
  ASSERT_TRUE(pair.complete());
  const HandshakeResult& client = pair.client->result();
  const HandshakeResult& server = pair.server->result();
  EXPECT_EQ(client.secrets.secret.bytes, server.secrets.secret.bytes);
  EXPECT_NE(client.secrets.secret.bytes, Secret().bytes);
  EXPECT_EQ(client.agreement, server.agreement);
  EXPECT_EQ(client.secrets.algorithm, AeadAlgorithm::kAes128Gcm);
  EXPECT_EQ(client.local, server.peer);
  EXPECT_EQ(client.peer, server.local);
  EXPECT_EQ(client.peer.session_id, base::SessionId(0x20002));
}

// Verifies MUST-H6
TEST(PskHandshake, each_handshake_yields_a_secret_of_its_own) {
  std::set<std::array<uint8_t, kSecretSize>> secrets;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair({psk_of(1)}, {psk_of(1)}, seed);
    ASSERT_TRUE(pair.complete());
    secrets.insert(pair.client->result().secrets.secret.bytes);
  }
  EXPECT_EQ(secrets.size(), 20u);
}

TEST(PskHandshake, the_hello_is_padded_as_asked) {
  Pair pair;
  EXPECT_EQ(pair.client->begin({}, 1167).send.at(0).bytes.size(), 1167u);
  EXPECT_EQ(pair.client->begin(kToken, 1160).send.at(0).bytes.size(), 1160u);
}

TEST(PskHandshake, a_wrong_key_is_refused_by_the_server) {
  Pair pair({psk_of(1)}, {psk_of(2)});
  const HandshakeOutcome outcome = pair.server->on_hello(kToken, pair.hello());
  EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_EQ(outcome.reason, RefuseReason::kKey);
}

TEST(PskHandshake, a_server_with_another_key_proves_nothing) {
  Pair honest;
  Pair liar({psk_of(2)}, {psk_of(2)});
  const Buffer answer = liar.server_hello();
  expect_ignored(honest.client->on_message(HandshakeType::kServerHello, answer), "liar");
  EXPECT_TRUE(honest.complete());
}

TEST(PskHandshake, a_server_takes_any_of_its_keys) {
  for (const uint8_t key : {1, 2, 3}) {
    Pair pair({psk_of(key)}, {psk_of(1), psk_of(2), psk_of(3)});
    EXPECT_TRUE(pair.complete()) << int{key};
  }
}

TEST(PskHandshake, the_token_is_bound_into_the_proof) {
  Pair pair;
  const Buffer other = {1, 2, 3, 5};
  EXPECT_EQ(pair.server->on_hello(other, pair.hello()).reason, RefuseReason::kKey);
}

// Verifies MUST-H9
TEST(PskHandshake, a_hello_replayed_under_another_attempt_is_refused) {
  Pair pair;
  const auto other = pair.server_side.new_server(kAttempt + 1, sample_parameters(0x20002, 2));
  EXPECT_EQ(other->on_hello(kToken, pair.hello()).step, HandshakeStep::kRefused);
}

// Verifies MUST-H9, MUST-H10
TEST(PskHandshake, a_damaged_hello_is_refused_and_creates_nothing) {
  Pair pair;
  test::damaged_hellos_create_nothing(&pair, kEveryCut);
}

// Verifies MUST-H10
TEST(PskHandshake, damaged_later_messages_change_nothing) {
  Pair pair;
  test::damaged_later_messages_change_nothing(&pair, kEveryCut, {}, {});
}

// Verifies MUST-H12
TEST(PskHandshake, repetitions_are_answered_by_the_same_bytes) {
  Pair pair;
  test::repetitions_get_the_same_bytes(&pair);
}

TEST(PskHandshake, messages_out_of_turn_change_nothing) {
  Pair pair;
  const Buffer mac(kPskMacSize);
  expect_ignored(pair.client->on_message(HandshakeType::kServerDone, mac), "early done");
  expect_ignored(pair.server->on_message(HandshakeType::kClientFinished, mac), "early finished");
  for (int value = 0; value < 256; ++value) {
    const auto type = static_cast<HandshakeType>(value);
    if (type == HandshakeType::kServerHello) continue;
    expect_ignored(pair.client->on_message(type, mac), std::to_string(value));
    expect_ignored(pair.server->on_message(type, mac), std::to_string(value));
  }
  EXPECT_TRUE(pair.complete());
}

TEST(PskHandshake, messages_of_one_handshake_mean_nothing_in_another) {
  Pair first({psk_of(1)}, {psk_of(1)}, 1);
  Pair second({psk_of(1)}, {psk_of(1)}, 2);
  const Buffer foreign = second.server_hello();
  expect_ignored(first.client->on_message(HandshakeType::kServerHello, foreign), "foreign hello");
  Pair third({psk_of(1)}, {psk_of(1)}, 3);
  const Buffer finished = third.finished();
  first.server_hello();
  expect_ignored(first.server->on_message(HandshakeType::kClientFinished, finished), "finished");
}

TEST(PskHandshake, a_message_reflected_to_its_sender_proves_nothing) {
  Pair pair;
  const Buffer finished = pair.finished();
  expect_ignored(pair.client->on_message(HandshakeType::kServerDone, finished), "reflected");
}

// Verifies MUST-H13
TEST(PskHandshake, its_own_hello_is_refused_unless_self_is_allowed) {
  for (const bool allowed : {false, true}) {
    test::SeededRandom random(1);
    PskMechanism mechanism({psk_of(1)}, &test::primitives(), random.source(), allowed);
    const auto client = mechanism.new_client(kAttempt, sample_parameters(0x10001, 1), "");
    const auto server = mechanism.new_server(kAttempt, sample_parameters(0x20002, 1));
    const auto outcome = server->on_hello(kToken, client->begin(kToken, 0).send.at(0).bytes);
    if (allowed) {
      EXPECT_EQ(outcome.step, HandshakeStep::kNeedMore);
    } else {
      EXPECT_EQ(outcome.reason, RefuseReason::kSelf);
    }
  }
}

TEST(PskHandshake, parameters_that_do_not_go_together_are_refused_with_the_reason) {
  const auto reason = [](void (*change)(SessionParameters*)) {
    Pair pair;
    SessionParameters client = sample_parameters(0x10001, 1);
    change(&client);
    pair.restart(client, sample_parameters(0x20002, 2));
    return pair.server->on_hello(kToken, pair.hello()).reason;
  };
  EXPECT_EQ(reason([](SessionParameters* p) { p->version_min = p->version_max = 9; }),
            RefuseReason::kVersion);
  EXPECT_EQ(reason([](SessionParameters* p) { p->aeads = {AeadAlgorithm::kNone}; }),
            RefuseReason::kAead);
  EXPECT_EQ(reason([](SessionParameters* p) { p->lanes = 100; }), RefuseReason::kParameters);
}

// Verifies MUST-H3. A server that holds the key but breaks the rules: the client ends, since
// nothing can heal it.
TEST(PskHandshake, a_choice_that_was_not_offered_ends_the_client) {
  Pair pair;
  const Buffer message = pair.hello();
  const auto view = decode_hello(message);
  ASSERT_TRUE(view);
  SessionAgreement forced;
  forced.version = 1;
  forced.aead = AeadAlgorithm::kNone;
  const Buffer block = encode_parameters(sample_parameters(0x20002, 2), &forced);
  std::array<uint8_t, kX25519Size> own;
  own.fill(7);
  PskServerHello reply;
  test::primitives().x25519_public(own.data(), reply.share.data());
  reply.block = block;
  Buffer core = encode_server_core(reply);
  const Digest t2 =
      transcript_server(test::primitives(), transcript_hello(test::primitives(), view->core), core);
  const auto secrets =
      derive_psk_secrets(test::primitives(), derive_psk_keys(test::primitives(), psk_of(1)), own,
                         view->fields.share, t2);
  ASSERT_TRUE(secrets);
  core.insert(core.end(), secrets->server_mac.begin(), secrets->server_mac.end());
  const auto outcome = pair.client->on_message(HandshakeType::kServerHello, core);
  EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_EQ(outcome.reason, RefuseReason::kParameters);
}

TEST(PskHandshake, reset_tokens_agree_across_sides_and_restarts) {
  Pair pair;
  ASSERT_TRUE(pair.complete());
  EXPECT_EQ(pair.client->result().peer_reset_token,
            pair.server_side.reset_token(base::SessionId(0x20002)));
  EXPECT_EQ(pair.server->result().peer_reset_token,
            pair.client_side.reset_token(base::SessionId(0x10001)));
  Pair restarted({psk_of(1)}, {psk_of(1)}, 99);
  EXPECT_EQ(restarted.server_side.reset_token(base::SessionId(0x20002)),
            pair.client->result().peer_reset_token);
  EXPECT_NE(restarted.server_side.reset_token(base::SessionId(0x20003)),
            pair.client->result().peer_reset_token);
}

}  // namespace
}  // namespace sluice::crypto
