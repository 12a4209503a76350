// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_handshake.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "crypto/tls_messages.h"
#include "handshake_scenarios.h"
#include "handshake_support.h"
#include "support.h"
#include "tls_support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;
using test::expect_ignored;
using test::issue_pair;
using test::kAttempt;
using test::kTlsSecond;
using test::kTlsToday;
using test::kToken;
using test::make_tls;
using test::PemPair;
using test::sample_parameters;

// All cuts of messages of kilobytes would take long and show no more.
constexpr size_t kSomeCuts = 16;

std::string said(RefuseReason reason) { return refuse_reason_text(reason); }

// A client and a server of one CA facing each other; what differs is said by the test.
struct Pair {
  explicit Pair(const std::string& expected = "server.example")
      : ca(issue_pair(nullptr, {})), expected_name(expected) {
    client_pem = issue_pair(&ca, {"client.example"});
    server_pem = issue_pair(&ca, {"server.example"});
    rebuild();
  }

  void rebuild() {
    client.reset();
    server.reset();
    client_side = make_tls(client_pem, {{client_trust.empty() ? ca.certificate : client_trust, ""}},
                           &client_clock);
    server_side = make_tls(server_pem, {{server_trust.empty() ? ca.certificate : server_trust, ""}},
                           &server_clock, allowed);
    restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  }
  void restart(const SessionParameters& client_parameters,
               const SessionParameters& server_parameters) {
    client = client_side->new_client(kAttempt, client_parameters, expected_name);
    server = server_side->new_server(kAttempt, server_parameters);
  }

  std::unique_ptr<ServerHandshake> fresh_server() {
    return server_side->new_server(kAttempt, sample_parameters(0x20002, 2));
  }

  Buffer hello() { return client->begin(kToken, 1100).send.at(0).bytes; }
  Buffer server_hello() { return server->on_hello(kToken, hello()).send.at(0).bytes; }
  HandshakeOutcome at_client() {
    return client->on_message(HandshakeType::kServerHello, server_hello());
  }
  HandshakeOutcome at_server() {
    return server->on_message(HandshakeType::kClientFinished, at_client().send.at(0).bytes);
  }
  bool complete() {
    const HandshakeOutcome last = at_server();
    if (last.step != HandshakeStep::kEstablished) return false;
    return client->on_message(HandshakeType::kServerDone, last.send.at(0).bytes).step ==
           HandshakeStep::kEstablished;
  }

  PemPair ca;
  std::string expected_name;
  PemPair client_pem;
  PemPair server_pem;
  std::string client_trust;
  std::string server_trust;
  std::vector<std::string> allowed;
  test::SetClock client_clock;
  test::SetClock server_clock;
  std::unique_ptr<TlsMechanism> client_side;
  std::unique_ptr<TlsMechanism> server_side;
  std::unique_ptr<ClientHandshake> client;
  std::unique_ptr<ServerHandshake> server;
};

// Verifies MUST-I1, MUST-I6
TEST(TlsHandshake, both_sides_end_with_the_same_secret_and_each_others_names) {
  Pair pair;
  ASSERT_TRUE(pair.complete());
  const HandshakeResult client = pair.client->result();
  const HandshakeResult server = pair.server->result();
  EXPECT_EQ(client.secrets.secret.bytes, server.secrets.secret.bytes);
  EXPECT_NE(client.secrets.secret.bytes, Secret().bytes);
  EXPECT_EQ(client.agreement, server.agreement);
  EXPECT_EQ(client.secrets.algorithm, AeadAlgorithm::kAes128Gcm);
  EXPECT_EQ(client.local, server.peer);
  EXPECT_EQ(client.peer, server.local);
  EXPECT_EQ(client.peer_name, "server.example");
  EXPECT_EQ(server.peer_name, "client.example");
  // What a RESET has to carry is the sender's own, also after a restart of its process.
  pair.rebuild();
  EXPECT_EQ(client.peer_reset_token, pair.server_side->reset_token(base::SessionId(0x20002)));
  EXPECT_EQ(server.peer_reset_token, pair.client_side->reset_token(base::SessionId(0x10001)));
  EXPECT_NE(client.peer_reset_token, pair.server_side->reset_token(base::SessionId(0x20003)));
  EXPECT_NE(client.peer_reset_token, pair.client_side->reset_token(base::SessionId(0x20002)));
}

