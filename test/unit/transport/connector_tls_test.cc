// SPDX-License-Identifier: Apache-2.0
//
// The connector with TLS and certificates: over a bad network, and with each side refusing.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "../crypto/tls_support.h"
#include "connector_bench.h"
#include "crypto/tls_handshake.h"
#include "transport/connector.h"

namespace sluice::transport {
namespace {

using base::millis;
using base::seconds;
using connector_test::address_of;
using connector_test::config_of;
using connector_test::Faults;
using connector_test::Network;
using connector_test::Node;
using crypto::RefuseReason;
using crypto::test::issue_pair;
using crypto::test::kTlsSecond;
using crypto::test::kTlsToday;
using crypto::test::PemPair;

// What the two sides show, trust and allow; good ones unless a test says otherwise.
struct Setting {
  Setting() : ca(issue_pair(nullptr, {})), client_trust(ca), server_trust(ca) {
    client = issue_pair(&ca, {"client.example"});
    server = issue_pair(&ca, {"server.example"});
  }
  PemPair ca;
  PemPair client_trust;
  PemPair server_trust;
  PemPair client;
  PemPair server;
  std::string expected = "server.example";
};

struct TlsBench {
  explicit TlsBench(const Setting& setting, uint64_t seed = 1, Faults faults = {})
      : client_side(crypto::test::make_tls(setting.client, {{setting.client_trust.certificate, ""}},
                                           &clock)),
        server_side(crypto::test::make_tls(setting.server, {{setting.server_trust.certificate, ""}},
                                           &clock)),
        network(seed, faults),
        client(address_of(1), config_of(false), 2 * seed + 1000, client_side.get()),
        server(address_of(2), config_of(true), 2 * seed + 1001, server_side.get()) {
    network.attach(&client);
    network.attach(&server);
    client.connector.connect(server.address, setting.expected,
                             base::after(network.now, seconds(20)), network.now);
  }

  const ConnectorEvent& failure() {
    EXPECT_EQ(client.failed().size(), 1u);
    return *client.failed().at(0);
  }
  const ConnectorEvent& refusal() {
    const auto seen = server.of_kind(ConnectorEventKind::kRefusedPeer);
    EXPECT_EQ(seen.size(), 1u);
    return *seen.at(0);
  }

