// SPDX-License-Identifier: Apache-2.0
//
// The server side under attack and at its limits. src/transport/connector_server.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "connector_bench.h"
#include "transport/connector.h"

namespace sluice::transport {
namespace {

using base::millis;
using base::seconds;
using connector_test::address_of;
using connector_test::Bench;
using connector_test::config_of;
using connector_test::kStart;
using crypto::HandshakeType;

// Packets that clients would send, made by real connectors and then used at will.
struct Script {
  HandshakePacket hello;         // Without a token.
  HandshakePacket proved_hello;  // With one.
  HandshakePacket finished;
};

Script record(Bench* bench) {
  Script out;
  bench->network.tap = [&out](const PeerAddress&, HandshakePacket* packet) {
    if (connector_test::type_of(*packet) == HandshakeType::kClientHello) {
      const bool proved = packet->bytes[wire::kHandshakeHeaderSize] != 0;
      (proved ? out.proved_hello : out.hello) = *packet;
    } else if (connector_test::type_of(*packet) == HandshakeType::kClientFinished) {
      out.finished = *packet;
    }
    return true;
  };
  bench->connect();
  bench->network.run_for(millis(10));
  bench->network.tap = nullptr;
  return out;
}

// A packet with another attempt id in its header.
HandshakePacket with_attempt(HandshakePacket packet, uint64_t attempt) {
  base::store_be64(packet.bytes.data() + wire::offsets::kRecordNumber, attempt);
  return packet;
}

// Verifies MUST-H7
TEST(ConnectorServer, a_flood_of_hellos_from_many_addresses_creates_no_state) {
  Bench source(2);
  const Script script = record(&source);
  connector_test::Node server(address_of(2), config_of(true), 77);
  base::Nanos now = kStart;
  for (uint32_t i = 0; i < 100'000; ++i) {
    now = base::after(now, base::micros(2));
    const auto packet = with_attempt(i % 2 == 0 ? script.hello : script.proved_hello, i);
    server.connector.on_packet(address_of(1000 + i), packet.bytes, now);
    if (i % 64 == 0) server.drain();
  }
  EXPECT_EQ(server.connector.pending(), 0u);
  EXPECT_EQ(server.connector.lingering(), 0u);
  EXPECT_EQ(server.connector.session_ids().used(), 0u);
  EXPECT_EQ(server.connector.next_deadline(), base::Nanos::max());
  EXPECT_EQ(server.connector.stats().drop_cookie_forged.value(), 50'000u);
  // 20,000 a second for a fifth of a second, and the burst.
  EXPECT_LE(server.connector.stats().retries_sent.value(), 6'100u);
  EXPECT_GT(server.connector.stats().limit_unproved_rate.value(), 90'000u);
  server.collect();
  EXPECT_TRUE(server.events.empty());
}

// Verifies MUST-H7
TEST(ConnectorServer, an_unproved_address_is_never_sent_three_times_what_came_from_it) {
  Bench source(2);
  const Script script = record(&source);
  connector_test::Node server(address_of(2), config_of(true), 77);
  base::Prng prng(5);
  std::map<PeerAddress, std::pair<uint64_t, uint64_t>> bytes;
  base::Nanos now = kStart;
  for (uint32_t i = 0; i < 20'000; ++i) {
    now = base::after(now, base::micros(60));
    const PeerAddress from = address_of(100 + static_cast<uint32_t>(prng.uniform(50)));
    HandshakePacket packet = prng.chance_ppm(500'000) ? script.hello : script.proved_hello;
    if (prng.chance_ppm(200'000)) packet = script.finished;
    if (prng.chance_ppm(300'000)) packet.bytes.resize(prng.uniform(packet.bytes.size() + 1));
    if (prng.chance_ppm(300'000) && !packet.bytes.empty()) {
      packet.bytes[prng.uniform(packet.bytes.size())] ^= 1;
    }
    bytes[from].first += packet.bytes.size();
    server.connector.on_packet(from, packet.bytes, now);
    for (const auto& out : server.drain()) bytes[out.to].second += out.bytes.size();
    for (const auto& [address, count] : bytes) ASSERT_LE(count.second, 3 * count.first);
  }
  EXPECT_GT(server.connector.stats().retries_sent.value(), 1000u);
}

// Verifies MUST-H7
TEST(ConnectorServer, a_short_hello_without_a_token_gets_no_answer) {
  Bench source(2);
  const Script script = record(&source);
  connector_test::Node server(address_of(2), config_of(true), 77);
  HandshakePacket packet = script.hello;
  packet.bytes.pop_back();
  server.connector.on_packet(address_of(1), packet.bytes, kStart);
  packet = script.proved_hello;
  packet.bytes.pop_back();
  server.connector.on_packet(address_of(1), packet.bytes, kStart);
  EXPECT_TRUE(server.drain().empty());
  EXPECT_EQ(server.connector.stats().drop_short_hello.value(), 2u);
}

// Verifies MUST-H8
TEST(ConnectorServer, a_cookie_from_another_address_or_too_old_only_draws_a_new_one) {
  Bench bench;
  const Script script = record(&bench);
  Connector& server = bench.server.connector;
  const uint64_t retries = server.stats().retries_sent.value();
  server.on_packet(address_of(3), script.proved_hello.bytes, bench.network.now);
  server.on_packet(address_of(1, 4001), script.proved_hello.bytes, bench.network.now);
  EXPECT_EQ(server.stats().drop_cookie_forged.value(), 2u);
  bench.network.run_for(seconds(12));
  server.on_packet(address_of(1), script.proved_hello.bytes, bench.network.now);
  EXPECT_EQ(server.stats().drop_cookie_expired.value(), 1u);
  EXPECT_EQ(server.stats().retries_sent.value(), retries + 3);
  EXPECT_EQ(server.pending(), 0u);
  EXPECT_EQ(bench.server.established().size(), 1u);
  for (const auto& packet : bench.server.drain()) {
    EXPECT_EQ(connector_test::type_of(packet), HandshakeType::kHelloRetry);
  }
}

// Verifies MUST-H9
TEST(ConnectorServer, a_hello_stolen_for_another_address_is_refused_without_state) {
  Bench bench;
  const Script script = record(&bench);
  Connector& server = bench.server.connector;
  // The thief gets a cookie of its own for the same attempt and puts the stolen hello under it.
  const PeerAddress thief = address_of(3);
  server.on_packet(thief, script.hello.bytes, bench.network.now);
  const auto retry = bench.server.drain();
  ASSERT_EQ(retry.size(), 1u);
  HandshakePacket stolen = script.proved_hello;
  const size_t size = retry[0].bytes.size() - wire::kHandshakeHeaderSize;
  ASSERT_EQ(stolen.bytes[wire::kHandshakeHeaderSize], size - 1);
  std::copy_n(retry[0].bytes.begin() + wire::kHandshakeHeaderSize, size,
              stolen.bytes.begin() + wire::kHandshakeHeaderSize);
  server.on_packet(thief, stolen.bytes, bench.network.now);
  EXPECT_EQ(server.stats().wrong_key.value(), 1u);
  EXPECT_EQ(server.pending(), 0u);
}

// Verifies MUST-H12
TEST(ConnectorServer, repetitions_draw_the_same_bytes_and_one_session) {
  // Every packet of the client comes three times.
  Bench bench;
  std::vector<PacketBytes> hellos;
  std::vector<PacketBytes> dones;
  bench.network.tap = [&](const PeerAddress& from, HandshakePacket* packet) {
    if (connector_test::type_of(*packet) == HandshakeType::kServerHello)
      hellos.push_back(packet->bytes);
    if (connector_test::type_of(*packet) == HandshakeType::kServerDone)
      dones.push_back(packet->bytes);
    if (from == bench.client.address) {
      for (int i = 0; i < 2; ++i) bench.network.inject(from, *packet);
    }
    return true;
  };
  bench.connect();
  bench.network.run_for(millis(100));
  EXPECT_EQ(bench.client.established().size(), 1u);
  EXPECT_EQ(bench.server.established().size(), 1u);
  ASSERT_GT(hellos.size(), 1u);
  ASSERT_GT(dones.size(), 1u);
  for (const auto& bytes : hellos) EXPECT_EQ(bytes, hellos[0]);
  for (const auto& bytes : dones) EXPECT_EQ(bytes, dones[0]);
  EXPECT_GT(bench.server.connector.stats().duplicates.value(), 2u);
}

TEST(ConnectorServer, a_lost_last_message_is_repeated_while_lingering_and_no_longer) {
  ConnectorConfig config = config_of(true);
  config.linger = millis(300);
  Bench bench(1, {}, 1, 1, config_of(false), config);
  const Script script = record(&bench);
  Connector& server = bench.server.connector;
  EXPECT_EQ(server.lingering(), 1u);
  server.on_packet(bench.client.address, script.finished.bytes, bench.network.now);
  ASSERT_EQ(bench.server.drain().size(), 1u);
  bench.network.run_for(millis(400));
  EXPECT_EQ(server.lingering(), 0u);
  server.on_packet(bench.client.address, script.finished.bytes, bench.network.now);
  EXPECT_TRUE(bench.server.drain().empty());
  EXPECT_EQ(server.session_ids().used(), 1u);
}

TEST(ConnectorServer, an_unfinished_handshake_is_forgotten) {
  ConnectorConfig config = config_of(true);
  config.pending_timeout = millis(300);
  Bench bench(1, {}, 1, 1, config_of(false), config);
  bench.network.tap = [&](const PeerAddress&, HandshakePacket* packet) {
    return connector_test::type_of(*packet) != HandshakeType::kClientFinished;
  };
  bench.connect(millis(100));
  bench.network.run_for(millis(200));
  EXPECT_EQ(bench.server.connector.pending(), 1u);
  EXPECT_EQ(bench.server.connector.session_ids().used(), 1u);
  bench.network.run_for(millis(200));
  EXPECT_EQ(bench.server.connector.pending(), 0u);
  EXPECT_EQ(bench.server.connector.session_ids().used(), 0u);
  EXPECT_EQ(bench.server.connector.stats().pending_expired.value(), 1u);
}

// Connects from `count` endpoints that never send their last message.
void stall(Bench* bench, std::vector<std::unique_ptr<connector_test::Node>>* nodes, uint32_t count,
           bool same_host) {
  bench->network.tap = [](const PeerAddress&, HandshakePacket* packet) {
    return connector_test::type_of(*packet) != HandshakeType::kClientFinished;
  };
  for (uint32_t i = 0; i < count; ++i) {
    const PeerAddress address =
        same_host ? address_of(9, static_cast<uint16_t>(5000 + i)) : address_of(100 + i);
    nodes->push_back(std::make_unique<connector_test::Node>(address, config_of(false), 9000 + i));
    bench->network.attach(nodes->back().get());
    nodes->back()->connector.connect(
        bench->server.address, base::after(bench->network.now, seconds(1)), bench->network.now);
  }
  bench->network.run_for(millis(100));
}

TEST(ConnectorServer, unfinished_handshakes_are_limited) {
  ConnectorConfig config = config_of(true);
  config.max_pending = 4;
  Bench bench(1, {}, 1, 1, config_of(false), config);
  std::vector<std::unique_ptr<connector_test::Node>> nodes;
  stall(&bench, &nodes, 10, false);
  EXPECT_EQ(bench.server.connector.pending(), 4u);
  EXPECT_GT(bench.server.connector.stats().limit_pending.value(), 0u);
  // Once the stalled ones are forgotten there is room again.
  bench.network.run_for(seconds(6));
  bench.network.tap = nullptr;
  bench.connect();
  bench.network.run_for(millis(100));
  EXPECT_EQ(bench.client.established().size(), 1u);
}

TEST(ConnectorServer, one_address_cannot_take_every_place) {
  ConnectorConfig config = config_of(true);
  config.max_pending_per_address = 4;
  Bench bench(1, {}, 1, 1, config_of(false), config);
  std::vector<std::unique_ptr<connector_test::Node>> nodes;
  stall(&bench, &nodes, 10, true);
  EXPECT_EQ(bench.server.connector.pending(), 4u);
  EXPECT_GT(bench.server.connector.stats().limit_address.value(), 0u);
  bench.network.tap = nullptr;
  bench.connect();
  bench.network.run_for(millis(100));
  EXPECT_EQ(bench.client.established().size(), 1u);
}

TEST(ConnectorServer, sessions_are_limited_and_the_client_hears_why) {
  ConnectorConfig config = config_of(true);
  config.max_sessions = 1;
  Bench bench(1, {}, 1, 1, config_of(false), config);
  bench.connect();
  bench.network.run_for(millis(10));
  bench.connect();
  bench.network.run_for(seconds(1));
  EXPECT_GT(bench.server.connector.stats().limit_sessions.value(), 0u);
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->refuse, crypto::RefuseReason::kBusy);
  const auto id = bench.server.established()[0]->result.local.session_id;
  EXPECT_TRUE(bench.server.connector.release_session(id));
  bench.connect();
  bench.network.run_for(millis(100));
  EXPECT_EQ(bench.client.established().size(), 2u);
}

TEST(ConnectorServer, lingering_ends_early_rather_than_growing) {
  ConnectorConfig config = config_of(true);
  config.max_pending = 4;
  Bench bench(1, {}, 1, 1, config_of(false), config);
  for (int i = 0; i < 10; ++i) {
    bench.connect();
    bench.network.run_for(millis(50));
  }
  EXPECT_EQ(bench.client.established().size(), 10u);
  EXPECT_EQ(bench.server.connector.lingering(), 4u);
  EXPECT_EQ(bench.server.connector.stats().limit_linger.value(), 6u);
  EXPECT_EQ(bench.server.connector.session_ids().used(), 10u);
}

TEST(ConnectorServer, proved_hellos_are_limited_in_rate) {
  ConnectorConfig config = config_of(true);
  config.proved_rate = 10;
  Bench bench(1, {}, 1, 1, config_of(false), config);
  const Script script = record(&bench);
  for (int i = 0; i < 100; ++i) {
    bench.server.connector.on_packet(bench.client.address, script.proved_hello.bytes,
                                     bench.network.now);
  }
  EXPECT_GE(bench.server.connector.stats().limit_proved_rate.value(), 98u);
}

TEST(ConnectorServer, the_queue_is_limited_and_unproved_answers_get_half_of_it) {
  ConnectorConfig config = config_of(true);
  config.max_queued_packets = 32;
  Bench source(2);
  const Script script = record(&source);
  connector_test::Node server(address_of(2), config, 77);
  for (uint32_t i = 0; i < 100; ++i) {
    server.connector.on_packet(address_of(100 + i), script.hello.bytes, kStart);
  }
  EXPECT_EQ(server.connector.stats().limit_queue.value(), 84u);
  EXPECT_EQ(server.drain().size(), 16u);
}

TEST(ConnectorServer, refusal_events_are_limited) {
  ConnectorConfig config = config_of(true);
  config.max_refusal_events = 2;
  Bench bench(1, {}, 1, 2, config_of(false), config);
  const Script script = record(&bench);
  bench.server.events.clear();
  const uint64_t before = bench.server.connector.stats().limit_refusal_events.value();
  for (int i = 0; i < 5; ++i) {
    bench.server.connector.on_packet(bench.client.address, script.proved_hello.bytes,
                                     bench.network.now);
  }
  bench.server.collect();
  EXPECT_EQ(bench.server.events.size(), 2u);
  EXPECT_EQ(bench.server.connector.stats().limit_refusal_events.value(), before + 3);
  bench.server.connector.on_packet(bench.client.address, script.proved_hello.bytes,
                                   bench.network.now);
  bench.server.collect();
  EXPECT_EQ(bench.server.events.size(), 3u);
}

TEST(ConnectorServer, an_endpoint_that_does_not_accept_says_so_without_state) {
  Bench bench(1, {}, 1, 1, config_of(false), config_of(false));
  bench.connect();
  bench.network.run_for(seconds(1));
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->refuse, crypto::RefuseReason::kNotAccepting);
  EXPECT_EQ(bench.server.connector.pending(), 0u);
  EXPECT_EQ(bench.server.connector.stats().retries_sent.value(), 0u);
}

TEST(ConnectorServer, accepting_can_be_turned_off_and_on) {
  Bench bench;
  bench.server.connector.set_accepting(false);
  bench.connect(seconds(2));
  bench.network.run_for(millis(100));
  EXPECT_TRUE(bench.server.established().empty());
  // A refusal being a hint only, the same connect succeeds when the server comes round.
  bench.server.connector.set_accepting(true);
  bench.network.run_for(seconds(1));
  EXPECT_EQ(bench.server.established().size(), 1u);
  EXPECT_EQ(bench.client.established().size(), 1u);
}

TEST(ConnectorServer, another_mechanism_or_a_hello_in_pieces_is_refused) {
  Bench bench;
  Script script = record(&bench);
  Connector& server = bench.server.connector;
  script.proved_hello = with_attempt(script.proved_hello, 42);
  server.on_packet(bench.client.address, with_attempt(script.hello, 42).bytes, bench.network.now);
  const auto retry = bench.server.drain();
  const size_t size = retry.at(0).bytes.size() - wire::kHandshakeHeaderSize;
  std::copy_n(retry[0].bytes.begin() + wire::kHandshakeHeaderSize, size,
              script.proved_hello.bytes.begin() + wire::kHandshakeHeaderSize);
  HandshakePacket pieces = script.proved_hello;
  pieces.bytes[wire::offsets::kFragmentCount] = 2;
  const uint64_t malformed = server.stats().drop_malformed.value();
  server.on_packet(bench.client.address, pieces.bytes, bench.network.now);
  EXPECT_EQ(server.stats().drop_malformed.value(), malformed + 1);
  EXPECT_EQ(server.pending(), 0u);
  script.proved_hello.bytes[wire::kHandshakeHeaderSize + size] = 2;
  server.on_packet(bench.client.address, script.proved_hello.bytes, bench.network.now);
  const auto refused = bench.server.drain();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].bytes.back(), static_cast<uint8_t>(crypto::RefuseReason::kMechanism));
  EXPECT_EQ(server.pending(), 0u);
}

// The client's last message may lie unread in a queue while this side has no CPU.
TEST(ConnectorServer, a_stall_forgets_no_handshake_under_way) {
  for (const bool stalled : {false, true}) {
    Bench bench;
    std::vector<uint8_t> finished;
    bench.network.tap = [&](const PeerAddress& from, HandshakePacket* packet) {
      const bool last = from == bench.client.address &&
                        connector_test::type_of(*packet) == HandshakeType::kClientFinished;
      if (last) finished = packet->bytes;
      return !last;
    };
    bench.connect();
    bench.network.run_for(millis(1));
    bench.network.detach(bench.client.address);
    Connector& server = bench.server.connector;
    ASSERT_EQ(server.pending(), 1u);
    ASSERT_FALSE(finished.empty());
    const base::Nanos late = stalled ? seconds(6) : base::Nanos::zero();
    const base::Nanos now = server.next_deadline() + late;
    server.on_deadline(now);
    EXPECT_EQ(server.stats().stalls.value(), stalled ? 1u : 0u);
    EXPECT_EQ(server.stats().pending_expired.value(), stalled ? 0u : 1u);
    server.on_packet(bench.client.address, finished, now);
    bench.server.collect();
    EXPECT_EQ(bench.server.established().size(), stalled ? 1u : 0u);
  }
}

}  // namespace
}  // namespace sluice::transport