TEST(TlsHandshake, each_handshake_yields_a_secret_of_its_own) {
  Pair pair;
  std::set<std::array<uint8_t, kSecretSize>> secrets;
  for (int i = 0; i < 5; ++i) {
    pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
    ASSERT_TRUE(pair.complete());
    secrets.insert(pair.client->result().secrets.secret.bytes);
  }
  EXPECT_EQ(secrets.size(), 5u);
}

TEST(TlsHandshake, ed25519_identities_work_as_well) {
  Pair pair;
  pair.client_pem = issue_pair(&pair.ca, {"client.example"}, kTlsToday + kTlsSecond,
                               kTlsToday - kTlsSecond, KeyKind::kEd25519);
  pair.rebuild();
  EXPECT_TRUE(pair.complete());
}

TEST(TlsHandshake, the_session_ends_with_the_first_certificate) {
  Pair pair;
  pair.client_pem = issue_pair(&pair.ca, {"client.example"}, kTlsToday + 5 * kTlsSecond / 2);
  pair.rebuild();
  ASSERT_TRUE(pair.complete());
  EXPECT_EQ(pair.client->result().expires_ns, kTlsToday + 5 * kTlsSecond / 2);
  EXPECT_EQ(pair.server->result().expires_ns, kTlsToday + 5 * kTlsSecond / 2);
}

TEST(TlsHandshake, nothing_of_the_identities_is_in_clear) {
  Pair pair;
  const Buffer hello = pair.server_hello();
  const std::string name = "server.example";
  EXPECT_EQ(std::search(hello.begin(), hello.end(), name.begin(), name.end()), hello.end());
}

// Verifies MUST-I2
// What a client does not accept it says at once, with its reason, and the server learns it.
void expect_client_refuses(Pair* pair, RefuseReason reason) {
  const HandshakeOutcome outcome = pair->at_client();
  ASSERT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_EQ(said(outcome.reason), said(reason));
  EXPECT_FALSE(outcome.by_peer);
  ASSERT_EQ(outcome.send.size(), 1u);
  EXPECT_EQ(outcome.send[0].type, HandshakeType::kTlsClientRefuse);
  const HandshakeOutcome told =
      pair->server->on_message(HandshakeType::kTlsClientRefuse, outcome.send[0].bytes);
  EXPECT_EQ(told.step, HandshakeStep::kRefused);
  EXPECT_EQ(said(told.reason), said(reason));
  EXPECT_TRUE(told.by_peer);
}

TEST(TlsHandshake, who_answers_for_the_peer_is_known) {
  Pair pair;
  ASSERT_TRUE(pair.complete());
  EXPECT_EQ(pair.client->result().peer_chain,
            (std::vector<std::string>{"test CA", "server.example"}));
  const HandshakeResult server = pair.server->result();
  EXPECT_EQ(server.peer_chain, (std::vector<std::string>{"test CA", "client.example"}));
  EXPECT_NE(server.peer_key_id, pair.client->result().peer_key_id);
  // The key's, so a renewed certificate keeps it; also where nothing but a ticket is shown.
  pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  ASSERT_TRUE(pair.complete());
  EXPECT_TRUE(pair.server->result().resumed);
  EXPECT_EQ(pair.server->result().peer_key_id, server.peer_key_id);
  EXPECT_EQ(pair.server->result().peer_chain, server.peer_chain);
}

// Refuses one name; remembers what it was asked.
struct Judge {
  PeerJudge hook() {
    return {[](void* context, const HandshakeResult& peer, bool initiator, std::string* detail) {
              auto* self = static_cast<Judge*>(context);
              self->asked.push_back((initiator ? "to " : "from ") + peer.peer_name);
              if (peer.peer_name != self->refused) return RefuseReason::kNone;
              *detail = "p:7";
              return RefuseReason::kPolicy;
            },
            this};
  }
  std::string refused;
  std::vector<std::string> asked;
};

