// SPDX-License-Identifier: Apache-2.0
//
// Floods and exhaustion in the simulator: what strangers, and clients that open handshakes and
// stop, can make a host hold and send; and that those who have a session do not feel it.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/byte_order.h"
#include "flood.h"
#include "transport/handshake_packets.h"
#include "wire/frame.h"
#include "world.h"

#if defined(__SANITIZE_ADDRESS__)
// Of the sanitizer's run-time, whose header GCC does not bring along.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace sluice::attack {
namespace {

constexpr uint32_t kAddresses = 1'000'000;
constexpr size_t kHeaders = wire::kIpv4HeaderSize + wire::kUdpHeaderSize;

size_t bytes_allocated() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

transport::PeerAddress stranger(uint32_t number) {
  return {wire::IpAddress::from_v4(0x0b000000 + number), 4791};
}

// A world with one session that is up, and a call now and then.
struct Calm {
  explicit Calm(const WorldOptions& options) : world(options) {
    world.connect();
    EXPECT_TRUE(world.run([this] { return world.client().sessions() == 1; }, base::seconds(5)));
    work();
  }
  void work() {
    ASSERT_TRUE(world.call(300));
    ++calls;
    ASSERT_TRUE(world.settle());
    ASSERT_EQ(world.completed_well(), calls);
    ASSERT_EQ(world.violation(), "");
  }
  World world;
  uint64_t calls = 0;
};

// Verifies MUST-H7, MUST-T20
TEST(Flood, a_million_addresses_get_no_state_and_a_third_of_what_they_send) {
  Calm calm({.tls = true});
  World& world = calm.world;
  uint64_t answers = 0;
  // What the address that is being answered has sent, and been sent.
  std::map<wire::IpAddress, size_t> received;
  world.strangers = [&](const transport::PeerAddress& to, const Bytes& bytes) {
    ++answers;
    const size_t total = received[to.ip] += bytes.size() + kHeaders;
    ASSERT_LE(total * 3, 1200 + kHeaders) << "more than a third of a full first packet";
  };
  base::Prng prng(1);
  Bytes hello[2] = {hello_packet(1, 1, {}, 1, &prng), hello_packet(1, 2, {}, 1, &prng)};
  const Snapshot before = world.server().snapshot();
  const size_t memory = bytes_allocated();
  size_t most = 0;
  for (uint32_t i = 0; i < kAddresses; ++i) {
    Bytes& bytes = hello[i % 2];
    base::store_be64(&bytes[wire::offsets::kRecordNumber], prng.next_u64());
    world.inject({Way::kToServer, bytes}, stranger(i));
    if (i % 1024 != 1023) continue;
    world.run_for(base::micros(500));  // Two million a second.
    received.clear();
    most = std::max(most, bytes_allocated());
    if (i % (1 << 18) == (1 << 18) - 1) calm.work();
  }
  const Snapshot after = world.server().snapshot();
  EXPECT_EQ(before.others[4], after.others[4]) << "handshakes pending";
  EXPECT_EQ(before.others[7], after.others[7]) << "session ids";
  EXPECT_LT(most, memory + (4u << 20)) << "memory grew under the flood";
  const transport::ConnectorStats& stats = world.server().connector().stats();
  EXPECT_GT(stats.limit_unproved_rate.value(), kAddresses / 2);
  EXPECT_GT(answers, 1000u);
  EXPECT_GE(stats.retries_sent.value(), answers);
  calm.work();
}

// Every kind of packet that a stranger can send, of every length: nobody is sent more than three
// times as much, headers included.
// Verifies MUST-H7, MUST-T20
TEST(Flood, no_packet_of_a_stranger_draws_three_times_its_size) {
  for (const bool tls : {false, true}) {
    Calm calm({.tls = tls});
    World& world = calm.world;
    Bytes true_data;
    world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
      if (packet.way == Way::kToServer) true_data = packet.bytes;
      return {packet};
    };
    calm.work();
    std::map<wire::IpAddress, size_t> answered;
    std::map<wire::IpAddress, size_t> sent;
    world.strangers = [&](const transport::PeerAddress& to, const Bytes& bytes) {
      answered[to.ip] += bytes.size() + kHeaders;
      const size_t cause = sent[to.ip] - kHeaders;
      if (is_type(bytes, wire::PacketType::kReset)) {
        EXPECT_LT(bytes.size(), cause) << "a RESET is shorter than its cause";
      } else {
        EXPECT_EQ(cause, transport::kHandshakePacketSize) << "a short hello draws no answer";
      }
    };
    base::Prng prng(2);
    uint32_t number = 0;
    for (const Garbage kind : kAllGarbage) {
      for (size_t length = 0; length <= 1200; length += length < 80 ? 1 : 40) {
        Bytes bytes = garbage(kind, {Way::kToServer, true_data}, number, &prng);
        bytes.resize(length);
        sent[stranger(number).ip] = length + kHeaders;
        world.inject({Way::kToServer, bytes}, stranger(number++));
      }
      world.run_for(base::seconds(1));
    }
    EXPECT_GT(answered.size(), 50u);
    for (const auto& [address, bytes] : answered) {
      ASSERT_TRUE(sent.contains(address));
      EXPECT_LE(bytes, 3 * sent[address]);
    }
    calm.work();
  }
}

