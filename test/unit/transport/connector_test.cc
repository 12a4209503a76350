// SPDX-License-Identifier: Apache-2.0
#include "transport/connector.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "connector_bench.h"

namespace sluice::transport {
namespace {

using base::Code;
using base::millis;
using base::seconds;
using connector_test::Bench;
using connector_test::config_of;
using connector_test::Faults;
using crypto::HandshakeType;

void expect_joined(const Bench& bench) {
  ASSERT_EQ(bench.client.established().size(), 1u);
  ASSERT_EQ(bench.server.established().size(), 1u);
  const ConnectorEvent& client = *bench.client.established()[0];
  const ConnectorEvent& server = *bench.server.established()[0];
  EXPECT_EQ(client.result.secrets.secret.bytes, server.result.secrets.secret.bytes);
  EXPECT_EQ(client.result.agreement, server.result.agreement);
  EXPECT_EQ(client.result.local, server.result.peer);
  EXPECT_EQ(client.result.peer, server.result.local);
  EXPECT_TRUE(client.initiator);
  EXPECT_FALSE(server.initiator);
  EXPECT_EQ(server.connect, ConnectId());
  EXPECT_EQ(client.peer, bench.server.address);
  EXPECT_EQ(server.peer, bench.client.address);
  EXPECT_TRUE(bench.client.failed().empty());
}

TEST(Connector, two_endpoints_establish_one_session) {
  Bench bench;
  const ConnectId id = bench.connect();
  bench.network.run_for(millis(1));
  expect_joined(bench);
  EXPECT_EQ(bench.client.established()[0]->connect, id);
  EXPECT_EQ(bench.client.connector.attempts(), 0u);
  EXPECT_EQ(bench.server.connector.pending(), 0u);
  EXPECT_EQ(bench.client.connector.stats().retransmitted.value(), 0u);
  EXPECT_EQ(bench.client.connector.session_ids().used(), 1u);
  EXPECT_EQ(bench.server.connector.session_ids().used(), 1u);
}

TEST(Connector, many_sessions_between_the_same_two_have_secrets_of_their_own) {
  Bench bench;
  for (int i = 0; i < 50; ++i) ASSERT_NE(bench.connect(), ConnectId());
  bench.network.run_for(seconds(1));
  ASSERT_EQ(bench.client.established().size(), 50u);
  std::set<std::array<uint8_t, crypto::kSecretSize>> secrets;
  std::set<base::SessionId> ids;
  for (const auto* event : bench.client.established()) {
    secrets.insert(event->result.secrets.secret.bytes);
    ids.insert(event->result.local.session_id);
    EXPECT_TRUE(event->replaced.empty());
  }
  EXPECT_EQ(secrets.size(), 50u);
  EXPECT_EQ(ids.size(), 50u);
}

TEST(Connector, loss_duplication_reordering_and_damage_only_delay) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Faults faults;
    faults.loss = 300'000;
    faults.duplicate = 200'000;
    faults.corrupt = 100'000;
    faults.delay_min = base::micros(5);
    faults.delay_max = millis(20);
    Bench bench(seed, faults);
    ASSERT_NE(bench.connect(seconds(20)), ConnectId());
    bench.network.run_for(seconds(30));
    SCOPED_TRACE(seed);
    expect_joined(bench);
    EXPECT_EQ(bench.server.connector.lingering(), 0u);
    EXPECT_EQ(bench.server.connector.session_ids().used(), 1u);
    EXPECT_EQ(bench.client.connector.next_deadline(), base::Nanos::max());
    EXPECT_EQ(bench.server.connector.next_deadline(), base::Nanos::max());
  }
}

TEST(Connector, a_slow_path_is_no_obstacle) {
  Faults faults;
  faults.delay_min = millis(200);
  faults.delay_max = millis(300);
  Bench bench(1, faults);
  bench.connect(seconds(10));
  bench.network.run_for(seconds(20));
  expect_joined(bench);
}

TEST(Connector, every_single_loss_is_healed) {
  for (int lost = 0; lost < 6; ++lost) {
    Bench bench;
    int seen = 0;
    bench.network.tap = [&](const PeerAddress&, HandshakePacket*) { return seen++ != lost; };
    bench.connect();
    bench.network.run_for(millis(100));
    SCOPED_TRACE(lost);
    expect_joined(bench);
    EXPECT_EQ(bench.client.connector.stats().retransmitted.value(), 1u);
  }
}