// Verifies MUST-P2
TEST(TlsHandshake, each_side_asks_its_judge_last) {
  Pair pair;
  Judge at_client;
  Judge at_server;
  pair.client_side->set_judge(at_client.hook());
  pair.server_side->set_judge(at_server.hook());
  ASSERT_TRUE(pair.complete());
  EXPECT_EQ(at_client.asked, std::vector<std::string>{"to server.example"});
  EXPECT_EQ(at_server.asked, std::vector<std::string>{"from client.example"});
  // Who is refused for another reason is not judged.
  Pair other("other.example");
  other.client_side->set_judge(at_client.hook());
  EXPECT_EQ(other.at_client().reason, RefuseReason::kCertificateName);
  EXPECT_EQ(at_client.asked.size(), 1u);
}

// Verifies MUST-P2
TEST(TlsHandshake, a_servers_judge_refuses_with_its_reason_again_and_again) {
  Pair pair;
  Judge judge{.refused = "client.example", .asked = {}};
  pair.server_side->set_judge(judge.hook());
  const Buffer finished = pair.at_client().send.at(0).bytes;
  for (int i = 0; i < 2; ++i) {
    const HandshakeOutcome out = pair.server->on_message(HandshakeType::kClientFinished, finished);
    ASSERT_EQ(out.send.size(), 1u);
    EXPECT_EQ(out.send[0].type, HandshakeType::kTlsServerRefuse);
    if (i == 0) {
      EXPECT_EQ(out.step, HandshakeStep::kRefused);
      EXPECT_EQ(out.reason, RefuseReason::kPolicy);
      EXPECT_EQ(out.detail, "p:7");
      const HandshakeOutcome told =
          pair.client->on_message(HandshakeType::kTlsServerRefuse, out.send[0].bytes);
      EXPECT_EQ(told.reason, RefuseReason::kPolicy);
      EXPECT_TRUE(told.by_peer);
    }
  }
  EXPECT_EQ(judge.asked.size(), 1u);
}

// Verifies MUST-P2
TEST(TlsHandshake, a_clients_judge_refuses_with_its_reason) {
  Pair pair;
  Judge judge{.refused = "server.example", .asked = {}};
  pair.client_side->set_judge(judge.hook());
  expect_client_refuses(&pair, RefuseReason::kPolicy);
}

TEST(TlsHandshake, a_renewed_identity_is_that_of_new_handshakes) {
  Pair pair;
  ASSERT_TRUE(pair.complete());
  const auto key = pair.client->result().peer_key_id;
  // One under way goes on with the old one, which lives as long as it.
  pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  const Buffer hello = pair.server_hello();
  IdentityError error;
  const uint64_t end = kTlsToday + 1234 * kTlsSecond;
  pair.server_side->renew(TlsIdentityOwner(
      SLUICE_TEST_TLS_MODULE->tls, test::read_pair(issue_pair(&pair.ca, {"server.example"}, end),
                                                   {{pair.ca.certificate, ""}}, {}, &error)));
  const HandshakeOutcome finished = pair.client->on_message(HandshakeType::kServerHello, hello);
  const HandshakeOutcome last =
      pair.server->on_message(HandshakeType::kClientFinished, finished.send.at(0).bytes);
  ASSERT_EQ(last.step, HandshakeStep::kEstablished);
  EXPECT_NE(pair.server->result().expires_ns, end);
  EXPECT_EQ(pair.client->on_message(HandshakeType::kServerDone, last.send.at(0).bytes).step,
            HandshakeStep::kEstablished);
  EXPECT_EQ(pair.client->result().peer_key_id, key);
  // The next one proves the new one, in full: the tickets went with the old.
  pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  ASSERT_TRUE(pair.complete());
  EXPECT_FALSE(pair.client->result().resumed);
  EXPECT_NE(pair.client->result().peer_key_id, key);
  EXPECT_EQ(pair.server->result().expires_ns, end);
  EXPECT_EQ(pair.client->result().peer_reset_token,
            pair.server_side->reset_token(base::SessionId(0x20002)));
}

// Verifies MUST-I5
TEST(TlsHandshake, a_client_refuses_a_wrong_name) {
  Pair pair("other.example");
  expect_client_refuses(&pair, RefuseReason::kCertificateName);
}

TEST(TlsHandshake, a_client_refuses_a_wrong_anchor) {
  Pair pair;
  pair.client_trust = issue_pair(nullptr, {}).certificate;
  pair.rebuild();
  expect_client_refuses(&pair, RefuseReason::kCertificateAnchor);
}

