// SPDX-License-Identifier: Apache-2.0
//
// The connector with another handshake mechanism than the PSK one: long messages, several to a
// flight, a hello in pieces. It stands for TLS 1.3 with certificates.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "connector_bench.h"
#include "transport/connector.h"

namespace sluice::transport {
namespace {

using base::millis;
using base::seconds;
using crypto::HandshakeMessage;
using crypto::HandshakeOutcome;
using crypto::HandshakeResult;
using crypto::HandshakeStep;
using crypto::HandshakeType;

constexpr auto kServerFlightA = static_cast<HandshakeType>(0x20);
constexpr auto kServerFlightB = static_cast<HandshakeType>(0x21);
constexpr auto kClientFlight = static_cast<HandshakeType>(0x10);

std::vector<uint8_t> body_of(HandshakeType type, size_t size) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; ++i) {
    out[i] = static_cast<uint8_t>(i * 13 + i / 255 + static_cast<size_t>(type));
  }
  return out;
}

HandshakeOutcome outcome_of(HandshakeStep step, std::vector<HandshakeMessage> send) {
  HandshakeOutcome out;
  out.step = step;
  out.send = std::move(send);
  return out;
}

bool matches(HandshakeType type, std::span<const uint8_t> bytes, size_t size) {
  const auto expected = body_of(type, size);
  return std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end());
}

// Scripted messages and no proof of anything; the parameters come from outside.
class ScriptedClient : public crypto::ClientHandshake {
 public:
  explicit ScriptedClient(const crypto::SessionParameters& local) { result_.local = local; }

  HandshakeOutcome begin(std::span<const uint8_t>, size_t min_bytes) override {
    auto hello = body_of(HandshakeType::kClientHello, std::max<size_t>(min_bytes, 3000));
    hello[0] = static_cast<uint8_t>(crypto::HandshakeMechanismId::kTls13);
    return outcome_of(HandshakeStep::kNeedMore, {{HandshakeType::kClientHello, hello}});
  }
  HandshakeOutcome on_message(HandshakeType type, std::span<const uint8_t> bytes) override {
    if (type == HandshakeType::kServerDone) return outcome_of(HandshakeStep::kEstablished, {});
    const bool good = matches(type, bytes, type == kServerFlightA ? 4000 : 2500);
    if (!good || !seen_.insert(type).second) return outcome_of(HandshakeStep::kIgnored, {});
    if (seen_.size() < 2) return outcome_of(HandshakeStep::kNeedMore, {});
    return outcome_of(HandshakeStep::kNeedMore, {{kClientFlight, body_of(kClientFlight, 5000)}});
  }
  const HandshakeResult& result() const override { return result_; }

 private:
  std::set<HandshakeType> seen_;
  HandshakeResult result_;
};

class ScriptedServer : public crypto::ServerHandshake {
 public:
  explicit ScriptedServer(const crypto::SessionParameters& local) { result_.local = local; }

  HandshakeOutcome on_hello(std::span<const uint8_t>, std::span<const uint8_t> hello) override {
    if (hello.size() < 3000) return outcome_of(HandshakeStep::kRefused, {});
    return outcome_of(HandshakeStep::kNeedMore, {{kServerFlightA, body_of(kServerFlightA, 4000)},
                                                 {kServerFlightB, body_of(kServerFlightB, 2500)}});
  }
  HandshakeOutcome on_message(HandshakeType type, std::span<const uint8_t> bytes) override {
    if (type != kClientFlight || !matches(type, bytes, 5000)) {
      return outcome_of(HandshakeStep::kIgnored, {});
    }
    const bool first = !std::exchange(established_, true);
    return outcome_of(first ? HandshakeStep::kEstablished : HandshakeStep::kNeedMore,
                      {{HandshakeType::kServerDone, body_of(HandshakeType::kServerDone, 32)}});
  }
  const HandshakeResult& result() const override { return result_; }

 private:
  bool established_ = false;
  HandshakeResult result_;
};

class ScriptedMechanism : public crypto::HandshakeMechanism {
 public:
  crypto::HandshakeMechanismId id() const override { return crypto::HandshakeMechanismId::kTls13; }
  uint8_t max_hello_fragments() const override { return 4; }
  std::unique_ptr<crypto::ClientHandshake> new_client(uint64_t,
                                                      const crypto::SessionParameters& local,
                                                      const std::string&) override {
    return std::make_unique<ScriptedClient>(local);
  }
  std::unique_ptr<crypto::ServerHandshake> new_server(
      uint64_t, const crypto::SessionParameters& local) override {
    return std::make_unique<ScriptedServer>(local);
  }
  crypto::ResetToken reset_token(base::SessionId) const override { return {}; }
};

