// SPDX-License-Identifier: Apache-2.0
#include "cli/content.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::cli {
namespace {

std::vector<uint8_t> copy(const uint8_t* bytes, size_t length) {
  return std::vector<uint8_t>(bytes, bytes + length);
}

class ContentTest : public testing::Test {
 protected:
  ContentTest() : content_(std::move(*Content::create(4'000'000))) {}
  std::unique_ptr<Content> content_;
};

TEST_F(ContentTest, a_request_tells_its_number_and_matches_itself) {
  for (uint64_t id : {0u, 1u, 77u, 8191u}) {
    for (uint32_t length : {8u, 9u, 64u, 1400u, 1'000'000u, 4'000'000u}) {
      const auto bytes = copy(content_->request(id, length), length);
      EXPECT_EQ(content_->number_of(bytes), id);
      EXPECT_TRUE(Content::matches(content_->request(id, length), 0, bytes));
      EXPECT_FALSE(Content::matches(content_->response(id, length), 0, bytes));
    }
  }
}

TEST_F(ContentTest, a_request_shorter_than_a_word_is_known_by_its_first_byte) {
  for (uint64_t id : {0u, 5u, 255u}) {
    for (uint32_t length = 1; length < Content::kWordBytes; ++length) {
      const auto bytes = copy(content_->request(id, length), length);
      ASSERT_EQ(content_->number_of(bytes), id);
      EXPECT_TRUE(Content::matches(content_->request(id, length), 0, bytes));
    }
  }
  EXPECT_NE(content_->request(1, 1)[0], content_->response(1, 1)[0]);
}

TEST_F(ContentTest, every_single_damaged_byte_is_found) {
  const auto sent = copy(content_->request(42, 2000), 2000);
  for (size_t at = 0; at < sent.size(); ++at) {
    auto damaged = sent;
    damaged[at] ^= 0x10;
    const auto number = content_->number_of(damaged);
    const bool accepted = number && Content::matches(content_->request(*number, 2000), 0, damaged);
    EXPECT_FALSE(accepted) << at;
  }
}

TEST_F(ContentTest, bytes_moved_by_records_or_powers_of_two_are_found) {
  const uint8_t* message = content_->request(3, 4'000'000);
  for (size_t shift : {1u, 8u, 1400u, 4096u, 16384u, 65536u, 1u << 20, 2u << 20}) {
    EXPECT_FALSE(Content::matches(message, 0, {message + shift, 1400})) << shift;
  }
}

TEST_F(ContentTest, messages_in_flight_together_differ) {
  const uint8_t* one = content_->request(100, 64);
  for (uint64_t id = 0; id < Content::kPlaces; ++id) {
    if (id == 100) continue;
    EXPECT_FALSE(Content::matches(one, 0, {content_->request(id, 64), 64})) << id;
  }
}

TEST_F(ContentTest, parts_are_matched_at_their_offset) {
  const uint8_t* message = content_->request(9, 100'000);
  EXPECT_TRUE(Content::matches(message, 50'001, {message + 50'001, 777}));
  EXPECT_FALSE(Content::matches(message, 50'002, {message + 50'001, 777}));
}

TEST_F(ContentTest, foreign_bytes_have_no_number) {
  const std::vector<uint8_t> zeros(64);
  EXPECT_FALSE(content_->number_of(zeros));
  EXPECT_FALSE(content_->number_of({}));
  EXPECT_FALSE(content_->number_of({content_->response(1, 64), 64}));
  EXPECT_FALSE(content_->number_of({content_->request(1, 64) + 8, 56}));
}

}  // namespace
}  // namespace sluice::cli
