// SPDX-License-Identifier: Apache-2.0
#include "sim/sealing_port.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "crypto/ipsec_mb/ipsec_mb_backend.h"
#include "transport/staged_record.h"

namespace sluice::sim {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr std::array<uint8_t, 16> kKey = {1, 2, 3};
constexpr std::array<uint8_t, crypto::kNonceSize> kIv = {4, 5, 6};
constexpr uint32_t kContent = 3000;

class SealingPortTest : public testing::Test {
 protected:
  uint32_t open() { return port.open(0, crypto::AeadAlgorithm::kAes128Gcm, kKey, kIv, 0); }

  // The packets of a record: sealed here, or its pieces for a context.
  std::vector<Bytes> packets(uint32_t index, uint32_t context) {
    wire::RecordHeader header;
    header.message.record_number = *wire::message_number({}, true, 9, 0, index);
    header.message.offset = index * kContent;
    header.message.message_length = 100 * kContent;
    header.index = index;
    header.length = static_cast<uint16_t>(wire::record_size(kContent));
    staged.begin(header, content, {}, {});
    crypto::AeadKey key;
    EXPECT_TRUE(backend->expand_key(crypto::AeadAlgorithm::kAes128Gcm, kKey, kIv, &key));
    if (context == crypto::kNoInlineContext) {
      staged.seal(backend.get(), &key);
    } else {
      staged.leave_to_port(context);
    }
    std::vector<Bytes> out;
    slots.clear();
    while (staged.pending()) {
      Bytes bytes(1452);
      transport::TxPacket slot;
      slot.data = bytes.data();
      slot.capacity = 1452;
      staged.cut(&slot, 1452);
      bytes.resize(slot.length);
      out.push_back(std::move(bytes));
      slots.push_back(slot);
      slots.back().data = out.back().data();
    }
    return out;
  }
  // Hands all pieces over but `missing`; whether a record came of them.
  bool give(uint32_t index, uint32_t context, size_t missing = SIZE_MAX) {
    std::vector<Bytes> bytes = packets(index, context);
    bool made = false;
    for (size_t i = 0; i < slots.size(); ++i) {
      slots[i].data = bytes[i].data();
      if (i != missing) made = port.take(slots[i]);
    }
    return made;
  }

  std::unique_ptr<crypto::AeadBackend> backend = crypto::make_ipsec_mb_backend();
  SealingPort port{backend.get(), 2};
  transport::StagedRecord staged{true};
  Bytes content = Bytes(kContent, 0x3c);
  std::vector<transport::TxPacket> slots;
};

TEST_F(SealingPortTest, seals_as_the_cpu_does_and_counts_resyncs) {
  const uint32_t context = open();
  for (const uint32_t index : {0u, 1u, 4u, 5u}) {
    ASSERT_TRUE(give(index, context));
    const std::vector<Bytes> sealed(port.packets().begin(), port.packets().end());
    EXPECT_EQ(sealed, packets(index, crypto::kNoInlineContext));
  }
  EXPECT_EQ(port.records(), 4u);
  EXPECT_EQ(port.resyncs(), 2u);
  EXPECT_EQ(port.violation(), "");
}

TEST_F(SealingPortTest, has_so_many_contexts_and_takes_them_back) {
  const uint32_t first = open();
  const uint32_t second = open();
  EXPECT_EQ(open(), crypto::kNoInlineContext);
  EXPECT_EQ(port.contexts(), 2u);
  port.close(first);
  EXPECT_EQ(port.contexts(), 1u);
  const uint32_t third = open();
  EXPECT_NE(third, crypto::kNoInlineContext);
  EXPECT_NE(third, first);
  port.close(second);
  EXPECT_EQ(port.violation(), "");
  port.close(first);
  EXPECT_EQ(port.violation(), "a context was closed that was not open");
}

TEST_F(SealingPortTest, accuses_who_uses_a_context_that_is_gone) {
  const uint32_t context = open();
  port.close(context);
  EXPECT_FALSE(give(0, context));
  EXPECT_EQ(port.violation(), "a record was left to a context that is not open");
}

TEST_F(SealingPortTest, accuses_who_leaves_a_piece_out) {
  const uint32_t context = open();
  EXPECT_FALSE(give(0, context, 1));
  EXPECT_EQ(port.violation(), "the pieces of a record do not make all of it");
}

TEST_F(SealingPortTest, accuses_who_begins_in_the_middle) {
  EXPECT_FALSE(give(0, open(), 0));
  EXPECT_EQ(port.violation(), "a piece without the beginning of its record");
}

// Its number alone does not make a record the next one.
TEST_F(SealingPortTest, a_sequence_that_does_not_go_on_is_a_resync) {
  const uint32_t context = open();
  EXPECT_TRUE(give(0, context));
  std::vector<Bytes> bytes = packets(1, context);
  for (size_t i = 0; i < slots.size(); ++i) {
    base::store_be32(bytes[i].data(), base::load_be32(bytes[i].data()) + 1);
    slots[i].data = bytes[i].data();
    port.take(slots[i]);
  }
  EXPECT_EQ(port.violation(), "");
  EXPECT_EQ(port.records(), 2u);
  EXPECT_EQ(port.resyncs(), 2u);
}

}  // namespace
}  // namespace sluice::sim
