// SPDX-License-Identifier: Apache-2.0
#include "crypto/psk.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace sluice::crypto {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

PskResult parse(std::string_view text) { return parse_psk(bytes_of(text)); }

std::vector<uint8_t> counting(size_t size) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(i);
  return out;
}

std::vector<uint8_t> key_of(const PskResult& result) {
  return {result.key.bytes().begin(), result.key.bytes().end()};
}

constexpr std::string_view kHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
constexpr std::string_view kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TEST(Psk, reads_hexadecimal_in_either_case_with_line_ends) {
  EXPECT_EQ(key_of(parse(kHex)), counting(32));
  EXPECT_EQ(key_of(parse(std::string(kHex) + "\n")), counting(32));
  EXPECT_EQ(key_of(parse(std::string(kHex) + "\r\n\n")), counting(32));
  const std::string broken =
      std::string(kHex.substr(0, 31)) + "\n" + std::string(kHex.substr(31)) + "\n";
  EXPECT_EQ(key_of(parse(broken)), counting(32));
}

TEST(Psk, reads_base64_with_and_without_padding) {
  EXPECT_EQ(key_of(parse(kBase64)), counting(32));
  EXPECT_EQ(key_of(parse(kBase64.substr(0, kBase64.size() - 1))), counting(32));
  EXPECT_EQ(key_of(parse(std::string(kBase64) + "\r\n")), counting(32));
}

TEST(Psk, reads_the_url_safe_alphabet_alike) {
  const std::string standard = "++//++//++//++//++//++//++//++//++//++//++//";
  const std::string url_safe = "--__--__--__--__--__--__--__--__--__--__--__";
  ASSERT_TRUE(parse(standard).ok());
  EXPECT_EQ(key_of(parse(standard)), key_of(parse(url_safe)));
}

TEST(Psk, takes_binary_as_it_is_even_if_it_ends_in_a_line_end) {
  std::vector<uint8_t> raw = counting(32);
  raw.back() = '\n';
  EXPECT_EQ(key_of(parse_psk(raw)), raw);
}

TEST(Psk, takes_other_text_as_it_is_without_its_line_end) {
  const std::string text = "correct horse battery staple, and then some";
  const PskResult result = parse(text + "\n");
  ASSERT_TRUE(result.ok()) << result.error;
  EXPECT_EQ(key_of(result), std::vector<uint8_t>(text.begin(), text.end()));
}

// Verifies MUST-H4
TEST(Psk, refuses_short_keys_in_every_form_with_one_clear_error) {
  for (const std::string_view text :
       {kHex.substr(0, 62), kBase64.substr(0, 40), std::string_view("a short pass phrase!"),
        std::string_view("\x01\x02\x03", 3)}) {
    const PskResult result = parse(text);
    EXPECT_FALSE(result.ok());
    EXPECT_NE(result.error.find("too short"), std::string::npos) << result.error;
    EXPECT_NE(result.error.find("at least 32"), std::string::npos) << result.error;
    EXPECT_EQ(result.key.size(), 0u);
  }
  EXPECT_FALSE(make_psk(counting(31)).ok());
  EXPECT_TRUE(make_psk(counting(32)).ok());
}

TEST(Psk, never_takes_short_hexadecimal_or_base64_for_longer_text) {
  EXPECT_FALSE(parse(kHex.substr(0, 32)).ok());
  EXPECT_FALSE(parse(kHex.substr(0, 63)).ok());
  EXPECT_FALSE(parse("QUJDREVGR0hJSktMTU5PUFFSU1RVVldY").ok());
}

TEST(Psk, refuses_the_empty_and_the_oversized) {
  EXPECT_FALSE(parse("").ok());
  EXPECT_FALSE(parse("\n").ok());
  EXPECT_FALSE(parse_psk(counting(base::limits::kMaxPskBytes + 1)).ok());
  EXPECT_FALSE(parse(std::string(8192, 'a')).ok());
  EXPECT_TRUE(parse_psk(counting(base::limits::kMaxPskBytes)).ok());
  EXPECT_TRUE(parse(std::string(2 * base::limits::kMaxPskBytes, 'a') + "\n").ok());
}

TEST(Psk, errors_never_quote_the_key) {
  const PskResult result = parse("deadbeefdeadbeef");
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.error.find("dead"), std::string::npos);
}

TEST(Psk, copies_and_moves_keep_the_bytes) {
  const Psk key(counting(32));
  Psk copy = key;
  Psk assigned;
  assigned = copy;
  Psk moved;
  moved = std::move(copy);
  const Psk built(std::move(assigned));
  EXPECT_EQ(std::vector<uint8_t>(moved.bytes().begin(), moved.bytes().end()), counting(32));
  EXPECT_EQ(built.size(), 32u);
  EXPECT_EQ(key.size(), 32u);
}

}  // namespace
}  // namespace sluice::crypto
