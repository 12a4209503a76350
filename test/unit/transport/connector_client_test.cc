// SPDX-License-Identifier: Apache-2.0
//
// The client side alone: its timers, limits and ends. src/transport/connector_client.cc.
#include <gtest/gtest.h>

#include "connector_bench.h"
#include "transport/connector.h"

namespace sluice::transport {
namespace {

using base::Code;
using base::millis;
using base::seconds;
using connector_test::address_of;
using connector_test::Bench;
using connector_test::config_of;
using connector_test::kStart;
using crypto::HandshakeType;

HandshakePacket answer_to(const HandshakePacket& packet, HandshakeType type,
                          const std::vector<uint8_t>& body) {
  std::vector<PacketBytes> out;
  split_message(connector_test::attempt_of(packet), type, {}, body, &out);
  return {packet.to, out.at(0)};
}

std::vector<uint8_t> retry_body(uint8_t fill, size_t size = 20) {
  std::vector<uint8_t> out(1 + size, fill);
  out[0] = static_cast<uint8_t>(size);
  return out;
}

TEST(ConnectorClient, no_answer_is_reported_at_the_deadline) {
  Bench bench;
  bench.network.detach(bench.server.address);
  const ConnectId id = bench.connect(millis(700));
  bench.network.run_for(millis(699));
  EXPECT_TRUE(bench.client.failed().empty());
  bench.network.run_for(millis(1));
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->connect, id);
  EXPECT_EQ(bench.client.failed()[0]->code, Code::kUnavailable);
  EXPECT_EQ(bench.client.connector.attempts(), 0u);
  EXPECT_EQ(bench.client.connector.session_ids().used(), 0u);
  EXPECT_EQ(bench.client.connector.next_deadline(), base::Nanos::max());
}

TEST(ConnectorClient, repetitions_back_off_to_the_ceiling) {
  Bench bench;
  std::vector<base::Nanos> sent;
  bench.network.detach(bench.server.address);
  bench.network.tap = [&](const PeerAddress&, HandshakePacket*) {
    sent.push_back(bench.network.now);
    return true;
  };
  bench.connect(seconds(3));
  bench.network.run_for(seconds(4));
  ASSERT_GT(sent.size(), 10u);
  EXPECT_LT(sent.size(), 25u);
  base::Nanos expected = millis(5);
  for (size_t i = 1; i < sent.size(); ++i) {
    const base::Nanos gap = sent[i] - sent[i - 1];
    EXPECT_GE(gap, expected) << i;
    EXPECT_LE(gap, expected + expected / 8) << i;
    expected = std::min(expected * 2, millis(250));
  }
}

TEST(ConnectorClient, a_peer_that_falls_silent_in_the_middle_is_reported) {
  Bench bench;
  bench.network.tap = [&](const PeerAddress&, HandshakePacket* packet) {
    return connector_test::type_of(*packet) != HandshakeType::kClientFinished;
  };
  bench.connect(millis(500));
  bench.network.run_for(seconds(1));
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->code, Code::kUnavailable);
  EXPECT_NE(bench.client.failed()[0]->reason.find("silent"), std::string::npos);
}

TEST(ConnectorClient, answers_that_prove_nothing_are_named_at_the_deadline) {
  Bench bench;
  bench.network.tap = [&](const PeerAddress& from, HandshakePacket* packet) {
    if (from == bench.server.address &&
        connector_test::type_of(*packet) == HandshakeType::kServerHello) {
      packet->bytes.back() = static_cast<uint8_t>(packet->bytes.back() ^ 1);
    }
    return true;
  };
  bench.connect(millis(500));
  bench.network.run_for(seconds(1));
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->code, Code::kPermissionDenied);
  EXPECT_GT(bench.client.connector.stats().drop_not_authentic.value(), 0u);
}

TEST(ConnectorClient, impossible_arguments_are_refused_at_once) {
  Bench bench;
  Connector& client = bench.client.connector;
  EXPECT_EQ(client.connect(address_of(2, 0), seconds(2000), kStart).code, Code::kInvalidArgument);
  EXPECT_EQ(client.connect({wire::IpAddress(), 4000}, seconds(2000), kStart).code,
            Code::kInvalidArgument);
  EXPECT_EQ(client.attempts(), 0u);
}

