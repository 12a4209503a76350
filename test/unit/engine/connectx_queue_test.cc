// SPDX-License-Identifier: Apache-2.0
#include "engine/connectx_queue.h"

#include "base/byte_order.h"
#include "engine/connectx_format.h"
#include "inline_test_util.h"

namespace sluice::engine {
namespace {

using connectx::Opcode;

// A queue of 64 blocks, with the test in the device's place.
class ConnectxQueueTest : public InlineTest {
 protected:
  ConnectxQueueTest() {
    for (size_t i = 0; i < kRing; ++i) connectx::write_completion({}, completions_.data() + i * 64);
    queue_ =
        std::make_unique<ConnectxQueue>(ConnectxQueue::Memory{.blocks = blocks_,
                                                              .completions = completions_,
                                                              .doorbell_record = record_.data(),
                                                              .doorbell = doorbell_.data(),
                                                              .number = 9,
                                                              .memory_key = 0x55});
  }
  void TearDown() override {
    queue_.reset();
    InlineTest::TearDown();
  }
  connectx::Control control(size_t block) {
    return connectx::read_control(blocks_.data() + block % 64 * 64);
  }
  size_t rung() { return base::load_be32(record_.data()); }
  void complete(uint16_t index, connectx::CompletionKind kind) {
    connectx::write_completion(
        {.index = index, .kind = kind, .owner = (completed_ / kRing & 1) != 0},
        completions_.data() + completed_ % kRing * 64);
    ++completed_;
  }
  bool post(uint32_t index, bool resync) {
    rte_mbuf* const whole = frame(5, index);
    const uint64_t own = number(5, index);
    if (queue_->post(whole, context_, resync ? &own : nullptr)) return true;
    rte_pktmbuf_free(whole);
    return false;
  }

  static constexpr size_t kRing = 4;
  const ConnectxContext context_{.tis = 0x77, .key = 0x66};
  alignas(64) std::array<uint8_t, 64 * 64> blocks_{};
  alignas(64) std::array<uint8_t, kRing * 64> completions_{};
  std::array<uint8_t, 4> record_{};
  alignas(8) std::array<uint8_t, 8> doorbell_{};
  size_t completed_ = 0;
  std::unique_ptr<ConnectxQueue> queue_;
};

TEST_F(ConnectxQueueTest, parameters_go_before_a_record_that_needs_them) {
  ASSERT_TRUE(post(0, true));
  ASSERT_TRUE(post(1, false));
  EXPECT_EQ(rung(), 0u) << "nothing is the device's before it is rung";
  queue_->ring();
  EXPECT_EQ(control(0).opcode, Opcode::kUmr);
  EXPECT_TRUE(control(0).fence);
  EXPECT_EQ(control(3).opcode, Opcode::kSetPsv);
  EXPECT_EQ(control(4).opcode, Opcode::kTso);
  EXPECT_TRUE(control(4).fence) << "the parameters are set before the packet is sealed";
  EXPECT_FALSE(control(4).report);
  const size_t second = 4 + (control(4).segments + 3) / 4;
  EXPECT_EQ(control(second).opcode, Opcode::kTso);
  EXPECT_FALSE(control(second).fence);
  EXPECT_TRUE(control(second).report) << "one completion for all";
  for (const size_t at : {size_t{0}, size_t{4}, second}) {
    EXPECT_EQ(control(at).index, at);
    EXPECT_EQ(control(at).queue, 9u);
    EXPECT_EQ(control(at).tis, 0x77u);
  }
  connectx::StaticParameters fixed;
  ASSERT_TRUE(connectx::read_static_parameters(blocks_.data(), &fixed));
  EXPECT_EQ(fixed.record_number, number(5, 0));
  EXPECT_EQ(fixed.key, 0x66u);
  EXPECT_EQ(rung(), second + (control(second).segments + 3) / 4);
  EXPECT_TRUE(std::equal(doorbell_.begin(), doorbell_.end(), blocks_.begin() + second * 64));
}

TEST_F(ConnectxQueueTest, frames_are_kept_until_the_device_has_done_with_them) {
  const unsigned before = rte_mempool_avail_count(pool);
  ASSERT_TRUE(post(0, true));
  queue_->ring();
  const unsigned during = rte_mempool_avail_count(pool);
  EXPECT_LT(during, before);
  EXPECT_EQ(queue_->reap(), 0u);
  EXPECT_EQ(rte_mempool_avail_count(pool), during);
  complete(4, connectx::CompletionKind::kSent);
  EXPECT_EQ(queue_->reap(), 0u);
  EXPECT_EQ(rte_mempool_avail_count(pool), before);
  EXPECT_EQ(queue_->free_blocks(), 64u);
}

// Round the ring many times: no descriptor is broken over its end, and a full one refuses.
TEST_F(ConnectxQueueTest, passes_the_end_and_refuses_when_it_is_full) {
  uint16_t read = 0;
  size_t sent = 0;
  size_t nops = 0;
  for (uint32_t round = 0; round < 100; ++round) {
    while (post(sent % 100, sent % 3 == 0)) ++sent;
    EXPECT_LE(queue_->free_blocks(), 24u);
    queue_->ring();
    const auto end = static_cast<uint16_t>(rung());
    while (read != end) {
      const connectx::Control found = control(read);
      ASSERT_EQ(found.index, read);
      const size_t blocks = (found.segments + 3u) / 4;
      ASSERT_LE(read % 64 + blocks, 64u);
      nops += found.opcode == Opcode::kNop ? 1 : 0;
      if (found.report) complete(read, connectx::CompletionKind::kSent);
      read = static_cast<uint16_t>(read + blocks);
    }
    EXPECT_EQ(queue_->reap(), 0u);
    EXPECT_EQ(queue_->free_blocks(), 64u);
  }
  EXPECT_GT(sent, 500u);
  EXPECT_GT(nops, 0u);
}

TEST_F(ConnectxQueueTest, a_failure_stops_it) {
  ASSERT_TRUE(post(0, true));
  queue_->ring();
  complete(0, connectx::CompletionKind::kFailed);
  EXPECT_EQ(queue_->reap(), 1u);
  EXPECT_EQ(queue_->free_blocks(), 0u);
  EXPECT_FALSE(post(1, false));
}

TEST_F(ConnectxQueueTest, headers_have_to_be_in_one_piece) {
  rte_mbuf* const whole = frame(5, 0);
  whole->l4_len = 255;
  whole->l3_len = 500;
  whole->data_len = 300;
  EXPECT_FALSE(queue_->post(whole, context_, nullptr));
  rte_pktmbuf_free(whole);
}

}  // namespace
}  // namespace sluice::engine
