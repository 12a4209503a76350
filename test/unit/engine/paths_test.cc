// SPDX-License-Identifier: Apache-2.0
#include "engine/paths.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "wire/frame.h"

namespace sluice::engine {
namespace {

wire::IpAddress ip(const std::string& text) { return *wire::parse_ip_address(text); }

// One node's paths, with what they send and tell written down.
struct Side {
  explicit Side(uint8_t number, uint16_t ports = 1) {
    Paths::Setup setup;
    for (uint16_t i = 0; i < ports; ++i) {
      Paths::PortFacts facts;
      facts.neighbours.mac = wire::MacAddress{{2, 0, 0, 0, static_cast<uint8_t>(i), number}};
      facts.neighbours.addresses = {
          *parse_ip_prefix("10.0." + std::to_string(i) + "." + std::to_string(number) + "/24")};
      setup.ports.push_back(facts);
    }
    setup.base_port = 7000;
    setup.stats = &stats;
    setup.send_frame = [this](uint8_t port, std::span<const uint8_t> frame) {
      sent.push_back({port, {frame.begin(), frame.end()}});
      return true;
    };
    setup.set_route = [this](uint32_t handle, const Route& route) { routes[handle] = route; };
    paths = std::make_unique<Paths>(std::move(setup));
  }

  // Gives the neighbour frames sent so far to `peer` on the same port; returns the others.
  std::vector<std::vector<uint8_t>> deliver(Side* peer, base::Nanos now) {
    std::vector<std::vector<uint8_t>> packets;
    for (const auto& [port, frame] : std::exchange(sent, {})) {
      const auto parsed = wire::parse_frame(frame.data(), frame.size());
      if (parsed.kind == wire::FrameKind::kArp || parsed.kind == wire::FrameKind::kNdp) {
        peer->paths->on_neighbour_frame(port, frame, parsed, now);
      } else {
        packets.push_back(frame);
      }
    }
    return packets;
  }

