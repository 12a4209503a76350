// SPDX-License-Identifier: Apache-2.0
//
// Early requests through the connector: how soon there is a session, what a lost or repeated packet
// does to it, and who is left with what when the handshake is not finished.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../crypto/tls_support.h"
#include "connector_bench.h"
#include "crypto/tls_handshake.h"
#include "transport/connector.h"

namespace sluice::transport {
namespace {

using base::micros;
using base::millis;
using base::seconds;
using connector_test::address_of;
using connector_test::config_of;
using connector_test::Faults;
using connector_test::Network;
using connector_test::Node;
using connector_test::type_of;
using crypto::HandshakeType;
using crypto::test::issue_pair;
using crypto::test::PemPair;
using Kind = ConnectorEventKind;

constexpr base::Nanos kWay = micros(10);  // From one side to the other.

std::vector<crypto::EarlyRequest> one_request() { return {{7, {1, 2, 3}}}; }

struct EarlyBench {
  explicit EarlyBench(uint64_t seed = 1, Faults faults = {})
      : ca(issue_pair(nullptr, {})),
        client_side(crypto::test::make_tls(issue_pair(&ca, {"client.example"}),
                                           {{ca.certificate, ""}}, &clock)),
        server_side(new_server_side()),
        network(seed, faults),
        client(address_of(1), config_of(false), 2 * seed + 1000, client_side.get()),
        server(std::make_unique<Node>(address_of(2), config_of(true), 2 * seed + 1001,
                                      server_side.get())) {
    network.attach(&client);
    network.attach(server.get());
    network.tap = [this](const PeerAddress& from, HandshakePacket* packet) {
      seen.push_back({from, *packet});
      return !swallow || !swallow(type_of(*packet));
    };
  }

  std::unique_ptr<crypto::TlsMechanism> new_server_side() {
    return crypto::test::make_tls(issue_pair(&ca, {"server.example"}), {{ca.certificate, ""}},
                                  &clock);
  }
  // A new process with the address and the name of the old one.
  void restart_server() {
    network.detach(address_of(2));
    server.reset();
    server_side = new_server_side();
    server = std::make_unique<Node>(address_of(2), config_of(true), 777, server_side.get());
    network.attach(server.get());
  }

  ConnectId connect(std::vector<crypto::EarlyRequest> early = {}) {
    return client.connector
        .connect(server->address, "server.example", base::after(network.now, seconds(20)),
                 network.now, {.early = std::move(early)})
        .id;
  }
  // A session as any other, which leaves a ticket and a token.
  void prepare() {
    connect();
    network.run_for(seconds(2));
    ASSERT_EQ(client.established().size(), 1u);
    client.events.clear();
    server->events.clear();
    seen.clear();
  }
  size_t sent(HandshakeType type) const {
    return static_cast<size_t>(std::count_if(seen.begin(), seen.end(), [type](const auto& each) {
      return type_of(each.second) == type;
    }));
  }