// Clients that prove their address, begin, and stop: as many as may be are waited for, and for no
// longer than may be; then there is room again. Who has a session does not feel it.
// Verifies MUST-H9
TEST(Flood, handshakes_that_are_opened_and_left_are_bounded_and_forgotten) {
  Calm calm({.tls = true});
  World& world = calm.world;
  base::Prng prng(3);
  std::map<wire::IpAddress, HalfOpen> clients;
  std::vector<std::pair<transport::PeerAddress, Bytes>> to_say;
  world.strangers = [&](const transport::PeerAddress& to, const Bytes& bytes) {
    const auto client = clients.find(to.ip);
    if (client == clients.end()) return;
    if (auto answer = client->second.answer(bytes, &prng)) to_say.push_back({to, *answer});
  };
  const size_t memory = bytes_allocated();
  size_t opened = 0;
  for (uint32_t i = 0; i < 6000; ++i) {
    const auto client = clients.emplace(stranger(i).ip, HalfOpen(prng.next_u64(), 2)).first;
    world.inject({Way::kToServer, client->second.first(&prng)}, stranger(i));
    world.run_for(base::micros(100));
    opened += to_say.size();
    for (const auto& [from, bytes] : to_say) world.inject({Way::kToServer, bytes}, from);
    to_say.clear();
    ASSERT_LE(world.server().connector().pending(), base::limits::kMaxPendingHandshakes);
    if (i % 1000 == 999) calm.work();
  }
  const transport::ConnectorStats& stats = world.server().connector().stats();
  EXPECT_GT(opened, 3000u);
  EXPECT_EQ(world.server().connector().pending(), base::limits::kMaxPendingHandshakes);
  EXPECT_GT(stats.limit_pending.value(), 1000u);
  // A fragment of 1.2 KB for each that is waited for, and what is known of it.
  EXPECT_LT(bytes_allocated(), memory + base::limits::kMaxPendingHandshakes * 4096 + (8u << 20));
  world.run_for(base::seconds(6));
  EXPECT_EQ(world.server().connector().pending(), 0u);
  EXPECT_EQ(stats.pending_expired.value(), base::limits::kMaxPendingHandshakes);
  world.connect();
  ASSERT_TRUE(world.run([&] { return world.client().sessions() == 2; }, base::seconds(5)));
  calm.work();
}

// A hello whose cookie was got from one address, from others.
// Verifies MUST-H8
TEST(Flood, a_cookie_is_good_for_its_address_and_its_attempt_alone) {
  Calm calm({.tls = true});
  World& world = calm.world;
  base::Prng prng(4);
  HalfOpen client(42, 2);
  Bytes second;
  world.strangers = [&](const transport::PeerAddress&, const Bytes& bytes) {
    if (auto answer = client.answer(bytes, &prng)) second = *answer;
  };
  world.inject({Way::kToServer, client.first(&prng)}, stranger(1));
  world.run_for(base::millis(1));
  ASSERT_TRUE(client.opened());
  const transport::ConnectorStats& stats = world.server().connector().stats();
  const uint64_t forged = stats.drop_cookie_forged.value();
  for (uint32_t i = 2; i < 100; ++i) world.inject({Way::kToServer, second}, stranger(i));
  Bytes other = second;
  for (uint64_t attempt = 43; attempt < 143; ++attempt) {
    base::store_be64(&other[wire::offsets::kRecordNumber], attempt);
    world.inject({Way::kToServer, other}, stranger(1));
  }
  EXPECT_EQ(stats.drop_cookie_forged.value(), forged + 198);
  EXPECT_EQ(world.server().connector().pending(), 0u);
  world.inject({Way::kToServer, second}, stranger(1));
  EXPECT_EQ(world.server().connector().pending(), 1u) << "else the attack above attacks nothing";
}