// Runs one handshake between two connectors over the scripted mechanism; true when both sides
// end with exactly one session.
struct Result {
  size_t client_sessions = 0;
  size_t server_sessions = 0;
};
Result run(uint64_t seed, uint32_t loss_ppm) {
  base::Prng prng(seed);
  crypto::test::SeededRandom random(seed);
  ScriptedMechanism mechanism;
  const auto* primitives = &sluice_boringssl_v1()->primitives;
  Connector client(connector_test::config_of(false), &mechanism, primitives, random.source());
  Connector server(connector_test::config_of(true), &mechanism, primitives, random.source());
  const PeerAddress client_at = connector_test::address_of(1);
  const PeerAddress server_at = connector_test::address_of(2);
  base::Nanos now = connector_test::kStart;
  client.connect(server_at, base::after(now, seconds(20)), now);
  Result out;
  for (int step = 0; step < 20'000; ++step) {
    for (Connector* from : {&client, &server}) {
      Connector* to = from == &client ? &server : &client;
      HandshakePacket packets[64];
      const size_t count = from->poll_tx(packets);
      for (size_t i = count; i > 1; --i) std::swap(packets[i - 1], packets[prng.uniform(i)]);
      for (size_t i = 0; i < count; ++i) {
        if (prng.chance_ppm(loss_ppm)) continue;
        to->on_packet(from == &client ? client_at : server_at, packets[i].bytes, now);
      }
      ConnectorEvent event;
      while (from->poll_events({&event, 1}) > 0) {
        if (event.kind != ConnectorEventKind::kEstablished) continue;
        ++(from == &client ? out.client_sessions : out.server_sessions);
      }
    }
    now = base::after(now, millis(1));
    client.on_deadline(now);
    server.on_deadline(now);
  }
  EXPECT_EQ(client.attempts(), 0u);
  EXPECT_EQ(server.pending(), 0u);
  EXPECT_EQ(server.lingering(), 0u);
  return out;
}

TEST(ConnectorMechanism, long_flights_arrive_in_one_round_trip_each) {
  const Result result = run(1, 0);
  EXPECT_EQ(result.client_sessions, 1u);
  EXPECT_EQ(result.server_sessions, 1u);
}

TEST(ConnectorMechanism, long_flights_survive_heavy_loss_and_reordering) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Result result = run(seed, 300'000);
    EXPECT_EQ(result.client_sessions, 1u) << seed;
    EXPECT_EQ(result.server_sessions, 1u) << seed;
  }
}

TEST(ConnectorMechanism, a_server_of_another_mechanism_refuses_by_name) {
  crypto::test::SeededRandom random(3);
  ScriptedMechanism scripted;
  const auto* primitives = &sluice_boringssl_v1()->primitives;
  Connector server(connector_test::config_of(true), &scripted, primitives, random.source());
  connector_test::Node client(connector_test::address_of(1), connector_test::config_of(false), 4);
  base::Nanos now = connector_test::kStart;
  client.connector.connect(connector_test::address_of(2), base::after(now, seconds(5)), now);
  for (int step = 0; step < 2000; ++step) {
    for (const auto& packet : client.drain()) server.on_packet(client.address, packet.bytes, now);
    HandshakePacket answers[16];
    const size_t count = server.poll_tx(answers);
    for (size_t i = 0; i < count; ++i) {
      client.connector.on_packet(connector_test::address_of(2), answers[i].bytes, now);
    }
    now = base::after(now, millis(1));
    client.connector.on_deadline(now);
  }
  client.collect();
  ASSERT_EQ(client.failed().size(), 1u);
  EXPECT_EQ(client.failed()[0]->refuse, crypto::RefuseReason::kMechanism);
}

// Fragments of many types at once push each other out, which is counted and blocks nothing.
TEST(ConnectorMechanism, types_in_reassembly_are_limited) {
  connector_test::Bench bench;
  bench.connect();
  const auto sent = bench.client.drain();
  const uint64_t attempt = connector_test::attempt_of(sent.at(0));
  for (uint8_t type = 0x20; type < 0x2c; ++type) {
    std::vector<PacketBytes> packets;
    ASSERT_TRUE(split_message(attempt, static_cast<HandshakeType>(type), {},
                              std::vector<uint8_t>(2000), &packets));
    bench.client.connector.on_packet(bench.server.address, packets[0], bench.network.now);
  }
  EXPECT_EQ(bench.client.connector.stats().limit_joins.value(), 12 - kMaxJoinedTypes);
  bench.network.run_for(millis(100));
  EXPECT_EQ(bench.client.established().size(), 1u);
}

}  // namespace
}  // namespace sluice::transport
