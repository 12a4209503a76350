// SPDX-License-Identifier: Apache-2.0
#include "engine/model_nic.h"

#include "inline_test_util.h"
#include "wire/checksum.h"

namespace sluice::engine {
namespace {

class ModelNicTest : public InlineTest, public testing::WithParamInterface<ModelEngine> {
 protected:
  ModelNicTest() { engine = GetParam(); }
  // The frame, marked: with `resync` as the record that it is, else as the next one.
  rte_mbuf* marked(void* context, uint64_t id, uint32_t index, bool resync, bool v4 = true) {
    rte_mbuf* const whole = frame(id, index, v4);
    const uint64_t own = number(id, index);
    EXPECT_TRUE(security->mark(context, whole, resync ? &own : nullptr));
    return whole;
  }
  const ModelNic::Counters& count(uint16_t queue = 0) { return model->counters(queue); }
};

// But for what a segmenting NIC changes: the identification, and with it the header's checksum, of
// IPv4; and the TCP-shaped checksum, which it always computes.
Bytes without_nic_fields(Bytes frame, bool v4) {
  const size_t ip = wire::kEthernetHeaderSize;
  const size_t l4 = ip + (v4 ? wire::kIpv4HeaderSize : wire::kIpv6HeaderSize);
  if (v4) {
    for (const size_t at : {ip + 4, ip + 5, ip + 10, ip + 11}) frame[at] = 0;
    frame[l4 + 16] = frame[l4 + 17] = 0;
  }
  return frame;
}

// Verifies MUST-R10: to the byte what the CPU's way makes, packet for packet.
TEST_P(ModelNicTest, seals_and_cuts_as_software_does) {
  for (const bool v4 : {true, false}) {
    void* const context = open_context();
    ASSERT_NE(context, nullptr);
    for (uint32_t index = 0; index < 3; ++index) {
      const std::vector<Bytes> expected = by_software(5, index, v4);
      const std::vector<Bytes> sent = transmit({marked(context, 5, index, index == 0, v4)});
      ASSERT_EQ(sent.size(), expected.size());
      ASSERT_GT(sent.size(), 2u);
      for (size_t i = 0; i < sent.size(); ++i) {
        EXPECT_EQ(without_nic_fields(sent[i], v4), without_nic_fields(expected[i], v4));
        const wire::ParsedFrame parsed =
            wire::parse_frame(sent[i].data(), sent[i].size(), {.verify_l4_checksum = true});
        EXPECT_EQ(parsed.kind, wire::FrameKind::kSluiceNative) << "its IP checksum is right";
        const uint8_t* const l4 = sent[i].data() + parsed.payload_offset - wire::kPortBytes;
        EXPECT_TRUE(wire::l4_checksum_ok(parsed.source, parsed.destination, wire::kProtocolNative,
                                         l4, parsed.payload_length + wire::kPortBytes));
      }
      EXPECT_TRUE(opens(sent, number(5, index)));
    }
    security->close_context(context);
  }
  EXPECT_EQ(count().records.value(), 6u);
  EXPECT_EQ(count().resyncs.value(), 2u);
  EXPECT_EQ(count().garbled.value(), 0u);
}

TEST_P(ModelNicTest, what_is_not_to_be_sealed_passes) {
  rte_mbuf* const plain = rte_pktmbuf_alloc(pool);
  std::memset(rte_pktmbuf_append(plain, 60), 0x3c, 60);
  EXPECT_EQ(transmit({plain}), std::vector<Bytes>{Bytes(60, 0x3c)});
  EXPECT_EQ(count().records.value(), 0u);
}

TEST_P(ModelNicTest, garbles_what_comes_out_of_sequence_until_a_resync) {
  void* const context = open_context();
  ASSERT_NE(context, nullptr);
  EXPECT_FALSE(opens(transmit({marked(context, 5, 0, false)}), number(5, 0)))
      << "nobody has told it where the stream begins";
  EXPECT_TRUE(opens(transmit({marked(context, 5, 0, true)}), number(5, 0)));
  EXPECT_FALSE(opens(transmit({marked(context, 5, 2, false)}), number(5, 2))) << "1 is missing";
  EXPECT_TRUE(opens(transmit({marked(context, 5, 2, true)}), number(5, 2)));
  EXPECT_TRUE(opens(transmit({marked(context, 5, 3, false)}), number(5, 3))) << "goes on";
  EXPECT_FALSE(opens(transmit({marked(context, 6, 0, false)}), number(6, 0))) << "another message";
  EXPECT_EQ(count().records.value(), 6u);
  EXPECT_EQ(count().garbled.value(), 3u);
  EXPECT_EQ(count().resyncs.value(), 2u);
  for (const auto& [name, value] : model->totals()) {
    if (std::string_view(name) == "model_resync_bytes") {
      EXPECT_EQ(value, 2 * ModelNic::kResyncBytes);
    }
  }
  security->close_context(context);
}

// SMT's finding: software that keeps one count for a context and sends by two queues believes each
// record to be the next one, and the NIC, which counts for each queue, garbles what it sends.
TEST_P(ModelNicTest, two_queues_with_one_context_garble) {
  void* const context = open_context();
  ASSERT_NE(context, nullptr);
  EXPECT_TRUE(opens(transmit({marked(context, 5, 0, true)}, 0), number(5, 0)));
  EXPECT_FALSE(opens(transmit({marked(context, 5, 1, false)}, 1), number(5, 1)));
  EXPECT_FALSE(opens(transmit({marked(context, 5, 2, false)}, 0), number(5, 2)));
  EXPECT_EQ(count(0).garbled.value(), 1u);
  EXPECT_EQ(count(1).garbled.value(), 1u);
  // With a context for each queue, as the engine has it, both are right.
  void* const second = open_context();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(opens(transmit({marked(context, 6, 0, true)}, 0), number(6, 0)));
  EXPECT_TRUE(opens(transmit({marked(second, 7, 0, true)}, 1), number(7, 0)));
  EXPECT_TRUE(opens(transmit({marked(context, 6, 1, false)}, 0), number(6, 1)));
  EXPECT_TRUE(opens(transmit({marked(second, 7, 1, false)}, 1), number(7, 1)));
  security->close_context(context);
  security->close_context(second);
}

TEST_P(ModelNicTest, contexts_run_out_and_come_back) {
  make_model(2);
  void* const first = open_context();
  void* const second = open_context();
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(open_context(), nullptr);
  security->close_context(first);
  void* const third = open_context();
  ASSERT_NE(third, nullptr);
  EXPECT_FALSE(opens(transmit({marked(third, 5, 0, false)}), number(5, 0)))
      << "nothing is left of who had the place before";
  security->close_context(second);
  security->close_context(third);
}

TEST_P(ModelNicTest, drops_and_counts_what_it_cannot_seal) {
  void* const context = open_context();
  ASSERT_NE(context, nullptr);
  // A TLS header that says another length than the frame has.
  rte_mbuf* const broken = marked(context, 5, 0, true);
  const size_t headers = broken->l2_len + broken->l3_len + broken->l4_len;
  rte_pktmbuf_mtod(broken, uint8_t*)[headers + 4] ^= 1;
  EXPECT_TRUE(transmit({broken}).empty());
  EXPECT_EQ(count().dropped.value(), 1u);
  EXPECT_EQ(count().records.value(), 0u);
  // No buffers for the packets.
  rte_mbuf* const whole = marked(context, 5, 0, true);
  std::vector<rte_mbuf*> held(rte_mempool_avail_count(pool));
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, held.data(), static_cast<unsigned>(held.size())), 0);
  EXPECT_TRUE(transmit({whole}).empty());
  EXPECT_EQ(count().dropped.value(), 2u);
  rte_pktmbuf_free_bulk(held.data(), static_cast<unsigned>(held.size()));
  security->close_context(context);
}

TEST_P(ModelNicTest, needs_aes_gcm) {
  class Without final : public crypto::AeadBackend {
   public:
    const char* name() const override { return "without"; }
    const char* detail() const override { return ""; }
    bool supports(crypto::AeadAlgorithm) const override { return false; }
    bool expand_key(crypto::AeadAlgorithm, std::span<const uint8_t>,
                    std::span<const uint8_t, crypto::kNonceSize>, crypto::AeadKey*) override {
      return false;
    }
    void submit_seal(std::span<crypto::AeadJob>) override {}
    void submit_open(std::span<crypto::AeadJob>) override {}
    size_t poll(std::span<crypto::AeadJob*>) override { return 0; }
    bool completes_at_once() const override { return true; }
    void discard_key(crypto::AeadKey*) override {}
  } without;
  EXPECT_FALSE(ModelNic::create({.queues = 1, .contexts = 1, .backend = &without}).ok());
}

INSTANTIATE_TEST_SUITE_P(Engines, ModelNicTest,
                         testing::Values(ModelEngine::kSecurity, ModelEngine::kConnectx),
                         [](const auto& param) {
                           return param.param == ModelEngine::kSecurity ? "security" : "connectx";
                         });

}  // namespace
}  // namespace sluice::engine