  PemPair ca;
  crypto::test::SetClock clock;
  std::unique_ptr<crypto::TlsMechanism> client_side;
  std::unique_ptr<crypto::TlsMechanism> server_side;
  Network network;
  Node client;
  std::unique_ptr<Node> server;
  std::vector<std::pair<PeerAddress, HandshakePacket>> seen;
  std::function<bool(HandshakeType)> swallow;
};

// Verifies MUST-E1, MUST-E4, MUST-E6
TEST(ConnectorEarly, a_request_takes_half_a_round_trip_and_a_session_one) {
  EarlyBench bench;
  bench.prepare();
  bench.connect(one_request());
  bench.network.run_for(kWay);
  const auto at_server = bench.server->established();
  ASSERT_EQ(at_server.size(), 1u);
  EXPECT_TRUE(at_server[0]->early);
  ASSERT_EQ(at_server[0]->result.early.size(), 1u);
  EXPECT_EQ(at_server[0]->result.early[0].service, 7);
  EXPECT_EQ(at_server[0]->result.early[0].bytes, (std::vector<uint8_t>{1, 2, 3}));
  EXPECT_TRUE(bench.client.established().empty());
  bench.network.run_for(kWay);
  const auto at_client = bench.client.established();
  ASSERT_EQ(at_client.size(), 1u);
  EXPECT_EQ(at_client[0]->result.early_taken, 1);
  EXPECT_EQ(at_client[0]->result.secrets.secret.bytes, at_server[0]->result.secrets.secret.bytes);
  EXPECT_EQ(bench.sent(HandshakeType::kHelloRetry), 0u);
  EXPECT_EQ(bench.server->connector.stats().tokens_used.value(),
            bench.sent(HandshakeType::kClientHello));
  // What is left of the handshake makes no second session.
  EXPECT_TRUE(bench.server->of_kind(Kind::kConfirmed).empty());
  bench.network.run_for(seconds(1));
  ASSERT_EQ(bench.server->of_kind(Kind::kConfirmed).size(), 1u);
  EXPECT_EQ(bench.server->of_kind(Kind::kConfirmed)[0]->result.peer_reset_token,
            bench.client_side->reset_token(at_client[0]->result.local.session_id));
  EXPECT_EQ(bench.client.events.size(), 1u);
  EXPECT_EQ(bench.server->events.size(), 2u);
  EXPECT_EQ(bench.client.connector.attempts(), 0u);
  EXPECT_EQ(bench.server->connector.pending(), 0u);
}

// Without early requests, the round trip of the cookie is saved all the same.
// Verifies MUST-E6
TEST(ConnectorEarly, a_later_session_needs_no_cookie) {
  EarlyBench bench;
  bench.prepare();
  bench.connect();
  bench.network.run_for(kWay * 4);
  EXPECT_EQ(bench.client.established().size(), 1u);
  EXPECT_EQ(bench.sent(HandshakeType::kHelloRetry), 0u);
}

// Verifies MUST-E2, MUST-E5
TEST(ConnectorEarly, a_recorded_first_flight_brings_nothing_again) {
  EarlyBench bench;
  bench.prepare();
  bench.connect(one_request());
  bench.network.run_for(seconds(20));  // The server has forgotten the handshake.
  ASSERT_EQ(bench.server->established().size(), 1u);
  bench.server->events.clear();
  std::vector<HandshakePacket> flight;
  for (const auto& [from, packet] : bench.seen) {
    if (type_of(packet) == HandshakeType::kClientHello) flight.push_back(packet);
  }
  for (const HandshakePacket& packet : flight) bench.network.inject(bench.client.address, packet);
  bench.network.run_for(seconds(20));
  EXPECT_TRUE(bench.server->events.empty());
  EXPECT_EQ(bench.server->connector.stats().early_replayed.value(), 1u);
  EXPECT_EQ(bench.server->connector.stats().early_taken.value(), 1u);
  // Nor does a server that has restarted take it: its token is no good there, nor its ticket.
  bench.restart_server();
  for (const HandshakePacket& packet : flight) bench.network.inject(bench.client.address, packet);
  bench.network.run_for(seconds(20));
  EXPECT_TRUE(bench.server->events.empty());
  EXPECT_GE(bench.server->connector.stats().drop_cookie_forged.value(), 1u);
  EXPECT_EQ(bench.server->connector.stats().early_taken.value(), 0u);
}

// Verifies MUST-E2, MUST-E5
TEST(ConnectorEarly, a_restarted_server_has_a_session_without_them) {
  EarlyBench bench;
  bench.prepare();
  bench.restart_server();
  bench.connect(one_request());
  bench.network.run_for(seconds(2));
  ASSERT_EQ(bench.client.established().size(), 1u);
  EXPECT_EQ(bench.client.established()[0]->result.early_taken, 0);
  EXPECT_FALSE(bench.client.established()[0]->result.resumed);
  ASSERT_EQ(bench.server->established().size(), 1u);
  EXPECT_FALSE(bench.server->established()[0]->early);
  EXPECT_EQ(bench.sent(HandshakeType::kHelloRetry), 1u);
  EXPECT_EQ(bench.client.connector.stats().early_refused.value(), 1u);
}

// Verifies MUST-E1
TEST(ConnectorEarly, a_first_session_sends_nothing_early) {
  EarlyBench bench;
  bench.connect(one_request());
  bench.network.run_for(seconds(2));
  ASSERT_EQ(bench.client.established().size(), 1u);
  EXPECT_EQ(bench.client.established()[0]->result.early_taken, 0);
  EXPECT_EQ(bench.server->connector.stats().early_taken.value(), 0u);
  EXPECT_EQ(bench.server->connector.stats().early_refused.value(), 0u);
}

// Verifies MUST-E4
TEST(ConnectorEarly, a_client_that_does_not_finish_leaves_no_session) {
  EarlyBench bench;
  bench.prepare();
  bench.swallow = [](HandshakeType type) { return type == HandshakeType::kClientFinished; };
  bench.connect(one_request());
  bench.network.run_for(millis(1));
  ASSERT_EQ(bench.server->established().size(), 1u);
  const base::SessionId session = bench.server->established()[0]->result.local.session_id;
  bench.network.run_for(seconds(30));
  ASSERT_EQ(bench.server->of_kind(Kind::kWithdrawn).size(), 1u);
  EXPECT_EQ(bench.server->of_kind(Kind::kWithdrawn)[0]->result.local.session_id, session);
  EXPECT_TRUE(bench.server->of_kind(Kind::kConfirmed).empty());
  // The id is the session's, and given back by who ends it.
  EXPECT_TRUE(bench.server->connector.session_ids().in_use(session));
  ASSERT_EQ(bench.client.of_kind(Kind::kWithdrawn).size(), 1u);
  EXPECT_TRUE(bench.client.failed().empty());
  EXPECT_EQ(bench.client.connector.attempts(), 0u);
  EXPECT_EQ(bench.client.connector.stats().early_withdrawn.value(), 1u);
}

// Verifies MUST-H15
TEST(ConnectorEarly, earlier_sessions_yield_only_when_the_client_has_finished) {
  EarlyBench bench;
  bench.prepare();
  Node reborn(address_of(1), config_of(false), 999, bench.client_side.get());
  bench.network.detach(address_of(1));
  bench.network.attach(&reborn);
  bench.swallow = [](HandshakeType type) { return type == HandshakeType::kClientFinished; };
  reborn.connector.connect(bench.server->address, "server.example",
                           base::after(bench.network.now, seconds(20)), bench.network.now,
                           {.early = one_request()});
  bench.network.run_for(millis(2));
  ASSERT_EQ(bench.server->established().size(), 1u);
  EXPECT_TRUE(bench.server->established()[0]->early);
  EXPECT_TRUE(bench.server->established()[0]->replaced.empty());
  bench.swallow = nullptr;
  bench.network.run_for(seconds(2));
  ASSERT_EQ(bench.server->of_kind(Kind::kConfirmed).size(), 1u);
  EXPECT_EQ(bench.server->of_kind(Kind::kConfirmed)[0]->replaced.size(), 1u);
}

TEST(ConnectorEarly, a_session_that_is_there_cannot_be_cancelled_and_is_awaited_until_its_end) {
  EarlyBench bench;
  bench.prepare();
  bench.swallow = [](HandshakeType type) { return type == HandshakeType::kServerDone; };
  const ConnectId id = bench.connect(one_request());
  bench.network.run_for(kWay * 2);
  ASSERT_EQ(bench.client.established().size(), 1u);
  const base::SessionId session = bench.client.established()[0]->result.local.session_id;
  EXPECT_TRUE(bench.client.connector.expects_early(session));
  EXPECT_EQ(bench.client.connector.cancel(id), base::Code::kNotFound);
  bench.swallow = nullptr;
  bench.network.run_for(seconds(2));
  EXPECT_FALSE(bench.client.connector.expects_early(session));
  EXPECT_TRUE(bench.client.of_kind(Kind::kWithdrawn).empty());
}

// However the network is, both sides end with one session, and the request was brought once or is
// the client's to send.
// Verifies MUST-E2, MUST-E4, MUST-E5
TEST(ConnectorEarly, a_bad_network_changes_nothing_but_the_time) {
  uint64_t taken = 0;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    EarlyBench bench(seed);
    bench.prepare();
    bench.network.faults = {
        .loss = 150'000, .duplicate = 200'000, .corrupt = 50'000, .delay_max = millis(8)};
    bench.connect(one_request());
    bench.network.run_for(seconds(20));
    ASSERT_EQ(bench.client.established().size(), 1u) << seed;
    EXPECT_TRUE(bench.client.of_kind(Kind::kWithdrawn).empty()) << seed;
    size_t brought = 0;
    for (const ConnectorEvent* event : bench.server->established()) {
      brought += event->result.early.size();
      taken += event->result.early.size();
    }
    EXPECT_LE(brought, 1u) << seed;
    EXPECT_EQ(brought, bench.client.established()[0]->result.early_taken) << seed;
    EXPECT_EQ(bench.server->connector.pending(), 0u) << seed;
  }
  EXPECT_GT(taken, 20u);
}

}  // namespace
}  // namespace sluice::transport
