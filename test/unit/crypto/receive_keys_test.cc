// SPDX-License-Identifier: Apache-2.0
#include "crypto/receive_keys.h"

#include <gtest/gtest.h>

#include <memory>

#include "support.h"

namespace sluice::crypto {
namespace {

using test::Buffer;

class ReceiveKeysTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(keys_->install(&test::primitives(), test::boringssl(),
                               AeadAlgorithm::kChaCha20Poly1305, test::secret_of(1)));
    Secret secret = test::secret_of(1);
    for (AeadKey& key : expected_) {
      ASSERT_TRUE(derive_epoch_key(test::primitives(), test::boringssl(),
                                   AeadAlgorithm::kChaCha20Poly1305, secret, &key));
      derive_next_epoch_secret(test::primitives(), secret, &secret);
    }
  }

  // True when the key held for the low bits is that of the full epoch.
  bool holds(uint8_t low, size_t epoch) {
    const AeadKey* key = keys_->select(low);
    if (key == nullptr) return false;
    const Buffer sealed = test::seal(test::boringssl(), expected_[epoch], 1, {}, Buffer(8, 2));
    Buffer plain;
    return test::open(test::boringssl(), *key, 1, {}, sealed, &plain);
  }

  std::array<AeadKey, 6> expected_;
  std::unique_ptr<ReceiveKeys> keys_ = std::make_unique<ReceiveKeys>();
};

// Verifies MUST-C5
TEST_F(ReceiveKeysTest, holds_the_current_and_the_next_epoch_at_first) {
  EXPECT_TRUE(holds(0, 0));
  EXPECT_TRUE(holds(1, 1));
  EXPECT_EQ(keys_->select(2), nullptr);
  EXPECT_EQ(keys_->select(255), nullptr);
  EXPECT_FALSE(keys_->holds_previous());
}

// Verifies MUST-C6
TEST_F(ReceiveKeysTest, selecting_changes_nothing) {
  EXPECT_TRUE(holds(1, 1));
  EXPECT_EQ(keys_->epoch(), base::Epoch(0));
  EXPECT_TRUE(holds(0, 0));
}

TEST_F(ReceiveKeysTest, a_verified_packet_of_the_next_epoch_moves_on) {
  keys_->on_verified(1, base::nanos(5));
  EXPECT_EQ(keys_->epoch(), base::Epoch(1));
  EXPECT_TRUE(holds(0, 0));
  EXPECT_TRUE(holds(1, 1));
  EXPECT_TRUE(holds(2, 2));
  keys_->on_verified(0, base::nanos(6));
  keys_->on_verified(1, base::nanos(6));
  EXPECT_EQ(keys_->epoch(), base::Epoch(1)) << "overtaken packets change nothing";
  keys_->on_verified(2, base::nanos(7));
  EXPECT_EQ(keys_->select(0), nullptr);
  EXPECT_TRUE(holds(1, 1));
  EXPECT_TRUE(holds(2, 2));
  EXPECT_TRUE(holds(3, 3));
}

// Verifies MUST-C5
TEST_F(ReceiveKeysTest, the_previous_key_goes_after_its_grace_time) {
  keys_->on_verified(1, base::nanos(1000));
  keys_->drop_previous(base::nanos(1999), base::nanos(1000));
  EXPECT_TRUE(holds(0, 0));
  keys_->drop_previous(base::nanos(2000), base::nanos(1000));
  EXPECT_EQ(keys_->select(0), nullptr);
  EXPECT_TRUE(holds(1, 1));
  keys_->drop_previous(base::nanos(3000), base::nanos(1000));
  keys_->on_verified(2, base::nanos(4000));
  EXPECT_TRUE(holds(1, 1));
}

TEST_F(ReceiveKeysTest, failed_openings_below_the_limit_close_nothing) {
  for (int i = 0; i < 100000; ++i) keys_->note_failed_open(static_cast<uint8_t>(i));
  EXPECT_FALSE(keys_->exhausted());
  EXPECT_FALSE(keys_->wants_update());
  EXPECT_TRUE(holds(0, 0));
}

// Verifies MUST-C8
TEST_F(ReceiveKeysTest, limits_are_those_of_rfc_9001) {
  EXPECT_EQ(max_failed_opens(AeadAlgorithm::kAes128Gcm), uint64_t{1} << 52);
  EXPECT_EQ(max_failed_opens(AeadAlgorithm::kAes256Gcm), uint64_t{1} << 52);
  EXPECT_EQ(max_failed_opens(AeadAlgorithm::kChaCha20Poly1305), uint64_t{1} << 36);
}

// Verifies MUST-C8
TEST_F(ReceiveKeysTest, failed_openings_ask_for_an_update_and_then_end_the_lane) {
  keys_->note_failed_opens(1, (uint64_t{1} << 35) - 1);
  EXPECT_FALSE(keys_->wants_update());
  keys_->note_failed_open(1);
  EXPECT_TRUE(keys_->wants_update());
  keys_->on_verified(1, base::nanos(1));
  EXPECT_TRUE(keys_->wants_update());
  keys_->on_verified(2, base::nanos(2));
  EXPECT_FALSE(keys_->wants_update()) << "the damaged key is the previous one now";
  keys_->note_failed_opens(1, (uint64_t{1} << 35) - 1);
  EXPECT_TRUE(keys_->holds_previous());
  keys_->note_failed_open(1);
  EXPECT_FALSE(keys_->holds_previous());
  EXPECT_FALSE(keys_->exhausted());
  keys_->note_failed_opens(2, (uint64_t{1} << 36) - 1);
  EXPECT_FALSE(keys_->exhausted());
  keys_->note_failed_open(2);
  EXPECT_TRUE(keys_->exhausted());
  EXPECT_EQ(keys_->select(2), nullptr);
  EXPECT_EQ(keys_->select(3), nullptr);
}

// Verifies MUST-C11
TEST_F(ReceiveKeysTest, cleared_keys_open_nothing) {
  keys_->clear();
  EXPECT_EQ(keys_->select(0), nullptr);
  EXPECT_EQ(keys_->select(1), nullptr);
}

TEST_F(ReceiveKeysTest, an_unknown_algorithm_leaves_it_empty) {
  EXPECT_FALSE(keys_->install(&test::primitives(), test::boringssl(), AeadAlgorithm::kNone,
                              test::secret_of(1)));
  EXPECT_EQ(keys_->select(0), nullptr);
}

TEST_F(ReceiveKeysTest, the_replay_window_outlives_an_epoch) {
  ReplayWindow::Bits bits{};
  keys_->window().attach(&bits);
  keys_->window().commit(10);
  keys_->on_verified(1, base::nanos(1));
  EXPECT_FALSE(keys_->window().check(10));
  EXPECT_TRUE(keys_->window().check(11));
}

}  // namespace
}  // namespace sluice::crypto