  ControlStats stats;
  std::vector<std::pair<uint8_t, std::vector<uint8_t>>> sent;
  std::map<uint32_t, Route> routes;
  std::unique_ptr<Paths> paths;
};

const std::vector<uint8_t> kPacket(64, 0x5a);

TEST(Paths, a_packet_waits_for_its_neighbour_and_then_goes) {
  Side a(1);
  Side b(2);
  ASSERT_TRUE(a.paths->send_packet({ip("10.0.0.2"), 7000}, kPacket, base::millis(1)));
  EXPECT_EQ(a.paths->waiting(), 1u);
  EXPECT_TRUE(a.deliver(&b, base::millis(1)).empty());
  b.deliver(&a, base::millis(1));
  const auto packets = a.deliver(&b, base::millis(2));
  ASSERT_EQ(packets.size(), 1u);
  const auto parsed = wire::parse_frame(packets[0].data(), packets[0].size());
  EXPECT_EQ(parsed.kind, wire::FrameKind::kSluiceUdp);
  EXPECT_EQ(parsed.source_port, 7000);
  EXPECT_EQ(parsed.destination_port, 7000);
  EXPECT_EQ(parsed.payload_length, kPacket.size());
  EXPECT_EQ(a.paths->waiting(), 0u);
}

TEST(Paths, waiting_packets_are_bounded_and_expire_counted) {
  Side a(1);
  for (size_t i = 0; i < limits::kMaxWaitingFrames + 5; ++i) {
    a.paths->send_packet({ip("10.0.0.2"), 7000}, kPacket, base::millis(1));
  }
  EXPECT_EQ(a.paths->waiting(), limits::kMaxWaitingFrames);
  EXPECT_EQ(a.stats.drop_tx.value(), 5u);
  a.paths->on_deadline(base::seconds(2));
  EXPECT_EQ(a.paths->waiting(), 0u);
  EXPECT_EQ(a.stats.drop_tx.value(), 5 + limits::kMaxWaitingFrames);
}

TEST(Paths, no_way_is_said_at_once) {
  Side a(1);
  EXPECT_FALSE(a.paths->reachable(ip("192.0.2.1")));
  EXPECT_FALSE(a.paths->send_packet({ip("192.0.2.1"), 1}, kPacket, base::millis(1)));
  EXPECT_FALSE(a.paths->acquire({ip("fd00::1"), 1}, base::millis(1)));
}

TEST(Paths, the_port_on_the_peers_network_is_taken) {
  Side a(1, 2);
  Side b(2, 2);
  a.paths->send_packet({ip("10.0.1.2"), 7000}, kPacket, base::millis(1));
  ASSERT_EQ(a.sent.size(), 1u);
  EXPECT_EQ(a.sent[0].first, 1);
}

TEST(Paths, routes_are_shared_counted_and_taken_back) {
  Side a(1);
  const transport::PeerAddress peer{ip("10.0.0.2"), 7001};
  const auto first = a.paths->acquire(peer, base::millis(1));
  const auto second = a.paths->acquire(peer, base::millis(1));
  const auto other = a.paths->acquire({peer.ip, 7002}, base::millis(1));
  ASSERT_TRUE(first && second && other);
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *other);
  EXPECT_FALSE(a.routes[*first].valid);  // The neighbour is not known yet.
  a.paths->release(*first);
  EXPECT_EQ(a.paths->routes(), 2u);
  a.paths->release(*second);
  EXPECT_EQ(a.paths->routes(), 1u);
  EXPECT_FALSE(a.routes[*first].valid);
}

TEST(Paths, routes_follow_their_neighbour) {
  Side a(1);
  Side b(2);
  const auto route = a.paths->acquire({ip("10.0.0.2"), 7003}, base::millis(1));
  ASSERT_TRUE(route);
  a.deliver(&b, base::millis(1));
  b.deliver(&a, base::millis(1));
  ASSERT_TRUE(a.routes[*route].valid);
  EXPECT_EQ(a.routes[*route].frame.destination_port(), 7003);
  const wire::MacAddress before = a.routes[*route].frame.destination_mac();
  Side restarted(2, 1);
  Side mover(2);
  Paths::Setup setup;
  setup.ports = {{.neighbours = {.mac = wire::MacAddress{{2, 9, 9, 9, 9, 9}},
                                 .addresses = {*parse_ip_prefix("10.0.0.2/24")}}}};
  std::vector<std::vector<uint8_t>> frames;
  setup.send_frame = [&](uint8_t, std::span<const uint8_t> frame) {
    frames.push_back({frame.begin(), frame.end()});
    return true;
  };
  setup.set_route = [](uint32_t, const Route&) {};
  setup.stats = &mover.stats;
  Paths moved(std::move(setup));
  moved.announce(0, base::millis(2));
  for (const auto& frame : frames) {
    a.paths->on_neighbour_frame(0, frame, wire::parse_frame(frame.data(), frame.size()),
                                base::millis(2));
  }
  EXPECT_NE(a.routes[*route].frame.destination_mac(), before);
}

TEST(Paths, a_full_route_table_refuses_and_counts) {
  Side a(1);
  for (uint32_t i = 0; i < limits::kMaxRoutes; ++i) {
    ASSERT_TRUE(a.paths->acquire({ip("10.0.0.2"), static_cast<uint16_t>(i + 1)}, base::millis(1)));
  }
  EXPECT_FALSE(a.paths->acquire({ip("10.0.0.3"), 1}, base::millis(1)));
  EXPECT_EQ(a.stats.limit_routes.value(), 1u);
}

TEST(Paths, neighbours_of_live_routes_stay_looked_up) {
  Side a(1);
  Side b(2);
  const auto route = a.paths->acquire({ip("10.0.0.2"), 7003}, base::millis(1));
  ASSERT_TRUE(route);
  base::Nanos now = base::millis(1);
  for (int i = 0; i < 300; ++i) {
    a.deliver(&b, now);
    b.deliver(&a, now);
    now = now + base::seconds(5);
    a.paths->on_deadline(now);
  }
  EXPECT_EQ(a.paths->neighbours(0).size(), 1u);
  EXPECT_TRUE(a.routes[*route].valid);
}

}  // namespace
}  // namespace sluice::engine
