// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "test/unit/sim/network_rig.h"

namespace sluice::sim {
namespace {

Topology small_leaf_spine() {
  return leaf_spine("small", {.racks = 3,
                              .hosts_per_rack = 4,
                              .spines = 4,
                              .host_gbps = 100,
                              .fabric_gbps = 100,
                              .host_link_delay = Picos(300'000),
                              .fabric_link_delay = Picos(200'000)});
}
// Links of small_leaf_spine() between leaves and spines.
LinkId fabric_link(uint32_t rack, uint32_t spine) { return 12 + 4 * rack + spine; }

NetworkConfig with_ring(uint64_t bytes) {
  NetworkConfig config;
  config.hosts.ring_bytes = bytes;
  return config;
}

// Times.

TEST(Network, an_unloaded_packet_takes_exactly_what_the_closed_form_says) {
  for (const absl::string_view name : topology_names()) {
    const Topology topology = *topology_named(name);
    for (const uint32_t dst : {1u, topology.hosts / 2, topology.hosts - 1}) {
      for (const uint32_t bytes : {84u, 700u, 1538u, 9'038u}) {
        Rig rig(topology, NetworkConfig());
        ASSERT_TRUE(rig.send(0, dst, bytes));
        rig.drain();
        ASSERT_EQ(rig.hosts[dst]->arrivals.size(), 1u);
        EXPECT_EQ(rig.hosts[dst]->arrivals[0].time,
                  unloaded_packet(path_between(topology, 0, dst), bytes))
            << name << " to " << dst << ", " << bytes << " bytes";
      }
    }
  }
}

TEST(Network, an_unloaded_message_takes_exactly_what_the_closed_form_says) {
  for (const absl::string_view name : topology_names()) {
    const Topology topology = *topology_named(name);
    const uint32_t dst = topology.hosts - 1;
    const auto path = path_between(topology, 0, dst);
    for (const uint32_t full : {1u, 2u, 7u, 40u}) {
      for (const uint32_t last : {0u, 84u, 1'000u}) {
        // On one way: sprayed packets could overtake one another.
        NetworkConfig config = with_ring(1 << 20);
        config.routing = Routing::kEcmp;
        Rig rig(topology, config);
        for (uint32_t i = 0; i < full; ++i) ASSERT_TRUE(rig.send(0, dst));
        if (last != 0) {
          ASSERT_TRUE(rig.send(0, dst, last));
        }
        rig.drain();
        EXPECT_EQ(rig.hosts[dst]->arrivals.back().time, unloaded_message(path, full, 1538, last))
            << name << ", " << full << " full packets and " << last << " bytes";
      }
    }
  }
}

TEST(Network, time_stands_where_run_until_says) {
  Rig rig("single16-10g");
  rig.network.run_until(Picos(5));
  EXPECT_EQ(rig.network.now(), Picos(5));
  EXPECT_EQ(rig.network.next_event(), Picos::max());
  rig.network.wake_at(3, Picos(70), 1);
  EXPECT_EQ(rig.network.next_event(), Picos(70));
  rig.network.run_until(Picos(69));
  EXPECT_TRUE(rig.hosts[3]->wakes.empty());
  rig.network.run_until(Picos(70));
  EXPECT_EQ(rig.hosts[3]->wakes.size(), 1u);
  rig.network.wake_at(3, Picos(100), 2);
  rig.network.run_until(Picos::max());
  EXPECT_EQ(rig.network.now(), Picos(100));
}

TEST(Network, nothing_is_asked_of_the_past) {
  Rig rig("single16-10g");
  rig.network.run_until(Picos(1'000));
  EXPECT_DEATH(rig.network.wake_at(0, Picos(999), 0), "");
  EXPECT_DEATH(rig.network.fail_link(Picos(999), 0), "");
  EXPECT_DEATH(rig.network.run_until(Picos(999)), "");
}

TEST(Network, time_never_goes_back) {
  Rig rig(small_leaf_spine(), with_ring(1 << 20));
  UniformTraffic traffic(&rig, Picos(150'000), Picos(50'000'000), 1);
  Picos last;
  while (rig.network.next_event() != Picos::max()) {
    const Picos next = rig.network.next_event();
    ASSERT_GE(next, last);
    rig.network.run_until(next);
    last = next;
  }
  EXPECT_GT(rig.arrivals(), 3'000u);
}

TEST(Network, wakes_come_in_order_with_their_cookies) {
  Rig rig("single16-10g");
  rig.network.wake_at(2, Picos(500), 7);
  rig.network.wake_at(2, Picos(100), 8);
  rig.network.wake_at(2, Picos(500), UINT64_MAX);
  rig.drain();
  const auto& wakes = rig.hosts[2]->wakes;
  ASSERT_EQ(wakes.size(), 3u);
  EXPECT_EQ(wakes[0], std::pair(Picos(100), uint64_t{8}));
  EXPECT_EQ(wakes[1], std::pair(Picos(500), uint64_t{7}));
  EXPECT_EQ(wakes[2], std::pair(Picos(500), UINT64_MAX));
}

// Hosts.

TEST(Network, a_full_ring_refuses_and_calls_when_there_is_room) {
  NetworkConfig config = with_ring(3 * 1'000);
  config.hosts.refill_bytes = 1'500;
  Rig rig("single16-10g", config);
  EXPECT_EQ(rig.network.ring_room(0), 3'000u);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(rig.send(0, 1, 1'000));  // One of them has started.
  EXPECT_EQ(rig.network.ring_bytes(0), 3'000u);
  EXPECT_EQ(rig.network.ring_room(0), 0u);
  EXPECT_FALSE(rig.send(0, 1, 84));
  rig.network.run_until(Picos(800'000));
  EXPECT_EQ(rig.network.ring_bytes(0), 2'000u);
  EXPECT_TRUE(rig.hosts[0]->room_calls.empty());
  rig.network.run_until(Picos(1'600'000));
  EXPECT_EQ(rig.network.ring_bytes(0), 1'000u);
  EXPECT_EQ(rig.hosts[0]->room_calls, (std::vector<Picos>{Picos(1'600'000)}));
  rig.drain();
  EXPECT_EQ(rig.hosts[0]->room_calls.size(), 1u);
  EXPECT_EQ(rig.hosts[1]->arrivals.size(), 4u);
}

TEST(Network, a_ring_that_never_reached_its_mark_owes_no_call) {
  NetworkConfig config = with_ring(10'000);
  config.hosts.refill_bytes = 5'000;
  Rig rig("single16-10g", config);
  for (int i = 0; i < 4; ++i) rig.send(0, 1, 1'000);
  rig.drain();
  EXPECT_TRUE(rig.hosts[0]->room_calls.empty());
}

// With the smallest mark a host that fills the ring when called keeps its link busy all the time.
TEST(Network, a_host_can_keep_its_link_busy) {
  NetworkConfig config = with_ring(1'538);
  Rig rig("single16-10g", config);
  uint64_t sent = 0;
  const auto fill = [&] {
    while (sent < 1'000 && rig.send(0, 1)) ++sent;
  };
  rig.hosts[0]->when_room = fill;
  fill();
  rig.drain();
  const auto path = path_between(rig.network.topology(), 0, 1);
  EXPECT_EQ(rig.hosts[1]->arrivals.size(), 1'000u);
  EXPECT_EQ(rig.hosts[1]->arrivals.back().time, unloaded_message(path, 1'000, 1'538, 0));
}

TEST(Network, packets_queue_for_the_receiving_host) {
  NetworkConfig config;
  Rig rig("single16-100g", config);
  HostModel slow = config.hosts;
  slow.packet_cost = Picos(1'000'000);
  rig.network.set_host(5, slow);
  for (int i = 0; i < 4; ++i) rig.send(0, 5, 84);
  rig.send(0, 6, 84);
  rig.drain();
  const Picos first = unloaded_packet(path_between(rig.network.topology(), 0, 5), 84);
  const auto& arrivals = rig.hosts[5]->arrivals;
  ASSERT_EQ(arrivals.size(), 4u);
  for (uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(arrivals[i].time, first + (i + 1) * kMicrosecond);
  }
  EXPECT_LT(rig.hosts[6]->arrivals[0].time, first + kMicrosecond);
}

TEST(Network, a_stall_delays_but_keeps_order) {
  NetworkConfig config = with_ring(1 << 20);
  config.hosts.stall_chance = chance(0.02);
  config.hosts.stall = 20 * kMicrosecond;
  Rig rig("single16-10g", config);
  for (uint64_t i = 0; i < 500; ++i) {
    rig.send(0, 1, 84, [&](Packet& packet) { packet.user = i; });
  }
  rig.drain();
  const auto& arrivals = rig.hosts[1]->arrivals;
  ASSERT_EQ(arrivals.size(), 500u);
  const uint64_t stalls = rig.network.totals().stalls;
  EXPECT_GE(stalls, 3u);
  EXPECT_LE(stalls, 25u);
  for (uint64_t i = 0; i < 500; ++i) EXPECT_EQ(arrivals[i].packet.user, i);
  // The packets take 34 us in all; the stalls add up behind one another.
  EXPECT_GE(arrivals.back().time, stalls * 20 * kMicrosecond);
}

// Failures.

TEST(Network, a_failed_link_carries_nothing_and_loses_what_it_carried) {
  Rig rig("single16-10g", with_ring(1 << 20));
  rig.network.fail_link(Picos(10 * 1'230'400 + 1), 1);
  for (int i = 0; i < 20; ++i) rig.send(0, 1);
  for (int i = 0; i < 20; ++i) rig.send(2, 3);
  rig.drain();
  EXPECT_FALSE(rig.network.link_is_up(1));
  // The tenth packet has left its host at the time of the failure, but is in the switch's latency.
  EXPECT_EQ(rig.network.ports()[2 * 1 + 1].sent_packets, 9u);
  EXPECT_EQ(rig.hosts[1]->arrivals.size() + rig.network.totals().dropped(Drop::kLinkDown), 20u);
  EXPECT_LT(rig.hosts[1]->arrivals.size(), 10u);
  EXPECT_EQ(rig.hosts[3]->arrivals.size(), 20u);
}

TEST(Network, a_restored_link_carries_again) {
  Rig rig("single16-10g");
  rig.network.fail_link(Picos(0), 1);
  rig.network.restore_link(5 * kMicrosecond, 1);
  rig.network.run_until(Picos(1));
  rig.send(0, 1);
  rig.network.run_until(10 * kMicrosecond);
  EXPECT_EQ(rig.hosts[1]->arrivals.size(), 0u);
  rig.send(0, 1);
  rig.drain();
  EXPECT_EQ(rig.hosts[1]->arrivals.size(), 1u);
  EXPECT_EQ(rig.network.totals().dropped(Drop::kLinkDown), 1u);
}

// A link that failed and came back while a packet was under way has lost it all the same.
TEST(Network, a_short_failure_loses_what_was_under_way) {
  Topology topology = single_switch("long", {.hosts = 2, .link_delay = 10 * kMicrosecond});
  Rig rig(topology, NetworkConfig());
  rig.send(0, 1);
  rig.network.fail_link(5 * kMicrosecond, 0);
  rig.network.restore_link(6 * kMicrosecond, 0);
  rig.drain();
  EXPECT_TRUE(rig.network.link_is_up(0));
  EXPECT_EQ(rig.hosts[1]->arrivals.size(), 0u);
  EXPECT_EQ(rig.network.totals().dropped(Drop::kLinkDown), 1u);
}

// Sends one packet from rack 0 to rack 2 every microsecond, from 0 to `until`, with a spine's link
// to rack 2 failing at 100 us.
uint64_t lost_after_failure(std::optional<Picos> detection, uint64_t until_us,
                            std::set<uint64_t>* lost) {
  NetworkConfig config;
  config.detection_delay = detection;
  Rig rig(small_leaf_spine(), config);
  rig.network.fail_link(100 * kMicrosecond, fabric_link(2, 1));
  for (uint64_t us = 0; us < until_us; ++us) {
    rig.network.run_until(us * kMicrosecond);
    rig.send(0, 8, 1'538, [&](Packet& packet) { packet.user = us; });
    lost->insert(us);
  }
  rig.drain();
  for (const ArrivalRecord& arrival : rig.hosts[8]->arrivals) lost->erase(arrival.packet.user);
  EXPECT_EQ(rig.network.totals().dropped(Drop::kLinkDown), lost->size());
  return rig.network.ports()[2 * fabric_link(2, 1) + 1].sent_packets;
}

TEST(Network, without_detection_a_dead_link_swallows_its_share) {
  std::set<uint64_t> lost;
  lost_after_failure(std::nullopt, 2'100, &lost);
  EXPECT_NEAR(static_cast<double>(lost.size()), 500, 70);
  EXPECT_GE(*lost.begin(), 98u);
}

TEST(Network, with_detection_routes_avoid_it_after_the_delay) {
  std::set<uint64_t> lost;
  const uint64_t carried = lost_after_failure(40 * kMicrosecond, 2'100, &lost);
  EXPECT_NEAR(static_cast<double>(lost.size()), 10, 9);
  EXPECT_GE(*lost.begin(), 98u);
  EXPECT_LE(*lost.rbegin(), 140u);
  EXPECT_NEAR(static_cast<double>(carried), 25, 15);
}

TEST(Network, a_dead_spine_is_routed_around_and_comes_back) {
  NetworkConfig config = with_ring(1 << 20);
  config.detection_delay = 10 * kMicrosecond;
  Rig rig(small_leaf_spine(), config);
  const uint32_t spine = 3 + 2;
  rig.network.fail_switch(100 * kMicrosecond, spine);
  rig.network.restore_switch(300 * kMicrosecond, spine);
  UniformTraffic traffic(&rig, Picos(400'000), 500 * kMicrosecond, 4);
  const auto carried = [&] {
    uint64_t sum = 0;
    for (const PortReport& port : rig.network.ports()) {
      const NodeId node = rig.network.topology().switch_node(spine);
      sum += port.node == node || port.peer == node ? port.sent_packets : 0;
    }
    return sum;
  };
  rig.network.run_until(100 * kMicrosecond);
  const uint64_t before = carried();
  EXPECT_GT(before, 500u);
  rig.network.run_until(300 * kMicrosecond);
  EXPECT_EQ(carried(), before);
  const uint64_t lost = rig.network.totals().dropped(Drop::kLinkDown);
  EXPECT_GT(lost, 10u);
  EXPECT_TRUE(rig.network.conserved());
  rig.drain();
  EXPECT_EQ(rig.network.totals().dropped(Drop::kLinkDown), lost);
  EXPECT_GT(carried(), before + 500);
}

TEST(Network, a_host_cut_off_cannot_be_routed_to) {
  NetworkConfig config;
  config.detection_delay = kMicrosecond;
  Rig rig(small_leaf_spine(), config);
  rig.network.fail_link(Picos(0), 11);
  rig.network.run_until(2 * kMicrosecond);
  rig.send(0, 11);
  rig.drain();
  EXPECT_EQ(rig.network.totals().dropped(Drop::kNoRoute), 1u);
}

TEST(Network, a_degraded_link_is_slow_in_both_directions) {
  const Topology topology = single_switch("pair", {.hosts = 2, .gbps = 100});
  Rig rig(topology, NetworkConfig());
  rig.network.change_rate(kMicrosecond, 1, 25);
  rig.network.run_until(2 * kMicrosecond);
  rig.send(0, 1);
  rig.send(1, 0);
  rig.drain();
  const Picos expected = 2 * kMicrosecond + Picos(1'538 * (80 + 320));
  EXPECT_EQ(rig.hosts[1]->arrivals[0].time, expected);
  EXPECT_EQ(rig.hosts[0]->arrivals[0].time, expected);
}

TEST(Network, loss_and_corruption_are_the_links_own) {
  Rig rig("single16-100g", with_ring(1 << 24));
  rig.network.set_loss(1, {.loss = chance(0.1), .corrupt = chance(0.1)});
  for (int i = 0; i < 5'000; ++i) rig.send(0, 1, 84);
  for (int i = 0; i < 5'000; ++i) rig.send(2, 3, 84);
  rig.drain();
  const NetworkTotals& totals = rig.network.totals();
  EXPECT_NEAR(static_cast<double>(totals.dropped(Drop::kLoss)), 500, 100);
  EXPECT_NEAR(static_cast<double>(totals.corrupted_packets), 450, 100);
  uint64_t corrupt = 0;
  for (const ArrivalRecord& arrival : rig.hosts[1]->arrivals) {
    corrupt += arrival.packet.has(kCorrupt) ? 1 : 0;
  }
  EXPECT_EQ(corrupt, totals.corrupted_packets);
  EXPECT_EQ(rig.hosts[3]->arrivals.size(), 5'000u);
}

// The books.

// Everything that can happen to packets at once; the books are balanced at every moment.
void run_everything(Rig* rig, uint64_t seed) {
  Network& network = rig->network;
  UniformTraffic traffic(rig, Picos(110'000), 400 * kMicrosecond, seed);
  network.fail_link(50 * kMicrosecond, fabric_link(0, 0));
  network.fail_switch(120 * kMicrosecond, 3 + 1);
  network.change_rate(150 * kMicrosecond, fabric_link(1, 3), 25);
  network.restore_link(200 * kMicrosecond, fabric_link(0, 0));
  network.restore_switch(220 * kMicrosecond, 3 + 1);
  network.fail_link(250 * kMicrosecond, 7);
  network.set_loss(fabric_link(1, 2), {.loss = chance(0.05), .corrupt = chance(0.05)});
  for (uint64_t step = 1; step <= 100; ++step) {
    network.run_until(step * Picos(4'100'000));
    ASSERT_TRUE(network.conserved());
  }
  rig->drain();
}

NetworkConfig everything(uint64_t seed) {
  NetworkConfig config = with_ring(8 * 1'538);
  config.seed = seed;
  config.switches.buffer_bytes = 60'000;
  config.switches.alpha_sixteenths = 8;
  config.switches.when_full = WhenFull::kTrim;
  config.switches.ecn_host_bytes = 20'000;
  config.hosts.packet_cost = Picos(20'000);
  config.hosts.stall_chance = chance(0.001);
  config.hosts.stall = 5 * kMicrosecond;
  config.detection_delay = 10 * kMicrosecond;
  return config;
}

TEST(Network, packets_and_bytes_are_conserved_whatever_happens) {
  Rig rig(small_leaf_spine(), everything(1));
  run_everything(&rig, 1);
  const NetworkTotals& totals = rig.network.totals();
  EXPECT_GT(totals.dropped(Drop::kQueueFull), 0u);
  EXPECT_GT(totals.dropped(Drop::kLinkDown), 0u);
  EXPECT_GT(totals.dropped(Drop::kLoss), 0u);
  EXPECT_GT(totals.dropped(Drop::kNoRoute), 0u);
  EXPECT_GT(totals.trimmed_packets, 0u);
  EXPECT_GT(totals.marked_packets, 0u);
  EXPECT_GT(totals.stalls, 0u);
  EXPECT_EQ(totals.delivered_packets, rig.arrivals());
  EXPECT_EQ(rig.network.pool().exhausted(), 0u);
}

TEST(Network, the_same_seed_makes_the_same_run) {
  Rig one(small_leaf_spine(), everything(5));
  Rig two(small_leaf_spine(), everything(5));
  run_everything(&one, 5);
  run_everything(&two, 5);
  EXPECT_EQ(one.network.trace_hash(), two.network.trace_hash());
  ASSERT_EQ(one.hosts[0]->arrivals.size(), two.hosts[0]->arrivals.size());
  for (size_t i = 0; i < one.hosts[0]->arrivals.size(); ++i) {
    EXPECT_EQ(one.hosts[0]->arrivals[i].time, two.hosts[0]->arrivals[i].time);
  }
}

TEST(Network, another_seed_makes_another_run) {
  // Of the network, and of what drives it.
  Rig one(small_leaf_spine(), everything(5));
  Rig other_network(small_leaf_spine(), everything(6));
  Rig other_traffic(small_leaf_spine(), everything(5));
  run_everything(&one, 5);
  run_everything(&other_network, 5);
  run_everything(&other_traffic, 6);
  EXPECT_NE(one.network.trace_hash(), other_network.network.trace_hash());
  EXPECT_NE(one.network.trace_hash(), other_traffic.network.trace_hash());
}

// Held to a figure, so that optimised, debug and sanitizer builds are known to agree. It changes
// with whatever changes the events of a run, and with nothing else.
TEST(Network, every_build_makes_the_same_run) {
  Rig rig(small_leaf_spine(), everything(1));
  run_everything(&rig, 1);
  EXPECT_EQ(rig.network.trace_hash(), 0xf313054d3136d336u) << std::hex << rig.network.trace_hash();
}

// Another host's traffic, or another host, changes nothing of what is drawn for this one.
TEST(Network, random_streams_do_not_disturb_one_another) {
  const auto losses = [](bool noise) {
    NetworkConfig config = with_ring(1 << 24);
    config.loss.loss = chance(0.1);
    Rig rig("single16-100g", config);
    for (uint64_t i = 0; i < 500; ++i) {
      rig.send(0, 1, 84, [&](Packet& packet) { packet.user = i; });
      if (noise) rig.send(2, 3, 84);
    }
    rig.drain();
    std::vector<uint64_t> arrived;
    for (const ArrivalRecord& arrival : rig.hosts[1]->arrivals) {
      arrived.push_back(arrival.packet.user);
    }
    return arrived;
  };
  EXPECT_EQ(losses(false), losses(true));
}

// Statistics.

TEST(Network, knows_queues_by_port_and_downlinks_by_leaf) {
  Topology topology = single_switch("funnel", {.hosts = 5, .gbps = 800});
  topology.links[3].gbps = topology.links[4].gbps = 10;
  Rig rig(topology, with_ring(1 << 20));
  EXPECT_EQ(rig.network.leaves(), std::vector<uint32_t>{0});
  for (int i = 0; i < 5; ++i) rig.send(0, 4, 1'000);
  for (int i = 0; i < 3; ++i) rig.send(1, 3, 1'000);
  rig.network.run_until(Picos(100'000));
  EXPECT_EQ(rig.network.downlink_bytes(0), 6'000u);
  rig.drain();
  EXPECT_EQ(rig.network.max_downlink_bytes(0), 6'000u);
  EXPECT_EQ(rig.network.downlink_bytes(0), 0u);
  const auto ports = rig.network.ports();
  ASSERT_EQ(ports.size(), 10u);
  EXPECT_EQ(ports[9].node, topology.switch_node(0));
  EXPECT_EQ(ports[9].peer, 4u);
  EXPECT_EQ(ports[9].link, 4u);
  EXPECT_EQ(ports[9].sent_packets, 5u);
  EXPECT_EQ(ports[9].sent_bytes, 5'000u);
  EXPECT_EQ(ports[9].max_queue_bytes, 4'000u);
  EXPECT_EQ(ports[7].max_queue_bytes, 2'000u);
  rig.network.start_window();
  EXPECT_EQ(rig.network.max_downlink_bytes(0), 0u);
  EXPECT_EQ(rig.network.ports()[9].max_queue_bytes, 0u);
  EXPECT_EQ(rig.network.ports()[9].sent_packets, 5u);
}

TEST(Network, samples_downlinks_at_even_times) {
  Topology topology = single_switch("funnel", {.hosts = 3, .gbps = 800});
  topology.links[2].gbps = 10;
  NetworkConfig config = with_ring(1 << 20);
  config.sample_period = Picos(800'000);  // 1000 bytes at 10 Gb/s.
  config.max_samples = 6;
  Rig rig(topology, config);
  for (int i = 0; i < 5; ++i) rig.send(0, 2, 1'000);
  rig.network.run_until(10 * kMicrosecond);
  // The first packet starts after 10 ns, and one more every 800 ns.
  EXPECT_EQ(rig.network.samples(), (std::vector<uint32_t>{4'000, 3'000, 2'000, 1'000, 0, 0}));
  rig.network.start_window();
  EXPECT_TRUE(rig.network.samples().empty());
  rig.network.run_until(12 * kMicrosecond);
  EXPECT_EQ(rig.network.samples(), (std::vector<uint32_t>{0, 0}));
}

TEST(Network, samples_are_taken_leaf_by_leaf) {
  NetworkConfig config = with_ring(1 << 20);
  config.sample_period = kMicrosecond;
  config.max_samples = 3;
  Rig rig(small_leaf_spine(), config);
  EXPECT_EQ(rig.network.leaves(), (std::vector<uint32_t>{0, 1, 2}));
  // Two of rack 1 send to a third: half of what comes has to wait.
  for (int i = 0; i < 40; ++i) {
    rig.send(4, 6);
    rig.send(5, 6);
  }
  rig.network.run_until(5 * kMicrosecond);
  const auto& samples = rig.network.samples();
  ASSERT_EQ(samples.size(), 9u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(samples[3 * i + 0], 0u);
    EXPECT_GT(samples[3 * i + 1], 0u);
    EXPECT_EQ(samples[3 * i + 2], 0u);
  }
}

}  // namespace
}  // namespace sluice::sim
