// SPDX-License-Identifier: Apache-2.0
#include "engine/neighbour.h"

#include <gtest/gtest.h>

#include "wire/frame.h"

namespace sluice::engine {
namespace {

wire::IpAddress ip(const std::string& text) { return *wire::parse_ip_address(text); }

NeighbourConfig config_of(uint8_t number) {
  NeighbourConfig config;
  config.mac = wire::MacAddress{{2, 0, 0, 0, 0, number}};
  const std::string n = std::to_string(number);
  config.addresses = {*parse_ip_prefix("10.0.0." + n + "/24"),
                      *parse_ip_prefix("fd00::" + n + "/64")};
  config.gateways = {ip("10.0.0.254")};
  return config;
}

// Carries every frame of `from` to `to`; returns how many.
size_t carry(NeighbourTable* from, NeighbourTable* to, base::Nanos now) {
  size_t count = 0;
  for (const NeighbourFrame& frame : from->take_frames()) {
    const auto parsed = wire::parse_frame(frame.bytes.data(), frame.size);
    EXPECT_TRUE(parsed.kind == wire::FrameKind::kArp || parsed.kind == wire::FrameKind::kNdp);
    to->on_frame({frame.bytes.data(), frame.size}, parsed, now);
    ++count;
  }
  return count;
}

class NeighbourPair : public testing::TestWithParam<const char*> {
 protected:
  NeighbourTable a{config_of(1)};
  NeighbourTable b{config_of(2)};
};

TEST_P(NeighbourPair, asks_and_learns) {
  const wire::IpAddress wanted = ip(GetParam());
  EXPECT_FALSE(a.resolve(wanted, base::millis(1)));
  EXPECT_EQ(carry(&a, &b, base::millis(1)), 1u);
  EXPECT_EQ(carry(&b, &a, base::millis(1)), 1u);
  const auto mac = a.resolve(wanted, base::millis(2));
  ASSERT_TRUE(mac);
  EXPECT_EQ(*mac, config_of(2).mac);
  EXPECT_EQ(a.take_changes(), std::vector{wanted});
  EXPECT_EQ(a.stats().learned.value(), 1u);
  EXPECT_EQ(b.stats().answered.value(), 1u);
  // Who asked is known to the one who answered, without asking back.
  EXPECT_EQ(b.size(), 1u);
}

TEST_P(NeighbourPair, asks_again_with_back_off_until_answered) {
  const wire::IpAddress wanted = ip(GetParam());
  a.resolve(wanted, base::Nanos(0));
  base::Nanos now;
  std::vector<uint64_t> waits;
  for (int i = 0; i < 10; ++i) {
    a.take_frames();
    const base::Nanos next = a.next_deadline();
    waits.push_back((next - now).value());
    now = next;
    a.on_deadline(now);
  }
  EXPECT_EQ(waits[0], base::millis(10).value());
  EXPECT_EQ(waits[1], base::millis(20).value());
  EXPECT_EQ(waits.back(), base::seconds(1).value());
  carry(&a, &b, now);
  carry(&b, &a, now);
  EXPECT_TRUE(a.resolve(wanted, now));
  EXPECT_EQ(a.next_deadline(), now + base::seconds(30));
}

TEST_P(NeighbourPair, notices_a_new_link_address) {
  const wire::IpAddress wanted = ip(GetParam());
  a.resolve(wanted, base::millis(1));
  carry(&a, &b, base::millis(1));
  carry(&b, &a, base::millis(1));
  a.take_changes();
  NeighbourConfig restarted = config_of(2);
  restarted.mac = wire::MacAddress{{2, 0, 0, 0, 0, 99}};
  NeighbourTable c(restarted);
  c.announce(base::millis(2));
  EXPECT_EQ(carry(&c, &a, base::millis(2)), 2u);
  EXPECT_EQ(a.resolve(wanted, base::millis(3)), restarted.mac);
  EXPECT_EQ(a.stats().changed.value(), 1u);
  EXPECT_EQ(a.take_changes(), std::vector{wanted});
}

INSTANTIATE_TEST_SUITE_P(Families, NeighbourPair, testing::Values("10.0.0.2", "fd00::2"),
                         [](const auto& param) { return param.index == 0 ? "v4" : "v6"; });

TEST(NeighbourTable, next_hop_is_the_neighbour_or_the_gateway) {
  const NeighbourTable table(config_of(1));
  EXPECT_EQ(table.next_hop(ip("10.0.0.77")), ip("10.0.0.77"));
  EXPECT_EQ(table.next_hop(ip("192.0.2.1")), ip("10.0.0.254"));
  EXPECT_EQ(table.next_hop(ip("fd00::77")), ip("fd00::77"));
  EXPECT_FALSE(table.next_hop(ip("2001:db8::1")));
}

TEST(NeighbourTable, odd_prefix_lengths_are_compared_by_bits) {
  NeighbourConfig config = config_of(1);
  config.addresses = {*parse_ip_prefix("10.0.0.1/27")};
  config.gateways.clear();
  const NeighbourTable table(config);
  EXPECT_TRUE(table.next_hop(ip("10.0.0.31")));
  EXPECT_FALSE(table.next_hop(ip("10.0.0.32")));
}

TEST(NeighbourTable, answers_only_for_its_own_addresses) {
  NeighbourTable a(config_of(1));
  NeighbourTable b(config_of(2));
  a.resolve(ip("10.0.0.3"), base::millis(1));
  carry(&a, &b, base::millis(1));
  EXPECT_TRUE(b.take_frames().empty());
  EXPECT_EQ(b.size(), 0u);
}

TEST(NeighbourTable, is_bounded_and_prefers_the_answered) {
  NeighbourConfig config = config_of(1);
  config.max_entries = 4;
  NeighbourTable table(config);
  NeighbourTable peer(config_of(2));
  table.resolve(ip("10.0.0.2"), base::millis(1));
  carry(&table, &peer, base::millis(1));
  carry(&peer, &table, base::millis(1));
  for (int i = 10; i < 40; ++i) {
    table.resolve(ip("10.0.0." + std::to_string(i)), base::millis(static_cast<uint64_t>(i)));
  }
  EXPECT_EQ(table.size(), 4u);
}

TEST(NeighbourTable, a_full_table_of_answered_neighbours_refuses_and_counts) {
  NeighbourConfig config = config_of(1);
  config.max_entries = 1;
  NeighbourTable table(config);
  NeighbourTable peer(config_of(2));
  table.resolve(ip("10.0.0.2"), base::millis(1));
  carry(&table, &peer, base::millis(1));
  carry(&peer, &table, base::millis(1));
  EXPECT_FALSE(table.resolve(ip("10.0.0.3"), base::millis(2)));
  EXPECT_EQ(table.stats().limit_entries.value(), 1u);
}

TEST(NeighbourTable, forgets_who_is_not_looked_up) {
  NeighbourTable table(config_of(1));
  table.resolve(ip("10.0.0.2"), base::millis(1));
  base::Nanos now = base::millis(1);
  for (int i = 0; i < 1000 && table.size() > 0; ++i) {
    now = table.next_deadline();
    table.on_deadline(now);
  }
  EXPECT_EQ(table.size(), 0u);
  EXPECT_LT(now, base::seconds(200));
}

TEST(NeighbourTable, malformed_frames_change_nothing) {
  NeighbourTable a(config_of(1));
  NeighbourTable b(config_of(2));
  a.resolve(ip("10.0.0.2"), base::millis(1));
  NeighbourFrame frame = a.take_frames().front();
  const auto parsed = wire::parse_frame(frame.bytes.data(), frame.size);
  frame.bytes[parsed.payload_offset + 7] = 9;  // An unknown operation.
  b.on_frame({frame.bytes.data(), frame.size}, parsed, base::millis(1));
  EXPECT_EQ(b.stats().malformed.value(), 1u);
  EXPECT_EQ(b.size(), 0u);
}

}  // namespace
}  // namespace sluice::engine