TEST(ConnectorClient, a_deadline_that_has_passed_is_said_at_once) {
  Bench bench;
  Connector& client = bench.client.connector;
  EXPECT_EQ(client.connect(address_of(2), kStart, kStart).code, Code::kDeadlineExceeded);
  EXPECT_EQ(client.connect(address_of(2), seconds(1), kStart).code, Code::kDeadlineExceeded);
  EXPECT_EQ(client.attempts(), 0u);
  bench.client.collect();
  EXPECT_TRUE(bench.client.events.empty());
}

TEST(ConnectorClient, the_number_of_attempts_is_limited) {
  ConnectorConfig config = config_of(false);
  config.max_attempts = 3;
  Bench bench(1, {}, 1, 1, config);
  for (int i = 0; i < 3; ++i) EXPECT_NE(bench.connect(), ConnectId());
  EXPECT_EQ(bench.client.connector.connect(address_of(2), seconds(2000), kStart).code,
            Code::kResourceExhausted);
  EXPECT_EQ(bench.client.connector.stats().limit_attempts.value(), 1u);
  bench.network.run_for(millis(100));
  EXPECT_NE(bench.connect(), ConnectId());
}

TEST(ConnectorClient, the_number_of_sessions_is_limited_until_one_is_released) {
  ConnectorConfig config = config_of(false);
  config.max_sessions = 2;
  Bench bench(1, {}, 1, 1, config);
  bench.connect();
  bench.connect();
  bench.network.run_for(millis(100));
  ASSERT_EQ(bench.client.established().size(), 2u);
  EXPECT_EQ(bench.connect(), ConnectId());
  EXPECT_EQ(bench.client.connector.stats().limit_sessions.value(), 1u);
  const auto id = bench.client.established()[0]->result.local.session_id;
  EXPECT_TRUE(bench.client.connector.release_session(id));
  EXPECT_NE(bench.connect(), ConnectId());
}

TEST(ConnectorClient, a_cancelled_connect_ends_once) {
  Bench bench;
  const ConnectId id = bench.connect();
  EXPECT_EQ(bench.client.connector.cancel(id), Code::kOk);
  EXPECT_EQ(bench.client.connector.cancel(id), Code::kNotFound);
  bench.network.run_for(seconds(10));
  ASSERT_EQ(bench.client.events.size(), 1u);
  EXPECT_EQ(bench.client.events[0].code, Code::kCancelled);
  EXPECT_TRUE(bench.server.established().empty());
}

TEST(ConnectorClient, answers_from_elsewhere_or_for_another_attempt_are_ignored) {
  Bench bench;
  bench.connect();
  const auto sent = bench.client.drain();
  const HandshakePacket good = answer_to(sent.at(0), HandshakeType::kHelloRetry, retry_body(7));
  Connector& client = bench.client.connector;
  client.on_packet(address_of(3), good.bytes, kStart);
  client.on_packet(address_of(2, 4001), good.bytes, kStart);
  HandshakePacket other = good;
  other.bytes[wire::offsets::kRecordNumber] =
      static_cast<uint8_t>(other.bytes[wire::offsets::kRecordNumber] ^ 1);
  client.on_packet(bench.server.address, other.bytes, kStart);
  EXPECT_EQ(client.stats().drop_unknown.value(), 3u);
  EXPECT_TRUE(bench.client.drain().empty());
  client.on_packet(bench.server.address, good.bytes, kStart);
  EXPECT_EQ(bench.client.drain().size(), 1u);
}

TEST(ConnectorClient, a_retry_is_answered_at_once_with_its_token) {
  Bench bench;
  bench.connect();
  const auto sent = bench.client.drain();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].bytes.size(), kHandshakePacketSize);
  for (const size_t size : {1u, 20u, 64u}) {
    const auto retry = answer_to(sent[0], HandshakeType::kHelloRetry, retry_body(7, size));
    bench.client.connector.on_packet(bench.server.address, retry.bytes, kStart);
    const auto again = bench.client.drain();
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].bytes.size(), kHandshakePacketSize);
    EXPECT_EQ(again[0].bytes[wire::kHandshakeHeaderSize], size);
  }
}