  crypto::test::SetClock clock;
  std::unique_ptr<crypto::TlsMechanism> client_side;
  std::unique_ptr<crypto::TlsMechanism> server_side;
  Network network;
  Node client;
  Node server;
};

std::string said(RefuseReason reason) { return crypto::refuse_reason_text(reason); }

TEST(ConnectorTls, two_certificates_make_a_session) {
  TlsBench bench{Setting()};
  bench.network.run_for(millis(100));
  ASSERT_EQ(bench.client.established().size(), 1u);
  ASSERT_EQ(bench.server.established().size(), 1u);
  EXPECT_EQ(bench.client.established()[0]->result.peer_name, "server.example");
  EXPECT_EQ(bench.server.established()[0]->result.peer_name, "client.example");
  EXPECT_EQ(bench.client.established()[0]->result.secrets.secret.bytes,
            bench.server.established()[0]->result.secrets.secret.bytes);
}

TEST(ConnectorTls, sessions_are_made_over_a_bad_network) {
  const Setting setting;
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    TlsBench bench(
        setting, seed,
        {.loss = 200'000, .duplicate = 200'000, .corrupt = 50'000, .delay_max = millis(8)});
    bench.network.run_for(seconds(20));
    ASSERT_EQ(bench.client.established().size(), 1u) << seed;
    ASSERT_EQ(bench.server.established().size(), 1u) << seed;
    EXPECT_EQ(bench.server.connector.pending(), 0u);
  }
}

// A ticket makes the hello longer than a packet.
TEST(ConnectorTls, a_later_session_is_resumed) {
  TlsBench bench{Setting()};
  bench.network.run_for(millis(100));
  for (uint64_t more = 1; more <= 2; ++more) {
    bench.client.connector.connect(bench.server.address, "server.example",
                                   base::after(bench.network.now, seconds(20)), bench.network.now);
    bench.network.run_for(millis(100));
    EXPECT_EQ(bench.client.established().size(), 1 + more);
    EXPECT_EQ(bench.client.connector.stats().resumed.value(), more);
    EXPECT_EQ(bench.server.connector.stats().resumed.value(), more);
  }
}

// Verifies MUST-I5
TEST(ConnectorTls, a_clients_refusal_is_said_again_in_case_it_is_lost) {
  Setting setting;
  setting.expected = "other.example";
  TlsBench bench(setting);
  size_t said_times = 0;
  bench.network.tap = [&](const PeerAddress&, HandshakePacket* packet) {
    if (connector_test::type_of(*packet) != crypto::HandshakeType::kTlsClientRefuse) return true;
    return ++said_times == 1 + Connector::kRefusalRepeats;
  };
  bench.network.run_for(seconds(2));
  EXPECT_EQ(said_times, 1u + Connector::kRefusalRepeats);
  EXPECT_EQ(bench.client.connector.stats().refusals_repeated.value(), Connector::kRefusalRepeats);
  EXPECT_EQ(bench.failure().refuse, RefuseReason::kCertificateName);
  EXPECT_EQ(bench.refusal().refuse, RefuseReason::kCertificateName);
  EXPECT_EQ(bench.server.connector.pending(), 0u);
  EXPECT_EQ(bench.client.connector.next_deadline(), base::Nanos::max());
}

// Verifies MUST-I5
TEST(ConnectorTls, a_client_says_at_once_why_it_refuses_and_the_server_learns_it) {
  Setting setting;
  setting.expected = "other.example";
  TlsBench bench(setting);
  bench.network.run_for(millis(100));
  EXPECT_EQ(bench.failure().code, base::Code::kPermissionDenied);
  EXPECT_EQ(bench.failure().refuse, RefuseReason::kCertificateName);
  EXPECT_TRUE(bench.failure().refused_here);
  EXPECT_EQ(bench.failure().reason,
            "the handshake was refused here: " + said(RefuseReason::kCertificateName) +
                " (server.example, not other.example)");
  EXPECT_EQ(bench.refusal().refuse, RefuseReason::kCertificateName);
  EXPECT_FALSE(bench.refusal().refused_here);
  EXPECT_EQ(bench.refusal().reason,
            "the peer refused the handshake: " + said(RefuseReason::kCertificateName));
  EXPECT_EQ(bench.server.connector.session_ids().used(), 0u);
  EXPECT_EQ(bench.client.connector.session_ids().used(), 0u);
  EXPECT_EQ(bench.server.connector.stats().unauthorized.value(), 1u);
}

// Verifies MUST-I5
TEST(ConnectorTls, a_server_says_why_it_refuses_also_when_its_word_is_lost) {
  Setting setting;
  setting.client = issue_pair(&setting.ca, {"client.example"}, kTlsToday - kTlsSecond);
  for (const int lost : {0, 3}) {
    TlsBench bench(setting);
    int left = lost;
    bench.network.tap = [&](const PeerAddress&, HandshakePacket* packet) {
      const bool refusal =
          connector_test::type_of(*packet) == crypto::HandshakeType::kTlsServerRefuse;
      return !refusal || left-- <= 0;
    };
    bench.network.run_for(seconds(1));
    EXPECT_EQ(bench.failure().refuse, RefuseReason::kCertificateExpired);
    EXPECT_FALSE(bench.failure().refused_here);
    EXPECT_EQ(bench.failure().reason,
              "the peer refused the handshake: " + said(RefuseReason::kCertificateExpired));
    EXPECT_EQ(bench.refusal().refuse, RefuseReason::kCertificateExpired);
    EXPECT_TRUE(bench.refusal().refused_here);
    EXPECT_EQ(bench.refusal().reason,
              "the handshake was refused here: " + said(RefuseReason::kCertificateExpired));
    EXPECT_EQ(bench.server.connector.session_ids().used(), 0u);
    EXPECT_EQ(bench.server.connector.pending(), 0u);
    EXPECT_EQ(bench.server.connector.lingering(), 1u);
    bench.network.run_for(seconds(30));
    EXPECT_EQ(bench.server.connector.lingering(), 0u);
  }
}

TEST(ConnectorTls, anchors_of_others_are_refused_on_either_side) {
  const PemPair other = issue_pair(nullptr, {});
  Setting setting;
  setting.client_trust = other;
  TlsBench of_client(setting);
  of_client.network.run_for(millis(100));
  EXPECT_EQ(of_client.failure().refuse, RefuseReason::kCertificateAnchor);
  EXPECT_EQ(of_client.refusal().refuse, RefuseReason::kCertificateAnchor);
  setting = Setting();
  setting.server_trust = other;
  TlsBench of_server(setting);
  of_server.network.run_for(millis(100));
  EXPECT_EQ(of_server.failure().refuse, RefuseReason::kCertificateAnchor);
  EXPECT_EQ(of_server.refusal().refuse, RefuseReason::kCertificateAnchor);
}

// The first packet of a long hello is all that a server sees before the cookie came back.
TEST(ConnectorTls, nothing_is_held_before_the_cookie) {
  TlsBench bench{Setting()};
  bench.network.tap = [&](const PeerAddress& from, HandshakePacket* packet) {
    EXPECT_NE(connector_test::type_of(*packet), crypto::HandshakeType::kServerHello);
    return from == bench.client.address;  // The cookie never arrives.
  };
  bench.network.run_for(seconds(1));
  EXPECT_EQ(bench.server.connector.pending(), 0u);
  EXPECT_EQ(bench.server.connector.session_ids().used(), 0u);
}

TEST(ConnectorTls, a_key_and_a_certificate_do_not_go_together) {
  const Setting setting;
  TlsBench bench(setting);
  Node keyed(address_of(3), config_of(false), 77);
  bench.network.attach(&keyed);
  keyed.connector.connect(bench.server.address, base::after(bench.network.now, seconds(2)),
                          bench.network.now);
  bench.network.run_for(seconds(2));
  ASSERT_EQ(keyed.failed().size(), 1u);
  EXPECT_EQ(keyed.failed()[0]->refuse, RefuseReason::kMechanism);
}

}  // namespace
}  // namespace sluice::transport
