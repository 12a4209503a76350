// SPDX-License-Identifier: Apache-2.0
#include "engine/record_chain.h"

#include "inline_test_util.h"
#include "wire/checksum.h"

namespace sluice::engine {
namespace {

class RecordChainTest : public InlineTest {};

TEST_F(RecordChainTest, joins_pieces_behind_one_set_of_headers) {
  for (const bool v4 : {true, false}) {
    const Route route = inline_route(v4);
    RecordChain chain;
    auto parts = pieces(5, 1, false);
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(chain.add(parts[0].first, parts[0].second, route, 50'000), nullptr);
    EXPECT_EQ(chain.add(parts[1].first, parts[1].second, route, 50'000), nullptr);
    rte_mbuf* const whole = chain.add(parts[2].first, parts[2].second, route, 50'000);
    ASSERT_EQ(whole, parts[0].first);
    const size_t headers = route.frame.header_size() + wire::kRecordHeaderSize;
    EXPECT_EQ(whole->nb_segs, 3u);
    EXPECT_EQ(whole->pkt_len, headers + wire::record_size(kContent));
    EXPECT_EQ(whole->l2_len + whole->l3_len + whole->l4_len, headers);
    EXPECT_EQ(whole->tso_segsz, 1452 - wire::kRecordHeaderSize);
    EXPECT_NE(whole->ol_flags & RTE_MBUF_F_TX_TCP_SEG, 0u);
    Bytes bytes(whole->pkt_len);
    const auto* read =
        static_cast<const uint8_t*>(rte_pktmbuf_read(whole, 0, whole->pkt_len, bytes.data()));
    Bytes expected(wire::record_size(kContent));
    std::array<uint8_t, wire::kRecordHeaderSize> first;
    header(5, 1).emit(first.data());
    wire::lay_out_record(first.data(), content(1), expected.data());
    EXPECT_EQ(Bytes(read + headers, read + whole->pkt_len), expected);
    // What a segmenting NIC finishes for each packet: the pseudo-header's sum without a length.
    const uint8_t* const ip = read + wire::kEthernetHeaderSize;
    const auto address = [&](size_t at) {
      return v4 ? wire::IpAddress::from_v4_bytes(ip + at) : wire::IpAddress::from_v6_bytes(ip + at);
    };
    const uint64_t sum = wire::pseudo_header_sum(address(v4 ? 12 : 8), address(v4 ? 16 : 24),
                                                 wire::kProtocolNative, 0);
    EXPECT_EQ(base::load_be16(read + route.frame.header_size() + wire::offsets::kChecksum),
              wire::checksum_fold(sum));
    rte_pktmbuf_free(whole);
    EXPECT_EQ(chain.take_given_up(), 0u);
  }
}

TEST_F(RecordChainTest, a_record_of_one_packet_is_not_segmented) {
  RecordChain chain;
  transport::TxPacket way;
  const Bytes bytes = content(0);
  wire::RecordHeader small = header(5, 0);
  small.length = static_cast<uint16_t>(wire::record_size(100));
  staged.begin(small, std::span(bytes).first(100), {}, way);
  staged.leave_to_port(1);
  rte_mbuf* const buffer = rte_pktmbuf_alloc(pool);
  transport::TxPacket slot = slot_of(buffer);
  staged.cut(&slot, 1452);
  rte_mbuf* const whole = chain.add(buffer, slot, inline_route(true), 1);
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->ol_flags & RTE_MBUF_F_TX_TCP_SEG, 0u);
  rte_pktmbuf_free(whole);
}

TEST_F(RecordChainTest, a_record_whose_rest_does_not_come_is_given_up) {
  const Route route = inline_route(true);
  RecordChain chain;
  auto first = pieces(5, 0, false);
  EXPECT_EQ(chain.add(first[0].first, first[0].second, route, 1), nullptr);
  rte_pktmbuf_free(first[1].first);
  rte_pktmbuf_free(first[2].first);
  rte_mbuf* whole = nullptr;
  for (auto& [buffer, slot] : pieces(6, 0, false)) whole = chain.add(buffer, slot, route, 1);
  ASSERT_NE(whole, nullptr);
  EXPECT_EQ(whole->nb_segs, 3u);
  EXPECT_EQ(chain.take_given_up(), 1u);
  EXPECT_EQ(chain.take_given_up(), 0u);
  rte_pktmbuf_free(whole);
  // Nor is a record with a gap.
  auto gap = pieces(8, 0, false);
  EXPECT_EQ(chain.add(gap[0].first, gap[0].second, route, 1), nullptr);
  rte_pktmbuf_free(gap[1].first);
  chain.give_up();
  EXPECT_EQ(chain.add(gap[2].first, gap[2].second, route, 1), nullptr);
  EXPECT_EQ(chain.take_given_up(), 1u);
  // Nor does anything come of one without its beginning.
  auto second = pieces(7, 0, false);
  rte_pktmbuf_free(second[0].first);
  EXPECT_EQ(chain.add(second[1].first, second[1].second, route, 1), nullptr);
  EXPECT_EQ(chain.add(second[2].first, second[2].second, route, 1), nullptr);
}

}  // namespace
}  // namespace sluice::engine
