// SPDX-License-Identifier: Apache-2.0
#include "sim/topology.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::sim {
namespace {

Topology named(absl::string_view name) {
  auto topology = topology_named(name);
  EXPECT_TRUE(topology.ok()) << topology.status();
  return *topology;
}

// A full frame there, the shortest one back, in nanoseconds.
double round_trip_ns(const Topology& topology, uint32_t a, uint32_t b) {
  const auto there = path_between(topology, a, b);
  const auto back = path_between(topology, b, a);
  return (unloaded_packet(there, 1538) + unloaded_packet(back, 84)).value() / 1e3;
}

TEST(Topology, all_names_are_known_and_valid) {
  EXPECT_EQ(topology_names().size(), 9u);
  for (const absl::string_view name : topology_names()) {
    const Topology topology = named(name);
    EXPECT_EQ(topology.name, name);
    EXPECT_TRUE(validate(topology).ok()) << name << ": " << validate(topology);
  }
}

TEST(Topology, an_unknown_name_is_told_the_choices_in_one_line) {
  const auto topology = topology_named("ring5");
  ASSERT_FALSE(topology.ok());
  const std::string message(topology.status().message());
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_NE(message.find("ring5"), std::string::npos);
  for (const absl::string_view name : topology_names()) {
    EXPECT_NE(message.find(std::string(name)), std::string::npos) << name;
  }
}

TEST(Topology, leaf_spine_is_laid_out_as_its_comment_says) {
  const Topology t = named("leafspine144-100g");
  EXPECT_EQ(t.hosts, 144u);
  EXPECT_EQ(t.switches, 13u);
  ASSERT_EQ(t.links.size(), 144u + 9 * 4);
  for (uint32_t h = 0; h < 144; ++h) {
    EXPECT_EQ(t.links[h].a, h);
    EXPECT_EQ(t.links[h].b, t.switch_node(h / 16));
    EXPECT_EQ(t.links[h].gbps, 100u);
  }
  for (uint32_t rack = 0; rack < 9; ++rack) {
    for (uint32_t spine = 0; spine < 4; ++spine) {
      const LinkSpec& link = t.links[144 + 4 * rack + spine];
      EXPECT_EQ(link.a, t.switch_node(rack));
      EXPECT_EQ(link.b, t.switch_node(9 + spine));
      EXPECT_EQ(link.gbps, 400u);
    }
  }
  EXPECT_EQ(link_between(t, t.switch_node(12), t.switch_node(8)), LinkId{179});
  EXPECT_EQ(link_between(t, 0, 1), std::nullopt);
}

TEST(Topology, round_trips_are_those_of_the_sources) {
  EXPECT_NEAR(round_trip_ns(named("leafspine144-10g"), 0, 143), 7'750, 10);
  EXPECT_NEAR(round_trip_ns(named("leafspine144-100g"), 0, 1), 5'500, 50);
  EXPECT_NEAR(round_trip_ns(named("leafspine144-100g"), 0, 143), 7'500, 50);
  EXPECT_NEAR(round_trip_ns(named("leafspine144-100g-soft"), 0, 1), 15'300, 50);
  EXPECT_NEAR(round_trip_ns(named("leafspine144-100g-soft"), 0, 143), 17'300, 50);
  EXPECT_NEAR(round_trip_ns(named("pair-50ms"), 0, 1), 50'000'000, 1'000);
}

TEST(Topology, uplinks_carry_what_the_name_says) {
  const auto uplink_gbps = [](absl::string_view name) {
    const Topology t = named(name);
    uint32_t sum = 0;
    for (const LinkSpec& link : t.links) sum += link.a == t.switch_node(0) ? link.gbps : 0;
    return sum;
  };
  EXPECT_EQ(uplink_gbps("leafspine144-10g"), 160u);
  EXPECT_EQ(uplink_gbps("leafspine144-100g"), 1'600u);
  EXPECT_EQ(uplink_gbps("oversub144-100g"), 800u);
  EXPECT_EQ(uplink_gbps("oversub4-144-100g"), 400u);
}

TEST(Topology, paths_have_the_hops_there_are) {
  const Topology t = named("leafspine144-10g");
  EXPECT_EQ(path_between(t, 3, 3).size(), 0u);
  EXPECT_EQ(path_between(t, 0, 15).size(), 2u);
  const auto far = path_between(t, 0, 16);
  ASSERT_EQ(far.size(), 4u);
  EXPECT_EQ(far[0].picos_per_byte, 800u);
  EXPECT_EQ(far[1].picos_per_byte, 200u);
  EXPECT_EQ(far[0].after, Picos(750'000));    // The sender's 0.5 us and the leaf's 0.25 us.
  EXPECT_EQ(far[3].after, Picos(1'000'000));  // The receiver.
}

TEST(Topology, a_message_of_one_packet_takes_what_a_packet_takes) {
  const auto path = path_between(named("leafspine144-10g"), 0, 143);
  EXPECT_EQ(unloaded_message(path, 0, 1538, 200), unloaded_packet(path, 200));
  EXPECT_EQ(unloaded_message(path, 1, 1538, 0), unloaded_packet(path, 1538));
}

TEST(Topology, a_long_message_takes_its_slowest_link_and_the_pipeline) {
  const auto path = path_between(named("leafspine144-10g"), 0, 143);
  const Picos one = unloaded_packet(path, 1538);
  EXPECT_EQ(unloaded_message(path, 1000, 1538, 0), one + Picos(999ull * 1538 * 800));
  // A short packet behind a full one waits for it at the last hop, and is 100 bytes behind.
  EXPECT_EQ(unloaded_message(path, 1000, 1538, 100),
            one + Picos(999ull * 1538 * 800) + Picos(100 * 800));
}

class InvalidTopology : public testing::Test {
 protected:
  void expect_refused(absl::string_view field) {
    const absl::Status status = validate(topology_);
    ASSERT_FALSE(status.ok());
    EXPECT_TRUE(status.message().substr(0, field.size()) == field) << status.message();
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
  }

  Topology topology_ = single_switch("four", {.hosts = 4});
};

TEST_F(InvalidTopology, no_hosts) {
  topology_.hosts = 0;
  expect_refused("hosts:");
}

TEST_F(InvalidTopology, too_many_hosts) {
  topology_.hosts = kMaxHosts + 1;
  expect_refused("hosts:");
}

TEST_F(InvalidTopology, no_switches) {
  topology_.switches = 0;
  expect_refused("switches:");
}

TEST_F(InvalidTopology, too_many_switches) {
  topology_.switches = kMaxSwitches + 1;
  expect_refused("switches:");
}

TEST_F(InvalidTopology, a_link_to_nowhere) {
  topology_.links[2].b = 9;
  expect_refused("links[2]:");
}

TEST_F(InvalidTopology, a_link_to_itself) {
  topology_.links[2].b = 2;
  expect_refused("links[2]:");
}

TEST_F(InvalidTopology, two_hosts_joined) {
  topology_.links[2].b = 3;
  expect_refused("links[2]:");
}

TEST_F(InvalidTopology, a_rate_that_is_not_exact) {
  topology_.links[1].gbps = 300;
  expect_refused("links[1].gbps:");
}

TEST_F(InvalidTopology, a_host_with_two_links) {
  topology_.links.push_back(topology_.links[3]);
  expect_refused("links: host 3");
}

TEST_F(InvalidTopology, a_host_without_link) {
  topology_.links.pop_back();
  expect_refused("links: host 3");
}

TEST_F(InvalidTopology, two_islands) {
  topology_.switches = 2;
  topology_.links[3].b = topology_.switch_node(1);
  expect_refused("links: host 0 cannot reach host 3");
}

}  // namespace
}  // namespace sluice::sim
