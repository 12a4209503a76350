// SPDX-License-Identifier: Apache-2.0
#include "crypto/send_keys.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "crypto/receive_keys.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;

class SendKeysTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(keys_->install(&test::primitives(), test::boringssl(), AeadAlgorithm::kAes128Gcm,
                               test::secret_of(1)));
  }

  Buffer sealed() { return test::seal(test::boringssl(), *keys_->key(), 1, {}, Buffer(8, 2)); }

  std::unique_ptr<SendKeys> keys_ = std::make_unique<SendKeys>();
};

// Verifies MUST-C2
TEST_F(SendKeysTest, counters_rise_in_their_own_space_across_epochs) {
  EXPECT_EQ(keys_->next_counter(), wire::kCounterSpaceBit);
  EXPECT_EQ(keys_->next_counter(), wire::kCounterSpaceBit + 1);
  keys_->on_peer_epoch(0);
  ASSERT_TRUE(keys_->advance());
  EXPECT_EQ(keys_->next_counter(), wire::kCounterSpaceBit + 2);
}

TEST_F(SendKeysTest, an_unknown_algorithm_leaves_it_empty) {
  EXPECT_FALSE(keys_->install(&test::primitives(), test::boringssl(), AeadAlgorithm::kNone,
                              test::secret_of(1)));
  keys_->on_peer_epoch(0);
  EXPECT_FALSE(keys_->advance());
  EXPECT_FALSE(keys_->install(&test::primitives(), test::boringssl(), AeadAlgorithm::kAes128Gcm,
                              test::secret_of(1), {.id_bits = 60, .attempt_bits = 8}));
}

// Verifies MUST-C4
TEST_F(SendKeysTest, advances_only_after_the_peer_has_the_epoch) {
  const Buffer before = sealed();
  EXPECT_FALSE(keys_->can_advance());
  EXPECT_FALSE(keys_->advance());
  EXPECT_EQ(sealed(), before);
  keys_->on_peer_epoch(0);
  EXPECT_TRUE(keys_->advance());
  EXPECT_EQ(keys_->epoch(), base::Epoch(1));
  EXPECT_NE(sealed(), before);
  keys_->on_peer_epoch(0);
  EXPECT_FALSE(keys_->can_advance()) << "an overtaken report says nothing of the new epoch";
}

TEST_F(SendKeysTest, the_old_key_serves_jobs_in_flight) {
  const AeadKey* old = keys_->key();
  const Buffer before = sealed();
  keys_->on_peer_epoch(0);
  ASSERT_TRUE(keys_->advance());
  EXPECT_EQ(test::seal(test::boringssl(), *old, 1, {}, Buffer(8, 2)), before);
}

TEST_F(SendKeysTest, epochs_wrap_their_low_byte) {
  for (int i = 0; i < 600; ++i) {
    keys_->on_peer_epoch(keys_->epoch_low());
    ASSERT_TRUE(keys_->advance());
  }
  EXPECT_EQ(keys_->epoch(), base::Epoch(600));
  EXPECT_EQ(keys_->epoch_low(), 600 % 256);
}

// Verifies MUST-C7
TEST_F(SendKeysTest, asks_for_an_update_at_half_the_limit_and_stops_at_the_whole) {
  // One call accounts for at most 4 GiB, so it takes some hundred to fill a key.
  constexpr uint32_t kHuge = UINT32_MAX - 15;
  uint64_t n = 0;
  while (!keys_->should_update()) keys_->note_sealed(n++, kHuge);
  EXPECT_GE(n, kUpdateSealedBlocks / (kHuge / 16 + 4));
  EXPECT_LE(n, kUpdateSealedBlocks / (kHuge / 16) + 1);
  EXPECT_TRUE(keys_->may_seal());
  while (keys_->may_seal()) keys_->note_sealed(n++, kHuge);
  EXPECT_LE(n, kMaxSealedBlocks / (kHuge / 16) + 1);
  keys_->on_peer_epoch(0);
  ASSERT_TRUE(keys_->advance());
  EXPECT_TRUE(keys_->may_seal());
  EXPECT_FALSE(keys_->should_update());
}

TEST_F(SendKeysTest, message_numbers_carry_their_parts) {
  AttemptCursor cursor;
  const wire::RecordNumberSplit split;
  auto number = keys_->message_number(true, 0x7'0000'0005u, 9, &cursor);
  ASSERT_TRUE(number);
  wire::MessageRecord parts = wire::split_message_number(split, *number);
  EXPECT_EQ(parts, (wire::MessageRecord{true, 0x3'0000'0005u, 0, 9}));
  number = keys_->message_number(false, 12, 9, &cursor);
  ASSERT_TRUE(number);
  parts = wire::split_message_number(split, *number);
  EXPECT_EQ(parts, (wire::MessageRecord{false, 12, 1, 9}));
  EXPECT_EQ(keys_->message_number(true, 12, split.max_index() + 1, &cursor), std::nullopt);
}

// Verifies MUST-C2 and MUST-C3
TEST_F(SendKeysTest, ids_that_wrap_wait_for_the_next_epoch) {
  AttemptCursor a;
  AttemptCursor b;
  const uint64_t range = uint64_t{1} << 34;
  ASSERT_TRUE(keys_->message_number(true, 100, 0, &a));
  EXPECT_FALSE(keys_->should_update());
  EXPECT_EQ(keys_->message_number(true, 100 + range, 0, &b), std::nullopt);
  EXPECT_TRUE(keys_->should_update());
  EXPECT_TRUE(keys_->message_number(false, 100 + range, 0, &b)) << "the other role is apart";
  keys_->on_peer_epoch(0);
  ASSERT_TRUE(keys_->advance());
  EXPECT_TRUE(keys_->message_number(true, 100 + range, 0, &b));
}

