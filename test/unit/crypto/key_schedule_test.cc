// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "crypto/null/null_backend.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using test::from_hex;
using test::to_hex;

// All expected values were computed with Python's hmac module from the session secret 00 01 .. 1f.
constexpr char kOutwardLane5[] = "75cbef3c69375b0ccde5b2faf2d87cd7236502dee63f415b9ad30be3151efd66";
constexpr char kHomewardLane5[] =
    "91fdbd81b8b2ad28160e0e3f91537705c1470072cebe4bf400d304027a0b2fe0";

// Verifies MUST-C1
TEST(KeySchedule, directions_have_their_own_labels) {
  Secret out;
  derive_direction_secret(test::primitives(), test::secret_of(0), Direction::kInitiatorToResponder,
                          &out);
  EXPECT_EQ(to_hex(out.bytes), "bdf4896428ce1686e6bd45cdf71c3fdd8fbb8b2f3d9929a0c367577bdf5c09c8");
  derive_direction_secret(test::primitives(), test::secret_of(0), Direction::kResponderToInitiator,
                          &out);
  EXPECT_EQ(to_hex(out.bytes), "aac65d588a65c920538e343742dfba5bacc2c65560179969eb00e8c24c9bb4ef");
}

TEST(KeySchedule, what_one_side_sends_the_other_receives) {
  LaneSecrets initiator;
  LaneSecrets responder;
  derive_lane_secrets(test::primitives(), test::secret_of(0), true, 5, &initiator);
  derive_lane_secrets(test::primitives(), test::secret_of(0), false, 5, &responder);
  EXPECT_EQ(to_hex(initiator.send.bytes), kOutwardLane5);
  EXPECT_EQ(to_hex(initiator.receive.bytes), kHomewardLane5);
  EXPECT_EQ(initiator.send.bytes, responder.receive.bytes);
  EXPECT_EQ(initiator.receive.bytes, responder.send.bytes);
  LaneSecrets other_lane;
  derive_lane_secrets(test::primitives(), test::secret_of(0), true, 6, &other_lane);
  EXPECT_NE(other_lane.send.bytes, initiator.send.bytes);
}

// Verifies MUST-C1
TEST(KeySchedule, epochs_follow_in_place) {
  LaneSecrets lane;
  derive_lane_secrets(test::primitives(), test::secret_of(0), true, 5, &lane);
  derive_next_epoch_secret(test::primitives(), lane.send, &lane.send);
  EXPECT_EQ(to_hex(lane.send.bytes),
            "517fbc503e578f3bbc87e664963cdc0f845d48b4ebd2b00b068d4f2b1080da4c");
}

// Verifies MUST-C1
TEST(KeySchedule, key_and_iv_are_those_of_the_epoch) {
  Secret epoch;
  const auto bytes = from_hex("517fbc503e578f3bbc87e664963cdc0f845d48b4ebd2b00b068d4f2b1080da4c");
  std::copy(bytes.begin(), bytes.end(), epoch.bytes.begin());
  const struct {
    AeadAlgorithm algorithm;
    const char* key;
  } cases[] = {
      {AeadAlgorithm::kAes128Gcm, "2f26eb82d54f43fb153dd8660aaa9d37"},
      {AeadAlgorithm::kAes256Gcm,
       "31413825b76885c9077e8b4a29e30c4ac45fac94ed3274fbee46977930ffcb4d"},
  };
  const auto iv = from_hex("18f110f062c5870cff86cd50");
  for (const auto& c : cases) {
    AeadKey derived;
    AeadKey expected;
    ASSERT_TRUE(
        derive_epoch_key(test::primitives(), test::boringssl(), c.algorithm, epoch, &derived));
    ASSERT_TRUE(test::expand(test::boringssl(), c.algorithm, from_hex(c.key), iv, &expected));
    const test::Buffer plain(20, 1);
    EXPECT_EQ(test::seal(test::boringssl(), derived, 9, {}, plain),
              test::seal(test::boringssl(), expected, 9, {}, plain));
  }
}

TEST(KeySchedule, plaintext_has_an_iv_but_no_key) {
  NullBackend plaintext;
  AeadKey key;
  EXPECT_TRUE(derive_epoch_key(test::primitives(), &plaintext, AeadAlgorithm::kNone,
                               test::secret_of(1), &key));
  EXPECT_FALSE(derive_epoch_key(test::primitives(), &plaintext, AeadAlgorithm::kAes128Gcm,
                                test::secret_of(1), &key));
}

TEST(KeySchedule, a_secret_zeroes_itself) {
  alignas(Secret) unsigned char storage[sizeof(Secret)];
  auto* secret = new (storage) Secret(test::secret_of(1));
  secret->~Secret();
  EXPECT_TRUE(
      std::all_of(std::begin(storage), std::end(storage), [](unsigned char b) { return b == 0; }));
}

}  // namespace
}  // namespace sluice::crypto
