// SPDX-License-Identifier: Apache-2.0
#include "engine/model_frame.h"

#include "inline_test_util.h"

namespace sluice::engine {
namespace {

class ModelFrameTest : public InlineTest {
 protected:
  // The frame of a record in one piece.
  ModelFrame whole_of(uint32_t index) {
    rte_mbuf* const chain = frame(5, index);
    bytes_.assign(chain->pkt_len, 0);
    size_t at = 0;
    for (const rte_mbuf* part = chain; part != nullptr; part = part->next) {
      std::memcpy(bytes_.data() + at, rte_pktmbuf_mtod(part, const uint8_t*), part->data_len);
      at += part->data_len;
    }
    ModelFrame out{.data = bytes_.data(),
                   .size = bytes_.size(),
                   .l2 = chain->l2_len,
                   .l3 = chain->l3_len,
                   .segment = chain->tso_segsz,
                   .v4 = true};
    out.headers = out.l2 + out.l3 + chain->l4_len;
    rte_pktmbuf_free(chain);
    return out;
  }
  Bytes bytes_;
};

TEST_F(ModelFrameTest, a_record_is_known_by_its_framing) {
  const ModelFrame whole = whole_of(0);
  EXPECT_TRUE(holds_a_record(whole));
  ModelFrame shorter = whole;
  --shorter.size;
  EXPECT_FALSE(holds_a_record(shorter));
  shorter.size = shorter.headers + 4;
  EXPECT_FALSE(holds_a_record(shorter));
  whole.data[whole.headers] = 22;
  EXPECT_FALSE(holds_a_record(whole)) << "a handshake record";
}

TEST_F(ModelFrameTest, a_record_out_of_turn_is_garbled) {
  ModelPosition at;
  ModelFrame whole = whole_of(0);
  EXPECT_FALSE(seal_in_turn(whole, key, &at, backend)) << "nobody has said where it begins";
  at = {.synced = true, .sequence = sequence_of(whole_of(0)), .number = number(5, 0)};
  for (uint32_t index = 0; index < 2; ++index) {
    whole = whole_of(index);
    EXPECT_TRUE(seal_in_turn(whole, key, &at, backend));
    std::array<rte_mbuf*, 16> out;
    size_t count = 0;
    ASSERT_TRUE(cut_frame(whole, out, &count, pool));
    std::vector<Bytes> packets;
    for (size_t i = 0; i < count; ++i) {
      const auto* data = rte_pktmbuf_mtod(out[i], const uint8_t*);
      packets.emplace_back(data, data + out[i]->data_len);
      rte_pktmbuf_free(out[i]);
    }
    EXPECT_TRUE(opens(packets, number(5, index)));
  }
  EXPECT_FALSE(seal_in_turn(whole_of(3), key, &at, backend)) << "2 is missing";
}

TEST_F(ModelFrameTest, packets_beyond_the_room_are_not_made) {
  const ModelFrame whole = whole_of(0);
  std::array<rte_mbuf*, 1> out;
  size_t count = 0;
  EXPECT_FALSE(cut_frame(whole, out, &count, pool));
  EXPECT_EQ(count, 1u);
  rte_pktmbuf_free(out[0]);
}

}  // namespace
}  // namespace sluice::engine