// Each packet of a handshake, damaged in each byte in turn, goes before the good one.
TEST(Connector, a_damaged_packet_before_the_good_one_changes_nothing) {
  for (int target = 0; target < 6; ++target) {
    for (size_t byte = 0; byte < kHandshakePacketSize; ++byte) {
      Bench bench;
      int seen = 0;
      bool past_the_end = false;
      bench.network.tap = [&](const PeerAddress& from, HandshakePacket* packet) {
        if (seen++ != target) return true;
        if (byte >= packet->bytes.size()) {
          past_the_end = true;
          return true;
        }
        HandshakePacket bad = *packet;
        bad.bytes[byte] = static_cast<uint8_t>(bad.bytes[byte] ^ (1u << (byte % 8)));
        bench.network.inject(from, bad);
        bad.bytes.resize(byte);
        bench.network.inject(from, bad);
        return true;
      };
      bench.connect();
      bench.network.run_for(millis(500));
      SCOPED_TRACE(std::to_string(target) + "/" + std::to_string(byte));
      expect_joined(bench);
      if (past_the_end || testing::Test::HasFailure()) break;
    }
  }
}

TEST(Connector, a_wrong_key_ends_within_a_second_on_both_sides_with_a_reason) {
  Bench bench(1, {}, 1, 2);
  const ConnectId id = bench.connect(seconds(5));
  bench.network.run_for(seconds(1));
  ASSERT_EQ(bench.client.failed().size(), 1u);
  const ConnectorEvent& client = *bench.client.failed()[0];
  EXPECT_EQ(client.connect, id);
  EXPECT_EQ(client.code, Code::kPermissionDenied);
  EXPECT_NE(client.reason.find("pre-shared key"), std::string::npos) << client.reason;
  const auto refused = bench.server.of_kind(ConnectorEventKind::kRefusedPeer);
  ASSERT_FALSE(refused.empty());
  EXPECT_EQ(refused[0]->peer, bench.client.address);
  EXPECT_NE(refused[0]->reason.find("pre-shared key"), std::string::npos);
  EXPECT_GT(bench.server.connector.stats().wrong_key.value(), 1u) << "the client goes on trying";
  EXPECT_EQ(bench.server.connector.pending(), 0u);
  EXPECT_EQ(bench.server.connector.session_ids().used(), 0u);
  EXPECT_EQ(bench.client.connector.session_ids().used(), 0u);
}

TEST(Connector, without_patience_set_a_refusal_is_reported_at_the_deadline) {
  ConnectorConfig config = config_of(false);
  config.refused_patience = base::Nanos::max();
  Bench bench(1, {}, 1, 2, config);
  bench.connect(seconds(3));
  bench.network.run_for(millis(2999));
  EXPECT_TRUE(bench.client.failed().empty());
  bench.network.run_for(millis(1));
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->code, Code::kPermissionDenied);
}

// Verifies MUST-H14
TEST(Connector, a_forged_refuse_does_not_end_a_good_handshake) {
  for (int moment = 0; moment < 6; ++moment) {
    Bench bench;
    int seen = 0;
    bench.network.tap = [&](const PeerAddress&, HandshakePacket* packet) {
      if (seen++ == moment) {
        std::vector<PacketBytes> forged;
        const uint8_t reason = 1;
        split_message(connector_test::attempt_of(*packet), HandshakeType::kRefuse, {}, {&reason, 1},
                      &forged);
        bench.network.inject(bench.server.address, {bench.client.address, forged[0]});
      }
      return true;
    };
    bench.connect();
    bench.network.run_for(seconds(1));
    SCOPED_TRACE(moment);
    expect_joined(bench);
  }
}

TEST(Connector, a_forged_server_without_the_key_does_not_end_a_good_handshake) {
  Bench bench;
  bench.network.tap = [&](const PeerAddress& from, HandshakePacket* packet) {
    if (from == bench.client.address) return true;
    // Ahead of each packet of the server comes one that fits the format and proves nothing.
    std::vector<PacketBytes> forged;
    const std::vector<uint8_t> body(packet->bytes.size() - wire::kHandshakeHeaderSize, 0x5a);
    split_message(connector_test::attempt_of(*packet), connector_test::type_of(*packet), {}, body,
                  &forged);
    bench.network.inject(from, {packet->to, forged[0]});
    return true;
  };
  bench.connect();
  bench.network.run_for(seconds(1));
  expect_joined(bench);
}