TEST(TlsHandshake, a_client_refuses_an_expired_certificate) {
  Pair pair;
  pair.client_clock.now = kTlsToday + 7200 * kTlsSecond;
  pair.ca = issue_pair(nullptr, {}, kTlsToday + 90000 * kTlsSecond);
  pair.server_pem = issue_pair(&pair.ca, {"server.example"});
  pair.rebuild();
  expect_client_refuses(&pair, RefuseReason::kCertificateExpired);
}

// Verifies MUST-I5
void expect_server_refuses(Pair* pair, RefuseReason reason) {
  const HandshakeOutcome finished = pair->at_client();
  ASSERT_EQ(finished.step, HandshakeStep::kNeedMore);
  const Buffer message = finished.send.at(0).bytes;
  const HandshakeOutcome outcome =
      pair->server->on_message(HandshakeType::kClientFinished, message);
  ASSERT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_EQ(said(outcome.reason), said(reason));
  EXPECT_FALSE(outcome.by_peer);
  ASSERT_EQ(outcome.send.size(), 1u);
  EXPECT_EQ(outcome.send[0].type, HandshakeType::kTlsServerRefuse);
  // A refusal that was lost is said again.
  const HandshakeOutcome again = pair->server->on_message(HandshakeType::kClientFinished, message);
  EXPECT_EQ(again.step, HandshakeStep::kNeedMore);
  EXPECT_EQ(again.send.at(0).bytes, outcome.send[0].bytes);
  for (const Buffer& bad : test::damaged(outcome.send[0].bytes, kSomeCuts)) {
    expect_ignored(pair->client->on_message(HandshakeType::kTlsServerRefuse, bad), "refusal");
  }
  const HandshakeOutcome told =
      pair->client->on_message(HandshakeType::kTlsServerRefuse, outcome.send[0].bytes);
  EXPECT_EQ(told.step, HandshakeStep::kRefused);
  EXPECT_EQ(said(told.reason), said(reason));
  EXPECT_TRUE(told.by_peer);
}

TEST(TlsHandshake, a_server_refuses_a_wrong_anchor) {
  Pair pair;
  pair.server_trust = issue_pair(nullptr, {}).certificate;
  pair.rebuild();
  expect_server_refuses(&pair, RefuseReason::kCertificateAnchor);
}

TEST(TlsHandshake, a_server_refuses_an_expired_certificate) {
  Pair pair;
  pair.client_pem = issue_pair(&pair.ca, {"client.example"}, kTlsToday - kTlsSecond);
  pair.rebuild();
  expect_server_refuses(&pair, RefuseReason::kCertificateExpired);
}

TEST(TlsHandshake, a_server_with_a_list_refuses_other_names) {
  Pair pair;
  pair.allowed = {"friend.example"};
  pair.rebuild();
  expect_server_refuses(&pair, RefuseReason::kCertificateName);
  pair.allowed.emplace_back("Client.Example");
  pair.rebuild();
  EXPECT_TRUE(pair.complete());
}

// Verifies MUST-I10
TEST(TlsHandshake, a_second_handshake_is_resumed_by_a_ticket_and_a_third_by_another) {
  Pair pair;
  std::set<std::array<uint8_t, kSecretSize>> secrets;
  for (int i = 0; i < 3; ++i) {
    pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
    ASSERT_TRUE(pair.complete());
    EXPECT_EQ(pair.client->result().resumed, i > 0);
    EXPECT_EQ(pair.server->result().resumed, i > 0);
    EXPECT_EQ(pair.client->result().peer_name, "server.example");
    EXPECT_EQ(pair.server->result().peer_name, "client.example");
    EXPECT_EQ(pair.server->result().secrets.secret.bytes,
              pair.client->result().secrets.secret.bytes);
    secrets.insert(pair.client->result().secrets.secret.bytes);
  }
  EXPECT_EQ(secrets.size(), 3u);
}

// Verifies MUST-I10
TEST(TlsHandshake, a_ticket_does_not_outlive_a_certificate) {
  for (const bool of_client : {true, false}) {
    Pair pair;
    PemPair& brief = of_client ? pair.client_pem : pair.server_pem;
    brief = issue_pair(&pair.ca, {of_client ? "client.example" : "server.example"},
                       kTlsToday + 10 * kTlsSecond);
    pair.rebuild();
    ASSERT_TRUE(pair.complete());
    pair.client_clock.now = pair.server_clock.now = kTlsToday + 10 * kTlsSecond;
    pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
    if (of_client) {
      expect_server_refuses(&pair, RefuseReason::kCertificateExpired);
    } else {
      expect_client_refuses(&pair, RefuseReason::kCertificateExpired);
    }
  }
}

