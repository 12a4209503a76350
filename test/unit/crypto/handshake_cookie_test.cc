// SPDX-License-Identifier: Apache-2.0
#include "crypto/handshake_cookie.h"

#include <gtest/gtest.h>

#include <vector>

#include "handshake_support.h"
#include "support.h"

namespace sluice::crypto {
namespace {

using base::seconds;

constexpr uint8_t kAddress[] = {10, 0, 0, 1, 0x0f, 0xa0};
constexpr uint8_t kOther[] = {10, 0, 0, 1, 0x0f, 0xa1};

class HandshakeCookie : public testing::Test {
 protected:
  test::SeededRandom random_{1};
  CookieJar jar_{&test::primitives(), random_.source()};
};

// Verifies MUST-H8
TEST_F(HandshakeCookie, is_valid_for_its_address_and_attempt_only) {
  const Cookie cookie = jar_.make(kAddress, 7, seconds(100));
  EXPECT_EQ(jar_.check(cookie, kAddress, 7, seconds(100)), CookieVerdict::kValid);
  EXPECT_EQ(jar_.check(cookie, kOther, 7, seconds(100)), CookieVerdict::kForged);
  EXPECT_EQ(jar_.check(cookie, kAddress, 8, seconds(100)), CookieVerdict::kForged);
}

// Verifies MUST-H8
TEST_F(HandshakeCookie, expires) {
  const Cookie cookie = jar_.make(kAddress, 7, seconds(100));
  const base::Nanos last = base::after(seconds(100), base::limits::kCookieLifetime);
  EXPECT_EQ(jar_.check(cookie, kAddress, 7, last), CookieVerdict::kValid);
  EXPECT_EQ(jar_.check(cookie, kAddress, 7, base::after(last, seconds(1))),
            CookieVerdict::kExpired);
}

TEST_F(HandshakeCookie, any_changed_byte_or_length_is_a_forgery) {
  const Cookie cookie = jar_.make(kAddress, 7, seconds(100));
  for (size_t bit = 0; bit < 8 * kCookieSize; ++bit) {
    Cookie bad = cookie;
    bad[bit / 8] = static_cast<uint8_t>(bad[bit / 8] ^ (1u << (bit % 8)));
    EXPECT_EQ(jar_.check(bad, kAddress, 7, seconds(100)), CookieVerdict::kForged) << bit;
  }
  for (size_t size = 0; size < kCookieSize; ++size) {
    EXPECT_EQ(jar_.check(std::span(cookie).first(size), kAddress, 7, seconds(100)),
              CookieVerdict::kForged);
  }
  std::vector<uint8_t> longer(cookie.begin(), cookie.end());
  longer.push_back(0);
  EXPECT_EQ(jar_.check(longer, kAddress, 7, seconds(100)), CookieVerdict::kForged);
}

TEST_F(HandshakeCookie, outlives_one_change_of_key_but_not_its_own_lifetime) {
  jar_.make(kAddress, 1, seconds(0));
  const Cookie cookie = jar_.make(kAddress, 7, seconds(59));
  // The key changes at 60 s.
  EXPECT_NE(jar_.make(kAddress, 7, seconds(61)), cookie);
  EXPECT_EQ(jar_.check(cookie, kAddress, 7, seconds(62)), CookieVerdict::kValid);
  EXPECT_EQ(jar_.check(cookie, kAddress, 7, seconds(70)), CookieVerdict::kExpired);
  // Once the key itself is gone nothing made with it can be told from a forgery.
  EXPECT_EQ(jar_.check(cookie, kAddress, 7, seconds(200)), CookieVerdict::kForged);
}

TEST_F(HandshakeCookie, means_nothing_to_another_server) {
  test::SeededRandom other_random(2);
  CookieJar other(&test::primitives(), other_random.source());
  const Cookie cookie = jar_.make(kAddress, 7, seconds(100));
  EXPECT_EQ(other.check(cookie, kAddress, 7, seconds(100)), CookieVerdict::kForged);
}

}  // namespace
}  // namespace sluice::crypto
