// SPDX-License-Identifier: Apache-2.0
#include "engine/inline_mark.h"

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "inline_test_util.h"

namespace sluice::engine {
namespace {

using InlineMarkTest = InlineTest;

// Packet buffers have few bytes to lend: however many engines there are, they take them once.
TEST_F(InlineMarkTest, all_engines_share_one_field) {
  const int offset = inline_mark_offset();
  ASSERT_GE(offset, 0);
  EXPECT_EQ(inline_mark_offset(), offset);
  rte_mbuf_dynfield field{};
  ASSERT_EQ(rte_mbuf_dynfield_lookup("sluice_inline_mark", &field), offset);
  EXPECT_EQ(field.size, sizeof(InlineMark));
}

TEST_F(InlineMarkTest, a_frame_keeps_its_own) {
  const int offset = inline_mark_offset();
  ASSERT_GE(offset, 0);
  std::array<rte_mbuf*, 2> frames{};
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool, frames.data(), frames.size()), 0);
  *RTE_MBUF_DYNFIELD(frames[0], offset, InlineMark*) = {&frames[0], 7};
  *RTE_MBUF_DYNFIELD(frames[1], offset, InlineMark*) = {&frames[1], InlineMark::kGoOn};
  EXPECT_EQ(RTE_MBUF_DYNFIELD(frames[0], offset, InlineMark*)->context, &frames[0]);
  EXPECT_EQ(RTE_MBUF_DYNFIELD(frames[0], offset, InlineMark*)->resync, 7u);
  EXPECT_EQ(RTE_MBUF_DYNFIELD(frames[1], offset, InlineMark*)->context, &frames[1]);
  rte_pktmbuf_free_bulk(frames.data(), frames.size());
}

}  // namespace
}  // namespace sluice::engine