std::vector<std::string> many_names(const std::string& first, size_t count) {
  std::vector<std::string> out = {first};
  for (size_t i = 0; i < count; ++i) {
    out.push_back("a-name-of-forty-bytes-in-the-zone-" + std::to_string(1000 + i) + ".example");
  }
  return out;
}

// A ticket holds the client's certificates.
TEST(TlsHandshake, a_long_ticket_resumes_and_one_that_fits_no_hello_is_refused_and_told_of) {
  for (const bool fits : {true, false}) {
    Pair pair;
    pair.client_pem = issue_pair(&pair.ca, many_names("client.example", fits ? 35 : 110));
    pair.rebuild();
    const HandshakeOutcome last = pair.at_server();
    ASSERT_EQ(last.step, HandshakeStep::kEstablished);
    const HandshakeOutcome done =
        pair.client->on_message(HandshakeType::kServerDone, last.send.at(0).bytes);
    ASSERT_EQ(done.step, HandshakeStep::kEstablished);
    EXPECT_EQ(done.ticket_refused, !fits);
    pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
    ASSERT_TRUE(pair.complete());
    EXPECT_EQ(pair.client->result().resumed, fits);
    if (fits) {
      EXPECT_GT(pair.client->result().peer_certificates.size(), 0u);
    }
  }
}

// Verifies MUST-P4
TEST(TlsHandshake, a_peer_is_trusted_as_long_as_its_anchor_and_its_name_are) {
  Pair pair;
  ASSERT_TRUE(pair.complete());
  const HandshakeResult client = pair.client->result();
  const HandshakeResult server = pair.server->result();
  EXPECT_TRUE(pair.client_side->still_trusts(client, true));
  EXPECT_TRUE(pair.server_side->still_trusts(server, false));
  const PemPair other_ca = issue_pair(nullptr, {});
  const auto renew = [&](TlsMechanism* side, const PemPair& own,
                         const std::vector<test::TrustText>& trust,
                         const std::vector<std::string>& allowed) {
    IdentityError error;
    side->renew(TlsIdentityOwner(SLUICE_TEST_TLS_MODULE->tls,
                                 test::read_pair(own, trust, allowed, &error)));
  };
  renew(pair.server_side.get(), pair.server_pem, {{pair.ca.certificate, ""}}, {"other.example"});
  EXPECT_FALSE(pair.server_side->still_trusts(server, false));
  renew(pair.server_side.get(), pair.server_pem, {{pair.ca.certificate, ""}}, {"client.example"});
  EXPECT_TRUE(pair.server_side->still_trusts(server, false));
  renew(pair.server_side.get(), pair.server_pem,
        {{other_ca.certificate, ""}, {pair.ca.certificate, "dc.example"}}, {});
  EXPECT_FALSE(pair.server_side->still_trusts(server, false));
  renew(pair.client_side.get(), pair.client_pem, {{other_ca.certificate, ""}}, {});
  EXPECT_FALSE(pair.client_side->still_trusts(client, true));
}

// Verifies MUST-I10
TEST(TlsHandshake, a_ticket_is_for_one_name_one_use_and_one_server) {
  Pair pair;
  ASSERT_TRUE(pair.complete());
  // Under another name there is none.
  pair.expected_name = "other.example";
  pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  expect_client_refuses(&pair, RefuseReason::kCertificateName);
  pair.expected_name = "server.example";
  // Two hellos took those along that there were, so that the next one has none, though nothing came
  // of that.
  for (int i = 0; i < 2; ++i) {
    pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
    pair.hello();
  }
  pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  ASSERT_TRUE(pair.complete());
  EXPECT_FALSE(pair.client->result().resumed);
  // A restarted server does not know it, and the handshake is a full one.
  pair.server_side = make_tls(pair.server_pem, {{pair.ca.certificate, ""}}, &pair.server_clock);
  pair.restart(sample_parameters(0x10001, 1), sample_parameters(0x20002, 2));
  ASSERT_TRUE(pair.complete());
  EXPECT_FALSE(pair.client->result().resumed);
}