// Verifies MUST-H15
TEST(Connector, a_restarted_peer_replaces_its_old_sessions_once_it_has_proved_itself) {
  Bench bench;
  bench.connect();
  bench.network.run_for(millis(10));
  const auto old = bench.server.established().at(0)->result.local.session_id;
  connector_test::Node reborn(bench.client.address, config_of(false), 4711);
  bench.network.attach(&reborn);
  int packets = 0;
  bench.network.tap = [&](const PeerAddress&, HandshakePacket*) {
    ++packets;
    // Up to its last proof the newcomer changes nothing.
    if (packets <= 5) {
      EXPECT_TRUE(bench.server.connector.session_ids().in_use(old));
      EXPECT_EQ(bench.server.established().size(), 1u);
    }
    return true;
  };
  reborn.connector.connect(bench.server.address, base::after(bench.network.now, seconds(1)),
                           bench.network.now);
  bench.network.run_for(millis(10));
  ASSERT_EQ(bench.server.established().size(), 2u);
  EXPECT_EQ(bench.server.established()[1]->replaced, (std::vector<base::SessionId>{old}));
  EXPECT_EQ(bench.server.connector.stats().replaced.value(), 1u);
  EXPECT_TRUE(bench.server.connector.release_session(old));
  EXPECT_FALSE(bench.server.connector.release_session(old));
}

TEST(Connector, a_restarted_server_is_found_again) {
  Bench bench;
  bench.connect();
  bench.network.run_for(millis(10));
  connector_test::Node reborn(bench.server.address, config_of(true), 4711);
  bench.network.attach(&reborn);
  bench.connect();
  bench.network.run_for(millis(10));
  ASSERT_EQ(bench.client.established().size(), 2u);
  EXPECT_EQ(bench.client.established()[1]->replaced.size(), 1u);
}

TEST(Connector, a_server_that_restarts_during_the_handshake_is_asked_anew) {
  for (int moment = 0; moment < 3; ++moment) {
    Bench bench;
    connector_test::Node reborn(bench.server.address, config_of(true), 4711);
    int seen = 0;
    bench.network.tap = [&](const PeerAddress& from, HandshakePacket*) {
      if (from == bench.server.address) return true;
      if (seen++ == moment) bench.network.attach(&reborn);
      return true;
    };
    bench.connect(millis(500));
    bench.network.run_for(seconds(1));
    SCOPED_TRACE(moment);
    // Once the old server has proved itself, only the old one could go on; the caller hears of it.
    EXPECT_EQ(bench.client.established().size(), moment < 2 ? 1u : 0u);
    EXPECT_EQ(bench.client.failed().size(), moment < 2 ? 0u : 1u);
  }
}

TEST(Connector, both_may_connect_to_each_other_at_once) {
  Bench bench(1, {}, 1, 1, config_of(true), config_of(true));
  bench.connect();
  bench.server.connector.connect(bench.client.address, base::after(bench.network.now, seconds(1)),
                                 bench.network.now);
  bench.network.run_for(millis(10));
  EXPECT_EQ(bench.client.established().size(), 2u);
  EXPECT_EQ(bench.server.established().size(), 2u);
}

// Verifies MUST-H13
TEST(Connector, one_endpoint_may_talk_to_itself_only_if_told_so) {
  for (const bool allowed : {false, true}) {
    connector_test::Network network;
    connector_test::Node node(connector_test::address_of(1), config_of(true), 5, 1, allowed);
    network.attach(&node);
    node.connector.connect(node.address, base::after(network.now, seconds(2)), network.now);
    network.run_for(seconds(2));
    EXPECT_EQ(node.established().size(), allowed ? 2u : 0u);
    if (!allowed) {
      ASSERT_EQ(node.failed().size(), 1u);
      EXPECT_NE(node.failed()[0]->reason.find("itself"), std::string::npos);
    }
  }
}

