// SPDX-License-Identifier: Apache-2.0
//
// What the switches do with packets: order, marks, limits, cuts.
#include "sim/fabric.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>
#include <vector>

#include "test/unit/sim/network_rig.h"

namespace sluice::sim {
namespace {

// Hosts 0 to 3 on fast links and host 4 on one of 10 Gb/s: what all send to it waits in the switch.
Topology funnel() {
  Topology topology = single_switch("funnel", {.hosts = 5, .gbps = 800});
  topology.links[4].gbps = 10;
  return topology;
}

NetworkConfig with_ring(SwitchModel switches = {}) {
  NetworkConfig config;
  config.switches = switches;
  config.hosts.ring_bytes = 1 << 20;
  return config;
}

// The order in which packets of the given priorities, sent at once behind a first one that occupies
// the port, arrive: as positions in what was sent.
std::vector<uint64_t> order_of_arrival(const SwitchModel& model,
                                       const std::vector<uint8_t>& priorities) {
  Rig rig(funnel(), with_ring(model));
  rig.send(0, 4, 1538, [](Packet& packet) { packet.user = 99; });
  rig.network.run_until(kMicrosecond);
  for (size_t i = 0; i < priorities.size(); ++i) {
    rig.send(0, 4, 100, [&](Packet& packet) {
      packet.priority = priorities[i];
      packet.user = i;
    });
  }
  rig.drain();
  std::vector<uint64_t> order;
  for (const ArrivalRecord& arrival : rig.hosts[4]->arrivals) order.push_back(arrival.packet.user);
  EXPECT_EQ(order.front(), 99u);
  order.erase(order.begin());
  return order;
}

TEST(Fabric, eight_priorities_are_eight_classes) {
  EXPECT_EQ(order_of_arrival({.priorities = 8}, {0, 3, 7, 4, 7, 0}),
            (std::vector<uint64_t>{2, 4, 3, 1, 0, 5}));
}

TEST(Fabric, two_priorities_are_halves_of_the_scale) {
  EXPECT_EQ(order_of_arrival({.priorities = 2}, {3, 4, 0, 7}), (std::vector<uint64_t>{1, 3, 0, 2}));
}

TEST(Fabric, one_priority_is_a_fifo) {
  EXPECT_EQ(order_of_arrival({.priorities = 1}, {0, 7, 3, 5}), (std::vector<uint64_t>{0, 1, 2, 3}));
}

TEST(Fabric, ranked_ports_send_the_smallest_rank_first) {
  Rig rig(funnel(), with_ring({.discipline = Discipline::kRanked}));
  rig.send(0, 4);
  rig.network.run_until(kMicrosecond);
  for (const uint64_t rank : {500u, 20u, 7'000u, 20u, 1u}) {
    rig.send(0, 4, 100, [&](Packet& packet) { packet.rank = rank; });
  }
  rig.drain();
  std::vector<uint64_t> ranks;
  for (const ArrivalRecord& arrival : rig.hosts[4]->arrivals) ranks.push_back(arrival.packet.rank);
  EXPECT_EQ(ranks, (std::vector<uint64_t>{0, 1, 20, 20, 500, 7'000}));
}

TEST(Fabric, a_host_ring_is_a_fifo_whatever_the_priorities) {
  Rig rig("single16-10g");
  for (uint64_t i = 0; i < 8; ++i) {
    rig.send(0, 1, 100, [&](Packet& packet) {
      packet.priority = static_cast<uint8_t>(i);
      packet.user = i;
    });
  }
  rig.drain();
  for (uint64_t i = 0; i < 8; ++i) EXPECT_EQ(rig.hosts[1]->arrivals[i].packet.user, i);
}

// Packets of one flow and priority take one way under ECMP, so they never overtake one another.
TEST(Fabric, each_path_and_priority_is_fifo) {
  NetworkConfig config = with_ring();
  config.routing = Routing::kEcmp;
  Rig rig(leaf_spine("small", {.racks = 3, .hosts_per_rack = 4, .spines = 3}), config);
  UniformTraffic traffic(&rig, Picos(1'300'000), Picos(2'000'000'000), 3);
  rig.drain();
  std::map<std::tuple<uint16_t, uint16_t, uint16_t, uint8_t>, uint64_t> last;
  uint64_t checked = 0;
  for (const auto& host : rig.hosts) {
    for (const ArrivalRecord& arrival : host->arrivals) {
      const Packet& packet = arrival.packet;
      const auto key = std::tuple(packet.src, packet.dst, packet.entropy, packet.priority);
      const auto [before, is_first] = last.try_emplace(key, packet.user);
      if (!is_first) {
        EXPECT_LT(before->second, packet.user);
        before->second = packet.user;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 10'000u);
}

TEST(Fabric, hops_are_the_switches_crossed) {
  Rig rig("leafspine144-10g");
  rig.send(0, 1);
  rig.send(0, 16);
  rig.drain();
  EXPECT_EQ(rig.hosts[1]->arrivals[0].packet.hops, 1);
  EXPECT_EQ(rig.hosts[16]->arrivals[0].packet.hops, 3);
}

TEST(Fabric, marks_what_finds_more_than_the_threshold) {
  NetworkConfig config = with_ring({.ecn_host_bytes = 3'000});
  Rig rig(funnel(), config);
  for (int i = 0; i < 6; ++i) rig.send(0, 4, 1'000);
  rig.send(0, 4, 1'000, [](Packet& packet) { packet.ecn = Ecn::kNotEct; });
  rig.drain();
  // The first starts at once; the next four find 0 to 3000 bytes waiting, the sixth 4000.
  const auto& arrivals = rig.hosts[4]->arrivals;
  ASSERT_EQ(arrivals.size(), 7u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(arrivals[i].packet.ecn, Ecn::kEct0) << i;
  EXPECT_EQ(arrivals[5].packet.ecn, Ecn::kCongestionExperienced);
  EXPECT_EQ(arrivals[6].packet.ecn, Ecn::kNotEct);
  EXPECT_EQ(rig.network.totals().marked_packets, 1u);
}

TEST(Fabric, thresholds_at_hosts_and_in_the_fabric_are_their_own) {
  // Four hosts of rack 0 send to four of rack 1 at once: on a single uplink packets wait.
  const Topology topology = leaf_spine(
      "narrow", {.racks = 2, .hosts_per_rack = 4, .spines = 1, .host_gbps = 40, .fabric_gbps = 10});
  for (const bool in_fabric : {false, true}) {
    SwitchModel model;
    (in_fabric ? model.ecn_fabric_bytes : model.ecn_host_bytes) = 1;
    Rig rig(topology, with_ring(model));
    for (uint32_t h = 0; h < 4; ++h) rig.send(h, 4 + h);
    rig.drain();
    // The first starts, the second finds nothing waiting; two are marked, if the fabric marks.
    EXPECT_EQ(rig.network.totals().marked_packets, in_fabric ? 2u : 0u);
  }
}

TEST(Fabric, a_port_limit_drops_the_tail) {
  Rig rig(funnel(), with_ring({.port_bytes = 3'000}));
  for (uint64_t i = 0; i < 6; ++i) {
    rig.send(0, 4, 1'000, [&](Packet& packet) { packet.user = i; });
  }
  rig.drain();
  const auto& arrivals = rig.hosts[4]->arrivals;
  ASSERT_EQ(arrivals.size(), 4u);
  for (uint64_t i = 0; i < 4; ++i) EXPECT_EQ(arrivals[i].packet.user, i);
  EXPECT_EQ(rig.network.totals().dropped(Drop::kQueueFull), 2u);
  EXPECT_EQ(rig.network.ports()[2 * 4 + 1].max_queue_bytes, 3'000u);
}

TEST(Fabric, a_full_port_cuts_packets_and_sends_what_is_left_first) {
  Rig rig(funnel(), with_ring({.port_bytes = 3'000, .when_full = WhenFull::kTrim}));
  for (uint64_t i = 0; i < 6; ++i) {
    rig.send(0, 4, 1'000, [&](Packet& packet) {
      packet.user = i;
      packet.stored = 200;
    });
  }
  rig.drain();
  const auto& arrivals = rig.hosts[4]->arrivals;
  ASSERT_EQ(arrivals.size(), 6u);
  const uint64_t order[] = {0, 4, 5, 1, 2, 3};
  for (size_t i = 0; i < 6; ++i) {
    const Packet& packet = arrivals[i].packet;
    EXPECT_EQ(packet.user, order[i]);
    const bool cut = order[i] >= 4;
    EXPECT_EQ(packet.has(kTrimmed), cut);
    EXPECT_EQ(packet.length, cut ? 64u : 934u);
    EXPECT_EQ(packet.stored, cut ? 64u : 200u);
    EXPECT_EQ(packet.wire_bytes, cut ? framed_bytes(64) : 1'000u);
    EXPECT_EQ(packet.priority, cut ? 7 : 0);
  }
  EXPECT_EQ(rig.network.totals().trimmed_packets, 2u);
  EXPECT_EQ(rig.network.totals().trimmed_bytes, 2 * (1'000u - framed_bytes(64)));
}

TEST(Fabric, cuts_have_a_limit_too) {
  Rig rig(funnel(), with_ring({.port_bytes = 1'000, .when_full = WhenFull::kTrim}));
  for (int i = 0; i < 30; ++i) rig.send(0, 4, 1'000);
  rig.drain();
  // One is under way, one waits, and 1000 bytes more take seven cuts of 130.
  EXPECT_EQ(rig.hosts[4]->arrivals.size(), 9u);
  EXPECT_EQ(rig.network.totals().dropped(Drop::kQueueFull), 21u);
  // What is short already cannot be cut.
  Rig short_rig(funnel(), with_ring({.port_bytes = 100, .when_full = WhenFull::kTrim}));
  for (int i = 0; i < 4; ++i) short_rig.send(0, 4, 90);
  short_rig.drain();
  EXPECT_EQ(short_rig.hosts[4]->arrivals.size(), 2u);
  EXPECT_EQ(short_rig.network.totals().trimmed_packets, 0u);
}

TEST(Fabric, a_shared_buffer_is_shared_by_all_ports) {
  Topology topology = funnel();
  topology.links[3].gbps = 10;
  Rig rig(topology, with_ring({.buffer_bytes = 5'000}));
  for (int i = 0; i < 4; ++i) rig.send(0, 4, 1'000);  // Three wait.
  for (int i = 0; i < 6; ++i) rig.send(1, 3, 1'000);  // Two of them still have room.
  rig.network.run_until(Picos(100'000));
  EXPECT_EQ(rig.network.max_buffer_bytes(0), 5'000u);
  EXPECT_EQ(rig.network.totals().dropped(Drop::kQueueFull), 3u);
  rig.drain();
  EXPECT_EQ(rig.arrivals(), 7u);
}

// With alpha 1 a single queue stops where it is as long as what is left: at half of the buffer.
TEST(Fabric, the_dynamic_threshold_leaves_room_for_others) {
  Topology topology = funnel();
  topology.links[3].gbps = 10;
  Rig rig(topology, with_ring({.buffer_bytes = 100'000, .alpha_sixteenths = 16}));
  for (int i = 0; i < 200; ++i) rig.send(0, 4, 1'000);
  rig.network.run_until(Picos(2'500'000));
  EXPECT_NEAR(static_cast<double>(rig.network.max_buffer_bytes(0)), 50'000, 1'000);
  // A second queue gets half of what the first has left.
  for (int i = 0; i < 200; ++i) rig.send(1, 3, 1'000);
  rig.network.run_until(Picos(5'000'000));
  const auto ports = rig.network.ports();
  EXPECT_NEAR(static_cast<double>(ports[2 * 3 + 1].max_queue_bytes), 26'000, 2'000);
  rig.drain();
}

TEST(Fabric, alpha_scales_the_threshold) {
  // alpha 1/4: q <= (B - q) / 4, so q is a fifth of the buffer.
  Rig rig(funnel(), with_ring({.buffer_bytes = 100'000, .alpha_sixteenths = 4}));
  for (int i = 0; i < 200; ++i) rig.send(0, 4, 1'000);
  rig.drain();
  EXPECT_NEAR(static_cast<double>(rig.network.max_buffer_bytes(0)), 20'000, 1'000);
}

}  // namespace
}  // namespace sluice::sim