TEST(ConnectorClient, malformed_retries_and_refusals_are_counted) {
  Bench bench;
  bench.connect();
  const auto sent = bench.client.drain();
  for (const auto& body :
       {std::vector<uint8_t>{}, std::vector<uint8_t>{0}, std::vector<uint8_t>{3, 1, 1},
        std::vector<uint8_t>{1, 1, 1}, retry_body(1, 65)}) {
    const auto bad = answer_to(sent.at(0), HandshakeType::kHelloRetry, body);
    bench.client.connector.on_packet(bench.server.address, bad.bytes, kStart);
  }
  for (const auto& body : {std::vector<uint8_t>{}, std::vector<uint8_t>{1, 1}}) {
    const auto bad = answer_to(sent.at(0), HandshakeType::kRefuse, body);
    bench.client.connector.on_packet(bench.server.address, bad.bytes, kStart);
  }
  EXPECT_EQ(bench.client.connector.stats().drop_malformed.value(), 7u);
  EXPECT_TRUE(bench.client.drain().empty());
}

TEST(ConnectorClient, a_storm_of_retries_is_answered_by_the_timer_only) {
  Bench bench;
  bench.connect();
  const auto sent = bench.client.drain();
  for (uint8_t i = 1; i <= 100; ++i) {
    const auto retry = answer_to(sent.at(0), HandshakeType::kHelloRetry, retry_body(i));
    bench.client.connector.on_packet(bench.server.address, retry.bytes, kStart);
  }
  EXPECT_EQ(bench.client.drain().size(), Connector::kMaxRetries);
  EXPECT_EQ(bench.client.connector.stats().limit_retries.value(), 100 - Connector::kMaxRetries);
  // The real server still gets through.
  bench.network.run_for(millis(200));
  EXPECT_EQ(bench.client.established().size(), 1u);
}

TEST(ConnectorClient, a_repeated_retry_is_not_answered) {
  Bench bench;
  bench.connect();
  const auto sent = bench.client.drain();
  const auto retry = answer_to(sent.at(0), HandshakeType::kHelloRetry, retry_body(7));
  bench.client.connector.on_packet(bench.server.address, retry.bytes, kStart);
  bench.client.connector.on_packet(bench.server.address, retry.bytes, kStart);
  EXPECT_EQ(bench.client.drain().size(), 1u);
}

TEST(ConnectorClient, a_refusal_shortens_the_wait_once_and_names_its_reason) {
  Bench bench;
  bench.connect(seconds(30));
  const auto sent = bench.client.drain();
  bench.network.detach(bench.server.address);
  const auto refuse = answer_to(sent.at(0), HandshakeType::kRefuse, {4});
  const base::Nanos patience = ConnectorConfig().refused_patience;
  for (const base::Nanos after : {base::Nanos::zero(), patience / 2}) {
    bench.network.run_until(kStart + after);
    bench.client.connector.on_packet(bench.server.address, refuse.bytes, bench.network.now);
  }
  bench.network.run_until(kStart + patience - millis(1));
  EXPECT_TRUE(bench.client.failed().empty());
  bench.network.run_until(kStart + patience);
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->code, Code::kPermissionDenied);
  EXPECT_EQ(bench.client.failed()[0]->refuse, crypto::RefuseReason::kBusy);
  EXPECT_NE(bench.client.failed()[0]->reason.find("limit"), std::string::npos);
  EXPECT_EQ(bench.client.connector.stats().refuses_received.value(), 2u);
}

// Verifies MUST-H14: the time for a good answer to come is time in which it could be heard.
TEST(ConnectorClient, a_stall_takes_nothing_of_the_patience_after_a_refusal) {
  Bench bench;
  bench.connect(seconds(30));
  const auto sent = bench.client.drain();
  const auto refuse = answer_to(sent.at(0), HandshakeType::kRefuse, {4});
  bench.client.connector.on_packet(bench.server.address, refuse.bytes, kStart);
  bench.network.now = kStart + seconds(3);
  bench.client.connector.on_deadline(bench.network.now);
  bench.client.collect();
  EXPECT_TRUE(bench.client.events.empty());
  EXPECT_EQ(bench.client.connector.stats().stalls.value(), 1u);
  bench.network.run_for(millis(1));
  EXPECT_EQ(bench.client.established().size(), 1u);
}

TEST(ConnectorClient, a_stall_excuses_no_deadline) {
  Bench bench;
  bench.connect(seconds(2));
  bench.client.drain();
  bench.client.connector.on_deadline(kStart + seconds(3));
  bench.client.collect();
  ASSERT_EQ(bench.client.failed().size(), 1u);
  EXPECT_EQ(bench.client.failed()[0]->code, Code::kUnavailable);
}

}  // namespace
}  // namespace sluice::transport