TEST(Connector, agreed_parameters_follow_both_sides) {
  ConnectorConfig client = config_of(false);
  ConnectorConfig server = config_of(true);
  client.parameters.lanes = 1;
  client.parameters.base_port = 5000;
  server.parameters.lanes = 4;
  server.parameters.aeads = {crypto::AeadAlgorithm::kAes256Gcm};
  server.parameters.max_message_bytes = 1000;
  server.parameters.unscheduled_bytes = 500;
  Bench bench(1, {}, 1, 1, client, server);
  bench.connect();
  bench.network.run_for(millis(10));
  expect_joined(bench);
  const auto& result = bench.client.established()[0]->result;
  EXPECT_EQ(result.secrets.algorithm, crypto::AeadAlgorithm::kAes256Gcm);
  EXPECT_EQ(result.peer.lanes, 4);
  EXPECT_EQ(result.peer.max_message_bytes, 1000u);
  EXPECT_EQ(result.peer.unscheduled_bytes, 500u);
  EXPECT_EQ(bench.server.established()[0]->result.peer.base_port, 5000);
}

TEST(Connector, plaintext_and_encrypted_endpoints_do_not_meet) {
  ConnectorConfig plain = config_of(false);
  plain.parameters.aeads = {crypto::AeadAlgorithm::kNone};
  Bench bench(1, {}, 1, 1, plain);
  bench.connect();
  bench.network.run_for(seconds(1));
  EXPECT_TRUE(bench.server.established().empty());
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_NE(bench.client.failed()[0]->reason.find("AEAD"), std::string::npos);
  EXPECT_GT(bench.server.connector.stats().incompatible.value(), 0u);
}

TEST(Connector, packets_of_no_sense_are_counted_by_cause) {
  Bench bench;
  Connector& server = bench.server.connector;
  const PeerAddress from = bench.client.address;
  server.on_packet(from, {}, bench.network.now);
  std::vector<uint8_t> packet(kHandshakePacketSize);
  wire::HandshakeHeader header;
  header.message_type = 0x77;
  header.emit(packet.data());
  server.on_packet(from, packet, bench.network.now);
  EXPECT_EQ(server.stats().drop_type.value(), 1u);
  packet.push_back(0);
  server.on_packet(from, packet, bench.network.now);
  EXPECT_EQ(server.stats().drop_malformed.value(), 2u);
  header.message_type = static_cast<uint8_t>(HandshakeType::kServerHello);
  header.emit(packet.data());
  packet.pop_back();
  server.on_packet(from, packet, bench.network.now);
  EXPECT_EQ(server.stats().drop_unknown.value(), 1u);
  EXPECT_EQ(server.stats().rx_packets.value(), 4u);
  EXPECT_TRUE(bench.server.drain().empty());
}

TEST(Connector, the_same_seed_gives_the_same_packets) {
  const auto trace = [] {
    std::vector<uint8_t> out;
    Faults faults;
    faults.loss = 200'000;
    faults.delay_max = millis(3);
    Bench bench(7, faults);
    bench.network.tap = [&](const PeerAddress&, HandshakePacket* packet) {
      out.insert(out.end(), packet->bytes.begin(), packet->bytes.end());
      return true;
    };
    bench.connect();
    bench.network.run_for(seconds(10));
    return out;
  };
  EXPECT_EQ(trace(), trace());
}

TEST(Connector, unusable_configurations_say_what_to_change) {
  EXPECT_EQ(connector_config_error(config_of(true)), nullptr);
  const auto bad = [](void (*change)(ConnectorConfig*)) {
    ConnectorConfig config = config_of(true);
    change(&config);
    return connector_config_error(config) != nullptr;
  };
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->parameters.aeads.clear(); }));
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->parameters.base_port = 0; }));
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->parameters.lanes = 0; }));
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->max_sessions = 0; }));
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->max_sessions = 65537; }));
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->unproved_rate = 0; }));
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->max_queued_packets = 0; }));
  EXPECT_TRUE(bad([](ConnectorConfig* c) { c->retry_initial = base::Nanos(0); }));
}

TEST(Connector, counter_names_are_distinct) {
  std::set<std::string> names;
  size_t count = 0;
  for_each_counter(ConnectorStats(), [&](const char* name, const char*, uint64_t value) {
    names.insert(name);
    ++count;
    EXPECT_EQ(value, 0u);
  });
  EXPECT_EQ(names.size(), count);
}

}  // namespace
}  // namespace sluice::transport