// Answers to hellos that a client really made, by somebody who has no key: it goes on trying, sends
// no more for each than it is allowed to, and finds its server.
TEST(Flood, forged_answers_neither_end_an_attempt_nor_make_it_say_much) {
  for (const bool tls : {false, true}) {
    World world({.tls = tls});
    base::Prng prng(5);
    uint64_t sent = 0;
    bool flooding = true;
    world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
      if (packet.way == Way::kToClient || !flooding) return {packet};
      ++sent;
      std::vector<Packet> out;
      for (const uint8_t type : {2, 3, 5, 6, 0x20, 0x21}) {
        for (int i = 0; i < 50; ++i) {
          Bytes bytes(packet.bytes.begin(), packet.bytes.begin() + wire::kHandshakeHeaderSize);
          bytes[wire::offsets::kMessageType] = type;
          bytes[wire::offsets::kFragmentIndex] = 0;
          bytes[wire::offsets::kFragmentCount] = 1;
          bytes.push_back(20);  // A cookie's length; a reason that nobody knows.
          for (int byte = 0; byte < 20; ++byte) {
            bytes.push_back(static_cast<uint8_t>(prng.next_u64()));
          }
          out.push_back({Way::kToClient, std::move(bytes)});
        }
      }
      return out;  // And the hello itself is lost.
    };
    world.connect();
    world.run_for(base::millis(400));
    const transport::ConnectorStats& stats = world.client().connector().stats();
    EXPECT_EQ(world.client().sessions(), 0u);
    EXPECT_GT(stats.limit_retries.value(), 100u);
    EXPECT_LT(sent, 200u);
    flooding = false;
    ASSERT_TRUE(world.run([&] { return world.client().sessions() == 1; }, base::seconds(10)));
    ASSERT_TRUE(world.call(300));
    EXPECT_TRUE(world.settle());
    EXPECT_EQ(world.completed_well(), 1u);
  }
}

// Every limit of the connector that somebody without a key can reach is reached here, and counted
// under its name; a limit that is added is to be put into one list or the other.
TEST(Flood, each_limit_of_handshakes_is_counted_by_its_name) {
  // Reached by one's own side, or by who holds a key or a ticket: tests of the connector.
  const std::set<std::string> of_others = {"handshake.limit.attempts", "handshake.limit.strikes",
                                           "handshake.limit.tokens",   "handshake.limit.sessions",
                                           "handshake.limit.linger",   "handshake.limit.retries"};
  Calm calm({.tls = true});
  World& world = calm.world;
  base::Prng prng(6);
  std::map<uint64_t, HalfOpen> clients;
  std::vector<std::pair<transport::PeerAddress, Bytes>> to_say;
  Bytes hello;  // Of the honest client.
  world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
    if (packet.way == Way::kToServer) hello = packet.bytes;
    return {packet};
  };
  world.strangers = [&](const transport::PeerAddress& to, const Bytes& bytes) {
    const auto view = wire::HandshakeView::parse(bytes.data(), bytes.size());
    const auto client = view ? clients.find(view->connection_id()) : clients.end();
    if (client == clients.end()) return;
    if (auto answer = client->second.answer(bytes, &prng)) to_say.push_back({to, *answer});
  };
  // More than it answers, more than it may have waiting, and of one address more than that may
  // have.
  for (uint64_t attempt = 0; attempt < 6000; ++attempt) {
    const auto client = clients.emplace(attempt, HalfOpen(attempt, 2)).first;
    const auto number = static_cast<uint32_t>(attempt < 600 ? 1 : attempt);
    world.inject({Way::kToServer, client->second.first(&prng)}, stranger(number));
    if (attempt < 3000) world.run_for(base::micros(60));
  }
  for (int times = 0; times < 30; ++times) {
    for (const auto& [from, bytes] : to_say) world.inject({Way::kToServer, bytes}, from);
  }
  to_say.clear();
  world.run_for(base::seconds(6));
  // Parts of messages that never come, in the name of a handshake that is under way.
  world.attacker = [&](const Packet& packet) -> std::vector<Packet> {
    const bool finished = is_type(packet.bytes, wire::PacketType::kHandshake) &&
                          packet.bytes[wire::offsets::kMessageType] == 4;
    if (!finished) return {packet};
    std::vector<Packet> out;
    for (uint8_t type = 0x10; type < 0x20; ++type) {
      Packet part = packet;
      part.bytes[wire::offsets::kMessageType] = type;
      part.bytes[wire::offsets::kFragmentIndex] = 0;
      part.bytes[wire::offsets::kFragmentCount] = 2;
      out.push_back(part);
    }
    out.push_back(packet);
    return out;
  };
  world.connect();
  ASSERT_TRUE(world.run([&] { return world.client().sessions() == 2; }, base::seconds(10)));
  for_each_counter(world.server().connector().stats(),
                   [&](const char* name, const char*, uint64_t value) {
                     if (std::string(name).find(".limit.") == std::string::npos) return;
                     EXPECT_EQ(value != 0, !of_others.contains(name)) << name;
                   });
  world.attacker = nullptr;
  calm.work();
}

}  // namespace
}  // namespace sluice::attack
