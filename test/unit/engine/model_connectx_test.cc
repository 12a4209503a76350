// SPDX-License-Identifier: Apache-2.0
//
// What only the model of a ConnectX has; what both models promise is in model_nic_test.cc.
#include "engine/model_connectx.h"

#include "engine/connectx_engine.h"
#include "inline_test_util.h"

namespace sluice::engine {
namespace {

class ModelConnectxTest : public InlineTest {
 protected:
  ModelConnectxTest() { engine = ModelEngine::kConnectx; }
  std::vector<Bytes> send(void* context, uint32_t index, bool resync) {
    rte_mbuf* const whole = frame(5, index);
    const uint64_t own = number(5, index);
    EXPECT_TRUE(security->mark(context, whole, resync ? &own : nullptr));
    return transmit({whole});
  }
};

// Keys by both sizes, through the commands and back.
TEST_F(ModelConnectxTest, seals_with_long_keys_as_well) {
  const std::array<uint8_t, 32> bytes = {3, 1, 4, 1, 5};
  void* const context =
      security->open_context(crypto::AeadAlgorithm::kAes256Gcm, bytes, kInlineIv, 0);
  ASSERT_NE(context, nullptr);
  ASSERT_TRUE(backend->expand_key(crypto::AeadAlgorithm::kAes256Gcm, bytes, kInlineIv, &key));
  EXPECT_TRUE(opens(send(context, 0, true), number(5, 0)));
  EXPECT_TRUE(opens(send(context, 1, false), number(5, 1)));
  security->close_context(context);
}

// A TIS that is used again has the parameters of its new key, and not those of the one before.
TEST_F(ModelConnectxTest, a_context_that_is_used_again_has_its_own_key) {
  void* context = open_context();
  ASSERT_NE(context, nullptr);
  EXPECT_TRUE(opens(send(context, 0, true), number(5, 0)));
  security->close_context(context);
  const std::array<uint8_t, 16> other = {7, 7, 7};
  context = security->open_context(crypto::AeadAlgorithm::kAes128Gcm, other, kInlineIv, 0);
  ASSERT_NE(context, nullptr);
  EXPECT_FALSE(opens(send(context, 1, false), number(5, 1))) << "not under the key that is gone";
  EXPECT_EQ(model->counters(0).garbled.value(), 1u);
  ASSERT_TRUE(backend->expand_key(crypto::AeadAlgorithm::kAes128Gcm, other, kInlineIv, &key));
  EXPECT_TRUE(opens(send(context, 2, true), number(5, 2)));
  security->close_context(context);
}

// More blocks than the ring has, so that its end is passed.
TEST_F(ModelConnectxTest, goes_round_its_ring) {
  void* const context = open_context();
  ASSERT_NE(context, nullptr);
  for (uint32_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(opens(send(context, i % 90, i % 90 == 0), number(5, i % 90))) << i;
  }
  EXPECT_EQ(model->counters(0).garbled.value(), 0u);
  EXPECT_EQ(model->counters(0).dropped.value(), 0u);
  security->close_context(context);
}

}  // namespace
}  // namespace sluice::engine
