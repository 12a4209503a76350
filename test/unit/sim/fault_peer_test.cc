// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_peer.h"

#include <gtest/gtest.h>

#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "sim/virtual_crypto.h"

namespace sluice::sim {
namespace {

CallRecord completed(base::Code code, uint32_t executed, bool may_have = false) {
  CallRecord record;
  record.size = record.response_size = 10;
  record.completed = true;
  record.code = code;
  record.executed = executed;
  record.may_have_executed = may_have;
  return record;
}

std::string audit(const CallRecord& record) {
  CallBook book;
  book.add(record);
  book.audit();
  return book.violation();
}

TEST(CallBook, callers_must_have_been_told_the_truth) {
  EXPECT_EQ(audit(completed(base::Code::kOk, 1)), "");
  EXPECT_NE(audit(completed(base::Code::kOk, 0)), "");
  EXPECT_NE(audit(completed(base::Code::kOk, 2)), "");
  EXPECT_EQ(audit(completed(base::Code::kDeadlineExceeded, 0)), "");
  EXPECT_EQ(audit(completed(base::Code::kDeadlineExceeded, 1, true)), "");
  EXPECT_NE(audit(completed(base::Code::kDeadlineExceeded, 1, false)), "");
  EXPECT_NE(audit(completed(base::Code::kDeadlineExceeded, 2, true)), "");
}

TEST(CallBook, a_one_way_message_may_go_down_with_its_receiver) {
  CallRecord record = completed(base::Code::kOk, 0);
  record.response_size = 0;
  EXPECT_NE(audit(record), "");
  CallBook book;
  book.add(record);
  book.note_crash(1);
  book.audit();
  EXPECT_EQ(book.violation(), "");
}

TEST(CallBook, the_first_broken_promise_is_kept) {
  CallBook book;
  book.accuse("one");
  book.accuse("two");
  EXPECT_EQ(book.violation(), "one");
}

TEST(FaultPayload, every_byte_depends_on_tag_direction_and_offset) {
  std::vector<uint8_t> bytes(300);
  fill_payload(5, false, &bytes);
  EXPECT_TRUE(payload_matches(5, false, bytes.data(), 300, 0));
  EXPECT_TRUE(payload_matches(5, false, bytes.data() + 100, 200, 100));
  EXPECT_FALSE(payload_matches(5, true, bytes.data(), 300, 0));
  EXPECT_FALSE(payload_matches(6, false, bytes.data(), 300, 0));
  EXPECT_FALSE(payload_matches(5, false, bytes.data(), 200, 1));
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 1;
    EXPECT_FALSE(payload_matches(5, false, bytes.data(), 300, 0)) << i;
    bytes[i] ^= 1;
  }
}

TEST(FaultPeer, a_crash_forgets_everything) {
  const auto backend = crypto::make_ipsec_mb_backend();
  const FaultPlan plan = fault_plan(3);
  CallBook book;
  FaultCounts counts{};
  FaultPeer peer(0, plan, backend.get(), &virtual_primitives(), &book, &counts);
  peer.hoard();
  EXPECT_EQ(peer.endpoint().allocate(256), nullptr);
  peer.crash();
  EXPECT_FALSE(peer.has_lane());
  EXPECT_EQ(peer.outstanding(), 0u);
  EXPECT_NE(peer.endpoint().allocate(256), nullptr);
}

TEST(FaultPeer, a_plan_is_roomy_when_tables_and_memory_have_room_for_both_sides) {
  FaultPlan plan;
  plan.outstanding = 4;
  plan.longest_message = 60'000;
  for (auto& config : plan.config) {
    config.max_exchanges = 8;
    config.arena_bytes = 8 << 16;
  }
  EXPECT_TRUE(is_roomy(plan));
  plan.longest_message = 70'000;
  EXPECT_FALSE(is_roomy(plan));
  plan.longest_message = 10;
  plan.config[1].max_exchanges = 7;
  EXPECT_FALSE(is_roomy(plan));
  plan.config[1].max_exchanges = 8;
  plan.rate[static_cast<size_t>(FaultKind::kSlowConsumer)] = 1;
  EXPECT_FALSE(is_roomy(plan));
}

TEST(FaultPeer, what_it_still_holds_is_named) {
  const auto backend = crypto::make_ipsec_mb_backend();
  const FaultPlan plan = fault_plan(3);
  CallBook book;
  FaultCounts counts{};
  FaultPeer peer(0, plan, backend.get(), &virtual_primitives(), &book, &counts);
  EXPECT_TRUE(peer.clean());
  uint8_t* const lost = peer.endpoint().allocate(1'000);
  ASSERT_NE(lost, nullptr);
  EXPECT_STREQ(peer.remains(), "landing memory is lost");
  peer.endpoint().release(lost);
  EXPECT_TRUE(peer.clean());
}

}  // namespace
}  // namespace sluice::sim