TEST_F(SendKeysTest, a_message_out_of_attempts_continues_in_the_next_epoch) {
  AttemptCursor cursor;
  for (int i = 0; i < 256; ++i) ASSERT_TRUE(keys_->message_number(true, 1, 0, &cursor));
  EXPECT_EQ(keys_->message_number(true, 1, 0, &cursor), std::nullopt);
  EXPECT_TRUE(keys_->should_update());
  keys_->on_peer_epoch(0);
  ASSERT_TRUE(keys_->advance());
  EXPECT_TRUE(keys_->message_number(true, 1, 0, &cursor));
}

TEST_F(SendKeysTest, an_update_can_be_asked_for) {
  keys_->request_update();
  EXPECT_TRUE(keys_->should_update());
  keys_->on_peer_epoch(0);
  ASSERT_TRUE(keys_->advance());
  EXPECT_FALSE(keys_->should_update());
}

TEST_F(SendKeysTest, every_epoch_opens_at_the_receiver_without_a_pause) {
  auto receiver = std::make_unique<ReceiveKeys>();
  ASSERT_TRUE(receiver->install(&test::primitives(), test::boringssl(), AeadAlgorithm::kAes128Gcm,
                                test::secret_of(1)));
  for (int i = 0; i < 300; ++i) {
    const AeadKey* key = receiver->select(keys_->epoch_low());
    ASSERT_NE(key, nullptr) << i;
    Buffer plain;
    ASSERT_TRUE(test::open(test::boringssl(), *key, 1, {}, sealed(), &plain)) << i;
    receiver->on_verified(keys_->epoch_low(), base::nanos(1));
    keys_->on_peer_epoch(receiver->epoch_low());
    ASSERT_TRUE(keys_->advance());
  }
}

#ifdef SLUICE_DEBUG_NUMBERS
TEST_F(SendKeysTest, a_repeated_number_stops_a_debug_build) {
  keys_->note_sealed(7, 1);
  EXPECT_DEATH(keys_->note_sealed(7, 1), "");
  keys_->on_peer_epoch(0);
  ASSERT_TRUE(keys_->advance());
  keys_->note_sealed(7, 1);
}
#endif

// A port with room for so many keys, which notes what it is given.
class NotingPort final : public InlineCrypto {
 public:
  explicit NotingPort(size_t room) : room_(room) {}
  uint32_t open(uint32_t route, AeadAlgorithm algorithm, std::span<const uint8_t> key,
                std::span<const uint8_t, kNonceSize> iv, uint32_t spi) override {
    EXPECT_EQ(route, 6u);
    spis.push_back(spi);
    if (held.size() == room_) return kNoInlineContext;
    AeadKey expanded;
    EXPECT_TRUE(test::boringssl()->expand_key(algorithm, key, iv, &expanded));
    sealed.push_back(test::seal(test::boringssl(), expanded, 1, {}, Buffer(8, 2)));
    held.push_back(next_);
    return next_++;
  }
  void close(uint32_t context) override {
    EXPECT_EQ(std::erase(held, context), 1u) << "closed once, and only what is open";
  }

  std::vector<uint32_t> held;
  std::vector<uint32_t> spis;  // Of all that was offered.
  std::vector<Buffer> sealed;  // Of the same bytes as SendKeysTest::sealed().

 private:
  size_t room_;
  uint32_t next_ = 0;
};

class InlineSendKeys : public SendKeysTest {
 protected:
  void install(NotingPort* port) {
    ASSERT_TRUE(keys_->install(&test::primitives(), test::boringssl(), AeadAlgorithm::kAes128Gcm,
                               test::secret_of(1), {}, {.ports = port, .route = 6}));
  }
  void advance() {
    keys_->on_peer_epoch(keys_->epoch_low());
    ASSERT_TRUE(keys_->advance());
  }
};

TEST_F(InlineSendKeys, the_port_gets_the_key_of_each_epoch_and_loses_it_with_the_next_but_one) {
  NotingPort port(2);
  install(&port);
  for (uint32_t epoch = 0; epoch < 4; ++epoch) {
    EXPECT_EQ(keys_->inline_context(), epoch);
    EXPECT_EQ(port.sealed.back(), sealed()) << "the same key and IV as the CPU's";
    EXPECT_EQ(port.held.size(), epoch == 0 ? 1u : 2u) << "what is in flight needs the old one";
    advance();
  }
  // Verifies MUST-C11
  keys_->clear();
  EXPECT_TRUE(port.held.empty());
  EXPECT_EQ(keys_->inline_context(), kNoInlineContext);
  install(&port);
  EXPECT_EQ(port.held.size(), 1u);
  keys_.reset();
  EXPECT_TRUE(port.held.empty());
}

TEST_F(InlineSendKeys, an_epoch_that_finds_no_room_is_the_cpus) {
  NotingPort port(1);
  install(&port);
  EXPECT_NE(keys_->inline_context(), kNoInlineContext);
  advance();
  EXPECT_EQ(keys_->inline_context(), kNoInlineContext) << "the old key is still held";
  advance();
  EXPECT_NE(keys_->inline_context(), kNoInlineContext);
  EXPECT_EQ(port.sealed.back(), sealed());
  keys_.reset();  // Before the port that holds its keys.
}

TEST_F(InlineSendKeys, without_a_port_the_cpu_seals) {
  EXPECT_EQ(keys_->inline_context(), kNoInlineContext);
  advance();
  EXPECT_EQ(keys_->inline_context(), kNoInlineContext);
}

}  // namespace
}  // namespace sluice::crypto
