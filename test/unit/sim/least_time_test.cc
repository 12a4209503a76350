// SPDX-License-Identifier: Apache-2.0
#include "sim/least_time.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::sim {
namespace {

constexpr Packetisation kPackets{.payload = 900, .overhead = 100};
constexpr Picos kLink(3'000);

// Two racks of two hosts, 10 Gb/s (800 ps a byte), and one spine with links of 10 Gb/s.
Topology two_racks() {
  return leaf_spine("two", {.racks = 2,
                            .hosts_per_rack = 2,
                            .spines = 1,
                            .host_gbps = 10,
                            .fabric_gbps = 10,
                            .host_link_delay = kLink,
                            .fabric_link_delay = kLink});
}

MessageRecord message(uint16_t src, uint16_t dst, uint32_t size) {
  MessageRecord record;
  record.src = src;
  record.dst = dst;
  record.size = size;
  return record;
}

TEST(LeastTime, nothing_takes_no_time) {
  EXPECT_EQ(least_time(two_racks(), kPackets, {}), Picos());
}

TEST(LeastTime, a_receiver_has_one_link) {
  const std::vector<MessageRecord> incast = {message(0, 1, 9'000), message(2, 1, 1'800)};
  // The nearer sender's two links.
  EXPECT_EQ(least_time(two_racks(), kPackets, incast), picos(12'000 * 800) + kLink + kLink);
}

TEST(LeastTime, a_sender_has_one_link) {
  const std::vector<MessageRecord> messages = {message(0, 2, 900), message(0, 3, 900)};
  EXPECT_EQ(least_time(two_racks(), kPackets, messages), picos(2'000 * 800 + 4 * kLink.value()));
}

TEST(LeastTime, a_rack_shares_its_links_to_spines) {
  const std::vector<MessageRecord> across = {message(0, 2, 9'000), message(1, 3, 9'000)};
  EXPECT_EQ(least_time(two_racks(), kPackets, across), picos(20'000 * 800 + 4 * kLink.value()));
  const std::vector<MessageRecord> within = {message(0, 1, 9'000), message(1, 0, 9'000)};
  EXPECT_EQ(least_time(two_racks(), kPackets, within), picos(10'000 * 800 + 2 * kLink.value()));
}

}  // namespace
}  // namespace sluice::sim