TEST(TlsHandshake, the_hello_is_padded_as_asked) {
  Pair pair;
  EXPECT_EQ(pair.client->begin({}, 1167).send.at(0).bytes.size(), 1167u);
  EXPECT_EQ(pair.client->begin(kToken, 1160).send.at(0).bytes.size(), 1160u);
}

// Verifies MUST-I3, MUST-I4
TEST(TlsHandshake, a_hello_for_another_token_or_attempt_is_refused) {
  Pair pair;
  const Buffer hello = pair.hello();
  const Buffer other = {1, 2, 3, 5};
  EXPECT_EQ(pair.server->on_hello(other, hello).reason, RefuseReason::kMalformed);
  const auto elsewhere = pair.server_side->new_server(kAttempt + 1, sample_parameters(0x20002, 2));
  EXPECT_EQ(elsewhere->on_hello(kToken, hello).step, HandshakeStep::kRefused);
  // Nor does it help to write another attempt id around it: the one inside is signed.
  const auto view = decode_tls_hello(hello);
  const Buffer core = encode_tls_core(kAttempt + 1, view->tls);
  const Buffer moved = join_tls_hello(test::primitives(), core, kToken, 1100);
  const auto again = pair.server_side->new_server(kAttempt + 1, sample_parameters(0x20002, 2));
  const HandshakeOutcome outcome = again->on_hello(kToken, moved);
  EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_EQ(outcome.reason, RefuseReason::kMalformed);
}

// Verifies MUST-I3
TEST(TlsHandshake, a_damaged_hello_is_refused_and_creates_nothing) {
  Pair pair;
  test::damaged_hellos_create_nothing(&pair, kSomeCuts);
}

// Verifies MUST-I3
TEST(TlsHandshake, damaged_later_messages_change_nothing) {
  Pair pair;
  test::damaged_later_messages_change_nothing(&pair, kSomeCuts, {{HandshakeType::kTlsClientRefuse}},
                                              {{HandshakeType::kTlsServerRefuse}});
}

TEST(TlsHandshake, repetitions_are_answered_by_the_same_bytes) {
  Pair pair;
  test::repetitions_get_the_same_bytes(&pair);
}

TEST(TlsHandshake, messages_out_of_turn_change_nothing) {
  Pair pair;
  const Buffer bytes(64);
  for (int value = 0; value < 256; ++value) {
    const auto type = static_cast<HandshakeType>(value);
    expect_ignored(pair.client->on_message(type, bytes), std::to_string(value));
    expect_ignored(pair.server->on_message(type, bytes), std::to_string(value));
  }
  EXPECT_TRUE(pair.complete());
}

TEST(TlsHandshake, a_reflected_hello_and_incompatible_parameters_are_refused) {
  Pair pair;
  pair.restart(sample_parameters(0x10001, 7), sample_parameters(0x20002, 7));
  EXPECT_EQ(pair.server->on_hello(kToken, pair.hello()).reason, RefuseReason::kSelf);
  SessionParameters newer = sample_parameters(0x20002, 2);
  newer.version_min = newer.version_max = 9;
  pair.restart(sample_parameters(0x10001, 1), newer);
  EXPECT_EQ(pair.server->on_hello(kToken, pair.hello()).reason, RefuseReason::kVersion);
  SessionParameters other = sample_parameters(0x20002, 2);
  other.aeads = {AeadAlgorithm::kChaCha20Poly1305};
  pair.restart(sample_parameters(0x10001, 1), other);
  EXPECT_EQ(pair.server->on_hello(kToken, pair.hello()).reason, RefuseReason::kAead);
}

TEST(TlsHandshake, a_hello_that_tls_does_not_take_is_refused) {
  Pair pair;
  const Buffer hello = pair.hello();
  const auto view = decode_tls_hello(hello);
  Buffer tls(view->tls.begin(), view->tls.end());
  tls[0] = 2;  // A ServerHello, from a client.
  const Buffer core = encode_tls_core(kAttempt, tls);
  const HandshakeOutcome outcome =
      pair.server->on_hello(kToken, join_tls_hello(test::primitives(), core, kToken, 1100));
  EXPECT_EQ(outcome.step, HandshakeStep::kRefused);
  EXPECT_EQ(outcome.reason, RefuseReason::kTls);
}

}  // namespace
}  // namespace sluice::crypto
