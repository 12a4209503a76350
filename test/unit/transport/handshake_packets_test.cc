// SPDX-License-Identifier: Apache-2.0
#include "transport/handshake_packets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/prng.h"

namespace sluice::transport {
namespace {

using crypto::HandshakeType;

std::vector<uint8_t> message_of(size_t size) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i * 7 + i / 251);
  return out;
}

wire::HandshakeView view_of(const PacketBytes& packet) {
  return *wire::HandshakeView::parse(packet.data(), packet.size());
}

std::optional<std::vector<uint8_t>> add(MessageJoiner* joiner, const PacketBytes& packet) {
  return joiner->add(view_of(packet), view_of(packet).fragment());
}

TEST(HandshakePackets, every_packet_fits_and_names_its_attempt) {
  std::vector<PacketBytes> packets;
  ASSERT_TRUE(split_message(77, HandshakeType::kServerHello, {}, message_of(5000), &packets));
  ASSERT_EQ(packets.size(), 5u);
  for (size_t i = 0; i < packets.size(); ++i) {
    EXPECT_LE(packets[i].size(), kHandshakePacketSize);
    EXPECT_EQ(view_of(packets[i]).connection_id(), 77u);
    EXPECT_EQ(view_of(packets[i]).session(), 0u);
    EXPECT_EQ(view_of(packets[i]).lane(), wire::kHandshakeLane);
    EXPECT_EQ(view_of(packets[i]).fragment_index(), i);
    EXPECT_EQ(view_of(packets[i]).fragment_count(), 5);
  }
}

TEST(HandshakePackets, a_full_hello_fills_its_packet) {
  for (const size_t token_size : {0u, 20u, 64u}) {
    const std::vector<uint8_t> token(token_size, 9);
    std::vector<PacketBytes> packets;
    ASSERT_TRUE(split_message(1, HandshakeType::kClientHello, token,
                              message_of(full_hello_size(token_size)), &packets));
    ASSERT_EQ(packets.size(), 1u);
    EXPECT_EQ(packets[0].size(), kHandshakePacketSize);
    const auto hello = split_hello_fragment(view_of(packets[0]).fragment());
    ASSERT_TRUE(hello);
    EXPECT_TRUE(std::equal(hello->token.begin(), hello->token.end(), token.begin(), token.end()));
    EXPECT_EQ(hello->fragment.size(), full_hello_size(token_size));
  }
}

TEST(HandshakePackets, hello_fragments_that_lie_about_their_token_are_malformed) {
  EXPECT_FALSE(split_hello_fragment({}));
  const std::vector<uint8_t> too_long = {5, 1, 2, 3, 4, 5};
  EXPECT_FALSE(split_hello_fragment(too_long));
  std::vector<uint8_t> over(200, 1);
  over[0] = 65;
  EXPECT_FALSE(split_hello_fragment(over));
  const std::vector<uint8_t> nothing = {0};
  EXPECT_FALSE(split_hello_fragment(nothing));
}

TEST(HandshakePackets, messages_over_the_limit_are_not_cut) {
  std::vector<PacketBytes> packets;
  EXPECT_TRUE(split_message(1, HandshakeType::kServerHello, {},
                            message_of(crypto::kMaxHandshakeMessage), &packets));
  packets.clear();
  EXPECT_FALSE(split_message(1, HandshakeType::kServerHello, {},
                             message_of(crypto::kMaxHandshakeMessage + 1), &packets));
  EXPECT_TRUE(packets.empty());
}

TEST(HandshakePackets, fragments_join_in_any_order_with_repetitions) {
  base::Prng prng(3);
  for (const size_t size : {0u, 1u, 1172u, 1173u, 9000u, 16384u}) {
    const std::vector<uint8_t> message = message_of(size);
    std::vector<PacketBytes> packets;
    ASSERT_TRUE(split_message(1, HandshakeType::kServerHello, {}, message, &packets));
    MessageJoiner joiner;
    std::vector<PacketBytes> order = packets;
    if (packets.size() > 1) order.insert(order.end(), packets.begin(), packets.end() - 1);
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[prng.uniform(i)]);
    int whole = 0;
    for (const auto& packet : order) {
      const auto joined = add(&joiner, packet);
      if (!joined) continue;
      ++whole;
      EXPECT_EQ(*joined, message);
    }
    EXPECT_EQ(whole, 1) << size;
  }
}

TEST(HandshakePackets, a_forged_fragment_costs_one_round_only) {
  const std::vector<uint8_t> message = message_of(3000);
  std::vector<PacketBytes> packets;
  ASSERT_TRUE(split_message(1, HandshakeType::kServerHello, {}, message, &packets));
  MessageJoiner joiner;
  PacketBytes forged = packets[1];
  forged.back() = static_cast<uint8_t>(forged.back() ^ 1);
  EXPECT_FALSE(add(&joiner, forged));
  std::optional<std::vector<uint8_t>> joined;
  for (const auto& packet : packets) {
    if (auto whole = add(&joiner, packet)) joined = whole;
  }
  ASSERT_TRUE(joined);
  EXPECT_NE(*joined, message);
  joined.reset();
  for (const auto& packet : packets) {
    if (auto whole = add(&joiner, packet)) joined = whole;
  }
  ASSERT_TRUE(joined);
  EXPECT_EQ(*joined, message);
}

TEST(HandshakePackets, what_a_joiner_holds_is_bounded) {
  MessageJoiner joiner;
  base::Prng prng(4);
  for (int i = 0; i < 20'000; ++i) {
    PacketBytes packet(kHandshakePacketSize);
    wire::HandshakeHeader header;
    header.message_type = static_cast<uint8_t>(prng.next_u64());
    header.fragment_count = static_cast<uint8_t>(2 + prng.uniform(15));
    header.fragment_index = static_cast<uint8_t>(prng.uniform(header.fragment_count));
    header.emit(packet.data());
    add(&joiner, packet);
    ASSERT_LE(joiner.bytes_held(),
              kMaxJoinedTypes * wire::kMaxHandshakeFragments * kHandshakePacketSize);
  }
}

TEST(HandshakePackets, more_types_than_allowed_push_out_others_but_single_packets_pass) {
  MessageJoiner joiner;
  for (uint8_t type = 0x20; type < 0x30; ++type) {
    std::vector<PacketBytes> packets;
    ASSERT_TRUE(split_message(1, static_cast<HandshakeType>(type), {}, message_of(2000), &packets));
    EXPECT_FALSE(add(&joiner, packets[0]));
  }
  std::vector<PacketBytes> single;
  ASSERT_TRUE(split_message(1, HandshakeType::kServerDone, {}, message_of(32), &single));
  EXPECT_EQ(*add(&joiner, single[0]), message_of(32));
  std::vector<PacketBytes> several;
  ASSERT_TRUE(split_message(1, HandshakeType::kServerHello, {}, message_of(2000), &several));
  EXPECT_FALSE(add(&joiner, several[0]));
  EXPECT_EQ(*add(&joiner, several[1]), message_of(2000));
}

}  // namespace
}  // namespace sluice::transport
