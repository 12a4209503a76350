// SPDX-License-Identifier: Apache-2.0
//
// How long a large message keeps a small one waiting, in packets: the bursts of two endpoints are
// carried by hand, and the receiver is given one packet at a time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "test/unit/transport/pair.h"

namespace sluice::transport {
namespace {

constexpr uint32_t kLarge = 1'000'000;
constexpr uint32_t kSmall = 64;
constexpr uint16_t kLargeService = 1;
constexpr uint16_t kSmallService = 2;
constexpr size_t kBurst = 32;

using Packet = std::vector<uint8_t>;

// Two lanes between two endpoints, and what has come out of either.
class Bench {
 public:
  explicit Bench(EndpointConfig config = {})
      : pair_(config, config),
        large_(content(1, kLarge)),
        small_(content(2, kSmall)),
        buffers_(kBurst * kBufferBytes) {
    for (uint8_t i = 0; i < 2; ++i) {
      pair_.connect(7 + i, i);
      for (int side = 0; side < 2; ++side) lanes_[i][side] = pair_.lane(side);
    }
    // Both lanes have been used before: the peers know their round trip.
    for (int i = 0; i < 2; ++i) {
      pair_.use_lane(Pair::kClient, lanes_[i][Pair::kClient]);
      pair_.call(static_cast<uint64_t>(i), kSmall);
    }
    EXPECT_TRUE(pair_.run([&] { return pair_.completed() == 2 && pair_.quiet(); }));
    now_ = pair_.now();
  }

  Endpoint& side(int which) { return pair_.side(which); }

  void send(int from, int lane, uint16_t service, const std::vector<uint8_t>& bytes) {
    SendOneWay command;
    command.lane = lanes_[lane][from];
    command.service = service;
    command.data = bytes.data();
    command.length = static_cast<uint32_t>(bytes.size());
    ASSERT_EQ(side(from).submit(command, now_), base::Code::kOk);
  }
  void send_large(int from, int lane) { send(from, lane, kLargeService, large_); }
  void send_small(int from, int lane) { send(from, lane, kSmallService, small_); }

  // One burst of a side: at most kBurst packets.
  std::vector<Packet> burst(int from) {
    std::array<TxPacket, kBurst> slots{};
    for (size_t i = 0; i < kBurst; ++i) {
      slots[i].data = &buffers_[i * kBufferBytes];
      slots[i].capacity = pair_.config(from).max_packet;
    }
    const size_t used = side(from).poll_tx(slots, now_);
    std::vector<Packet> out;
    for (size_t i = 0; i < used; ++i) {
      out.emplace_back(slots[i].data, slots[i].data + slots[i].length);
    }
    return out;
  }

  // Gives the packets one after the other, and answers how many came before the one that completed
  // a small message; nullopt: none did.
  std::optional<size_t> give(int to, const std::vector<Packet>& packets) {
    std::optional<size_t> place;
    for (size_t i = 0; i < packets.size(); ++i) {
      Packet bytes = packets[i];
      RxPacket packet;
      packet.data = bytes.data();
      packet.length = static_cast<uint32_t>(bytes.size());
      side(to).on_rx({&packet, 1}, now_);
      if (take_events(to) && !place) place = i;
    }
    return place;
  }

  // A turn of both sides without a new message.
  void turn() {
    now_ = base::after(now_, base::micros(5));
    for (int from = 0; from < 2; ++from) {
      side(from).on_deadline(now_);
      give(1 - from, burst(from));
      take_events(from);
    }
  }

  uint64_t large_received() const { return large_received_; }

 private:
  static constexpr size_t kBufferBytes = 2048;

  // Whether a small message was among what the side has to say.
  bool take_events(int which) {
    bool small = false;
    std::array<Event, 16> events;
    for (size_t count = side(which).poll_events(events); count > 0;
         count = side(which).poll_events(events)) {
      for (size_t i = 0; i < count; ++i) {
        if (events[i].kind != EventKind::kOneWay) continue;
        small |= events[i].service == kSmallService;
        large_received_ += events[i].service == kLargeService ? 1 : 0;
        side(which).submit(ReleaseMessage{events[i].exchange}, now_);
      }
    }
    return small;
  }

  Pair pair_;
  LaneRef lanes_[2][2];
  std::vector<uint8_t> large_;
  std::vector<uint8_t> small_;
  std::vector<uint8_t> buffers_;
  base::Nanos now_;
  uint64_t large_received_ = 0;
};

// While a large message is under way on lane 0, after each turn a small one is submitted on
// `lane`: the most packets that ever came before it, and that it never missed the next burst.
size_t most_before_a_small_one(Bench* bench, int lane, int small_from) {
  bench->send_large(Pair::kClient, 0);
  size_t most = 0;
  int sent = 0;
  while (bench->large_received() == 0 && sent < 10'000) {
    bench->send_small(small_from, lane);
    ++sent;
    const std::optional<size_t> place = bench->give(1 - small_from, bench->burst(small_from));
    EXPECT_TRUE(place.has_value()) << "not in the next burst: small message " << sent;
    most = std::max(most, place.value_or(kBurst));
    bench->turn();
  }
  EXPECT_EQ(bench->large_received(), 1u);
  EXPECT_GT(sent, 10) << "the large one took many bursts";
  return most;
}

EndpointConfig config_of(bool records, bool bundling, GrantPolicyKind policy) {
  EndpointConfig config;
  config.record_mode = records;
  config.bundling = bundling;
  config.grant_policy = policy;
  return config;
}

class Interference : public testing::TestWithParam<EndpointConfig> {};

TEST_P(Interference, a_small_message_of_another_lane_is_in_the_very_next_burst) {
  Bench bench(GetParam());
  EXPECT_LT(most_before_a_small_one(&bench, 1, Pair::kClient), kBurst);
}

TEST_P(Interference, one_of_the_same_lane_is_too) {
  Bench bench(GetParam());
  EXPECT_LT(most_before_a_small_one(&bench, 0, Pair::kClient), kBurst);
}

TEST_P(Interference, a_receiver_of_a_large_message_sends_its_small_ones_as_soon) {
  for (int lane = 0; lane < 2; ++lane) {
    Bench bench(GetParam());
    EXPECT_LT(most_before_a_small_one(&bench, lane, Pair::kServer), kBurst) << lane;
  }
}

std::string name_of(const testing::TestParamInfo<EndpointConfig>& setting) {
  const char* const names[] = {"hybrid", "without_bundles", "records", "homa", "sird", "fair"};
  return names[setting.index];
}

INSTANTIATE_TEST_SUITE_P(Settings, Interference,
                         testing::Values(config_of(false, true, GrantPolicyKind::kHybrid),
                                         config_of(false, false, GrantPolicyKind::kHybrid),
                                         config_of(true, true, GrantPolicyKind::kHybrid),
                                         config_of(false, true, GrantPolicyKind::kHoma),
                                         config_of(false, true, GrantPolicyKind::kSird),
                                         config_of(false, true, GrantPolicyKind::kFair)),
                         name_of);

// In packet mode nothing of the large message goes before the small one at all.
TEST(InterferenceInPackets, a_small_message_is_the_first_packet_of_the_next_burst) {
  for (int lane = 0; lane < 2; ++lane) {
    Bench bench;
    EXPECT_LE(most_before_a_small_one(&bench, lane, Pair::kClient), 1u) << "lane " << lane;
  }
}

}  // namespace
}  // namespace sluice::transport
