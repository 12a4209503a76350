// SPDX-License-Identifier: Apache-2.0
#include "sim/tcp_flow.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace sluice::sim {
namespace {

constexpr Picos kRtt(10'000'000);

std::vector<uint64_t> all_segments(TcpSender* sender, Picos now) {
  std::vector<uint64_t> out;
  while (sender->has_segment()) out.push_back(sender->take_segment(now));
  return out;
}

TEST(TcpSender, sends_its_window_and_goes_on_as_it_is_acknowledged) {
  TcpSender sender({.kind = TcpKind::kReno});
  EXPECT_EQ(all_segments(&sender, Picos()).size(), 10u);
  sender.on_ack(1, false, kRtt);
  EXPECT_EQ(all_segments(&sender, kRtt), (std::vector<uint64_t>{10, 11}));
}

TEST(TcpSender, three_repeated_acks_repeat_the_missing_segment_once) {
  TcpSender sender({.kind = TcpKind::kReno});
  all_segments(&sender, Picos());
  sender.on_ack(0, false, kRtt);
  sender.on_ack(0, false, kRtt);
  EXPECT_FALSE(sender.has_segment());
  sender.on_ack(0, false, kRtt);
  EXPECT_EQ(sender.take_segment(kRtt), 0u);
  EXPECT_DOUBLE_EQ(sender.control().window(), 5);
  for (int i = 0; i < 6; ++i) sender.on_ack(0, false, kRtt);
  EXPECT_DOUBLE_EQ(sender.control().window(), 5) << "one loss, one halving";
  // Nine segments have left the network: of five and nine, ten are under way.
  EXPECT_EQ(all_segments(&sender, kRtt), (std::vector<uint64_t>{10, 11, 12, 13}));
  sender.on_ack(10, false, kRtt);
  EXPECT_EQ(sender.repeated(), 1u);
  EXPECT_EQ(sender.timeouts(), 0u);
}

TEST(TcpSender, a_second_hole_is_repeated_as_the_first_is_filled) {
  TcpSender sender({.kind = TcpKind::kReno});
  all_segments(&sender, Picos());
  for (int i = 0; i < 3; ++i) sender.on_ack(0, false, kRtt);
  EXPECT_EQ(sender.take_segment(kRtt), 0u);
  sender.on_ack(4, false, kRtt);
  EXPECT_EQ(sender.take_segment(kRtt), 4u);
}

TEST(TcpSender, silence_ends_in_a_timeout_that_backs_off) {
  TcpSender sender({.kind = TcpKind::kReno, .min_rto = kRtt * 10, .first_rto = kRtt * 100});
  EXPECT_EQ(sender.deadline(), Picos::max());
  all_segments(&sender, Picos());
  EXPECT_EQ(sender.deadline(), kRtt * 100);
  sender.on_timer(kRtt * 99);
  EXPECT_EQ(sender.timeouts(), 0u) << "not yet";
  sender.on_timer(kRtt * 100);
  EXPECT_EQ(sender.timeouts(), 1u);
  EXPECT_EQ(all_segments(&sender, kRtt * 100), (std::vector<uint64_t>{0}));
  EXPECT_EQ(sender.deadline(), kRtt * 300) << "twice as long";
  sender.on_ack(10, false, kRtt * 101);
  EXPECT_EQ(sender.deadline(), Picos::max()) << "nothing is under way";
}

TEST(TcpReceiver, acknowledges_the_first_that_is_missing) {
  TcpReceiver receiver;
  EXPECT_EQ(receiver.on_segment(0), 1u);
  EXPECT_EQ(receiver.on_segment(2), 1u);
  EXPECT_EQ(receiver.on_segment(2), 1u);
  EXPECT_EQ(receiver.received(), 2u) << "each once";
  EXPECT_EQ(receiver.on_segment(1), 3u);
  EXPECT_EQ(receiver.on_segment(0), 3u);
  EXPECT_EQ(receiver.received(), 3u);
}

// Over a link that loses every 50th packet everything arrives, in order.
TEST(TcpFlow, losses_are_made_good) {
  TcpSender sender({.kind = TcpKind::kReno});
  TcpReceiver receiver;
  std::deque<uint64_t> link;
  uint64_t sent = 0;
  Picos now;
  for (int round = 0; round < 2000; ++round) {
    now += kRtt;
    sender.on_timer(now);
    while (sender.has_segment()) {
      const uint64_t segment = sender.take_segment(now);
      if (++sent % 50 != 0) link.push_back(segment);
    }
    for (; !link.empty(); link.pop_front()) {
      sender.on_ack(receiver.on_segment(link.front()), false, now + kRtt);
    }
  }
  EXPECT_GT(receiver.received(), 10'000u);
  EXPECT_GT(sender.repeated(), 100u);
  EXPECT_LT(sender.repeated(), sent / 20);
}

}  // namespace
}  // namespace sluice::sim
