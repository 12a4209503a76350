// SPDX-License-Identifier: Apache-2.0
#include "engine/inline_contexts.h"

#include "inline_test_util.h"

namespace sluice::engine {
namespace {

class InlineContextsTest : public InlineTest {
 protected:
  void SetUp() override {
    InlineTest::SetUp();
    routes = {inline_route(true, 0), inline_route(true, 1), Route{}};
    contexts = std::make_unique<InlineContexts>(std::vector<InlineEngine*>{security.get(), nullptr},
                                                &routes, &stats);
  }
  void TearDown() override {
    contexts.reset();
    InlineTest::TearDown();
  }
  uint32_t open(uint32_t route = 0, uint32_t spi = 0) {
    return contexts->open(route, crypto::AeadAlgorithm::kAes128Gcm, kInlineKey, kInlineIv, spi);
  }
  // Sends a record by the context; whether its receiver opens it.
  bool arrives(uint32_t context, uint64_t id, uint32_t index) {
    rte_mbuf* const whole = frame(id, index);
    EXPECT_TRUE(contexts->mark(whole, context, first_header(id, index).data(), 0));
    return opens(transmit({whole}), number(id, index));
  }

  static std::array<uint8_t, wire::kRecordHeaderSize> first_header(uint64_t id, uint32_t index) {
    std::array<uint8_t, wire::kRecordHeaderSize> out;
    header(id, index).emit(out.data());
    return out;
  }

  std::vector<Route> routes;
  LcoreStats stats;
  std::unique_ptr<InlineContexts> contexts;
};

TEST_F(InlineContextsTest, are_those_of_the_port_that_the_route_leaves_by) {
  EXPECT_NE(open(0), crypto::kNoInlineContext);
  EXPECT_EQ(open(1), crypto::kNoInlineContext) << "its port does not seal";
  EXPECT_EQ(open(2), crypto::kNoInlineContext) << "no such route";
  EXPECT_EQ(open(77), crypto::kNoInlineContext);
  EXPECT_EQ(open(0, 512), crypto::kNoInlineContext) << "it seals records and no ESP";
  EXPECT_EQ(contexts->open(0, crypto::AeadAlgorithm::kChaCha20Poly1305, std::array<uint8_t, 32>{},
                           kInlineIv, 0),
            crypto::kNoInlineContext);
  EXPECT_EQ(stats.limit_inline_contexts.value(), 0u) << "none of these is for want of room";
}

// Verifies MUST-R10: the port is told of every record that is not the next one, and of no other.
TEST_F(InlineContextsTest, resyncs_are_asked_for_where_the_numbers_jump) {
  const uint32_t context = open();
  EXPECT_TRUE(arrives(context, 5, 0));
  EXPECT_EQ(stats.inline_resyncs.value(), 1u);
  EXPECT_TRUE(arrives(context, 5, 1));
  EXPECT_TRUE(arrives(context, 5, 2));
  EXPECT_EQ(stats.inline_resyncs.value(), 1u) << "it goes on";
  EXPECT_TRUE(arrives(context, 6, 0)) << "another message";
  EXPECT_TRUE(arrives(context, 5, 3)) << "and back";
  EXPECT_EQ(stats.inline_resyncs.value(), 3u);
  EXPECT_TRUE(arrives(context, 5, 9)) << "some went in packet mode";
  EXPECT_EQ(stats.inline_resyncs.value(), 4u);
  EXPECT_EQ(model->counters(0).garbled.value(), 0u);
  EXPECT_EQ(model->counters(0).resyncs.value(), 4u);
}

// A packet that sends bytes again may carry on beyond them, under an index that was used before:
// the next record has the next number, and does not follow the one before it.
TEST_F(InlineContextsTest, resyncs_are_asked_for_where_the_sequence_jumps) {
  const uint32_t context = open();
  EXPECT_TRUE(arrives(context, 5, 0));
  rte_mbuf* const whole = frame(5, 1);
  const size_t at = inline_route(true).frame.header_size();
  uint8_t* const moved = rte_pktmbuf_mtod_offset(whole, uint8_t*, at);
  base::store_be32(moved, base::load_be32(moved) + 100);
  EXPECT_TRUE(contexts->mark(whole, context, moved, 0));
  EXPECT_EQ(stats.inline_resyncs.value(), 2u);
  EXPECT_TRUE(opens(transmit({whole}), number(5, 1)));
  EXPECT_EQ(model->counters(0).garbled.value(), 0u);
}

TEST_F(InlineContextsTest, a_context_that_is_gone_seals_nothing) {
  const uint32_t context = open();
  contexts->close(context);
  contexts->close(context);
  rte_mbuf* const whole = frame(5, 0);
  EXPECT_FALSE(contexts->mark(whole, context, first_header(5, 0).data(), 0));
  const uint32_t next = open();
  EXPECT_NE(next, context) << "its place has another name";
  EXPECT_FALSE(contexts->mark(whole, context, first_header(5, 0).data(), 0));
  EXPECT_FALSE(contexts->mark(whole, next, first_header(5, 0).data(), 1)) << "another port's";
  EXPECT_FALSE(contexts->mark(whole, crypto::kNoInlineContext, first_header(5, 0).data(), 0));
  EXPECT_EQ(whole->ol_flags & RTE_MBUF_F_TX_SEC_OFFLOAD, 0u);
  rte_pktmbuf_free(whole);
}

TEST_F(InlineContextsTest, are_counted_when_they_run_out) {
  for (int i = 0; i < 4; ++i) EXPECT_NE(open(), crypto::kNoInlineContext);
  EXPECT_EQ(open(), crypto::kNoInlineContext);
  EXPECT_EQ(open(), crypto::kNoInlineContext);
  EXPECT_EQ(stats.limit_inline_contexts.value(), 2u);
}

TEST_F(InlineContextsTest, an_lcore_has_so_many_and_no_more) {
  contexts.reset();
  security.reset();
  auto large = ModelNic::create({.queues = 1, .contexts = 1000, .backend = backend});
  ASSERT_TRUE(large.ok());
  auto port = (*large)->open_engine(300, -1);
  ASSERT_TRUE(port.ok());
  {
    InlineContexts many({port->get()}, &routes, &stats);
    uint32_t count = 0;
    while (many.open(0, crypto::AeadAlgorithm::kAes128Gcm, kInlineKey, kInlineIv, 0) !=
           crypto::kNoInlineContext) {
      ++count;
    }
    EXPECT_EQ(count, limits::kMaxInlineContexts);
    EXPECT_EQ(stats.limit_inline_contexts.value(), 1u);
  }
  // All were given back: there is room for as many again.
  InlineContexts again({port->get()}, &routes, &stats);
  EXPECT_NE(again.open(0, crypto::AeadAlgorithm::kAes128Gcm, kInlineKey, kInlineIv, 0),
            crypto::kNoInlineContext);
}

}  // namespace
}  // namespace sluice::engine
