// SPDX-License-Identifier: Apache-2.0
//
// What every mechanism's handshake must stand, whatever proves the peers. `Pair` is a client and a
// server handshake facing each other: `client`, `server`, fresh_server() for the same attempt,
// hello(), server_hello() and complete().
#ifndef SLUICE_TEST_UNIT_CRYPTO_HANDSHAKE_SCENARIOS_H_
#define SLUICE_TEST_UNIT_CRYPTO_HANDSHAKE_SCENARIOS_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "crypto/handshake.h"
#include "support.h"

namespace sluice::crypto::test {

inline constexpr uint64_t kAttempt = 0x1122334455667788;
inline const Buffer kToken = {1, 2, 3, 4};

inline void expect_ignored(const HandshakeOutcome& outcome, const std::string& what) {
  EXPECT_EQ(outcome.step, HandshakeStep::kIgnored) << what;
  EXPECT_TRUE(outcome.send.empty()) << what;
}

// Every message that differs from `good` in one bit of each byte, or is cut short before every
// `cut_every`th byte, or made longer.
inline std::vector<Buffer> damaged(const Buffer& good, size_t cut_every) {
  std::vector<Buffer> out;
  for (size_t i = 0; i < good.size(); ++i) {
    Buffer bad = good;
    bad[i] = static_cast<uint8_t>(bad[i] ^ (1u << (i % 8)));
    out.push_back(bad);
    if (i % cut_every == 0) {
      out.emplace_back(good.begin(), good.begin() + static_cast<ptrdiff_t>(i));
    }
  }
  out.push_back(good);
  out.back().push_back(0);
  return out;
}

template <typename Pair>
void damaged_hellos_create_nothing(Pair* pair, size_t cut_every) {
  const Buffer good = pair->hello();
  for (const Buffer& bad : damaged(good, cut_every)) {
    EXPECT_EQ(pair->fresh_server()->on_hello(kToken, bad).step, HandshakeStep::kRefused);
  }
  ASSERT_EQ(pair->server->on_hello(kToken, good).step, HandshakeStep::kNeedMore);
  for (const Buffer& bad : damaged(good, cut_every)) {
    expect_ignored(pair->server->on_hello(kToken, bad), "hello after the good one");
  }
  EXPECT_TRUE(pair->complete());
}

// Also under the types `at_server` and `at_client`, which only the other side's refusals bear.
template <typename Pair>
void damaged_later_messages_change_nothing(Pair* pair, size_t cut_every,
                                           std::span<const HandshakeType> at_server,
                                           std::span<const HandshakeType> at_client) {
  const Buffer server_hello = pair->server_hello();
  for (const Buffer& bad : damaged(server_hello, cut_every)) {
    expect_ignored(pair->client->on_message(HandshakeType::kServerHello, bad), "server hello");
  }
  const Buffer finished =
      pair->client->on_message(HandshakeType::kServerHello, server_hello).send.at(0).bytes;
  for (const Buffer& bad : damaged(finished, cut_every)) {
    expect_ignored(pair->server->on_message(HandshakeType::kClientFinished, bad), "finished");
    for (const HandshakeType type : at_server) {
      expect_ignored(pair->server->on_message(type, bad), "refusal");
    }
  }
  const HandshakeOutcome accepted =
      pair->server->on_message(HandshakeType::kClientFinished, finished);
  ASSERT_EQ(accepted.step, HandshakeStep::kEstablished);
  const Buffer done = accepted.send.at(0).bytes;
  for (const Buffer& bad : damaged(done, cut_every)) {
    expect_ignored(pair->client->on_message(HandshakeType::kServerDone, bad), "done");
    for (const HandshakeType type : at_client) {
      expect_ignored(pair->client->on_message(type, bad), "refusal");
    }
  }
  EXPECT_EQ(pair->client->on_message(HandshakeType::kServerDone, done).step,
            HandshakeStep::kEstablished);
}

template <typename Pair>
void repetitions_get_the_same_bytes(Pair* pair) {
  const Buffer hello = pair->hello();
  EXPECT_EQ(pair->hello(), hello);
  const Buffer answer = pair->server->on_hello(kToken, hello).send.at(0).bytes;
  EXPECT_EQ(pair->server->on_hello(kToken, hello).send.at(0).bytes, answer);
  // With a newer token the hello is the same attempt.
  const Buffer renewed = {9, 9};
  const Buffer again = pair->client->begin(renewed, hello.size()).send.at(0).bytes;
  EXPECT_EQ(pair->server->on_hello(renewed, again).send.at(0).bytes, answer);
  const Buffer finished =
      pair->client->on_message(HandshakeType::kServerHello, answer).send.at(0).bytes;
  const auto first = pair->server->on_message(HandshakeType::kClientFinished, finished);
  EXPECT_EQ(first.step, HandshakeStep::kEstablished);
  const auto second = pair->server->on_message(HandshakeType::kClientFinished, finished);
  EXPECT_EQ(second.step, HandshakeStep::kNeedMore);
  EXPECT_EQ(first.send.at(0).bytes, second.send.at(0).bytes);
  const Buffer done = first.send.at(0).bytes;
  EXPECT_EQ(pair->client->on_message(HandshakeType::kServerDone, done).step,
            HandshakeStep::kEstablished);
  expect_ignored(pair->client->on_message(HandshakeType::kServerDone, done), "second done");
  expect_ignored(pair->client->on_message(HandshakeType::kServerHello, answer), "late hello");
  expect_ignored(pair->server->on_hello(kToken, hello), "late client hello");
}

}  // namespace sluice::crypto::test

#endif  // SLUICE_TEST_UNIT_CRYPTO_HANDSHAKE_SCENARIOS_H_
