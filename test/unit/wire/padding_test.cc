// SPDX-License-Identifier: Apache-2.0
#include "wire/padding.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace sluice::wire {
namespace {

// Verifies MUST-L1: the buckets, and what they cost.
TEST(Padding, buckets_are_few_and_near) {
  EXPECT_EQ(padded_length(1), 64u);
  EXPECT_EQ(padded_length(60), 64u);
  EXPECT_EQ(padded_length(61), 128u);
  EXPECT_EQ(padded_length(508), 512u);
  EXPECT_EQ(padded_length(509), 544u);
  EXPECT_EQ(padded_length(1020), 1024u);
  EXPECT_EQ(padded_length(1021), 1088u);
  EXPECT_EQ(padded_length((1u << 30) - 4), 1u << 30);
  EXPECT_GT(padded_length(1u << 30), 1u << 30);
  EXPECT_EQ(padded_length(UINT32_MAX), uint64_t{0x104000000});
  uint64_t before = 0;
  std::set<uint64_t> sizes;
  for (uint32_t content = 1; content < 200'000; ++content) {
    const uint64_t size = padded_length(content);
    const uint64_t least = uint64_t{content} + kLengthPrefix;
    ASSERT_GE(size, least);
    ASSERT_GE(size, before);
    ASSERT_LE(size - least, least <= kPowerBuckets ? std::max<uint64_t>(63, least) : least / 16);
    ASSERT_EQ(padded_length(static_cast<uint32_t>(size - kLengthPrefix)), size)
        << "a bucket's last content is its own";
    sizes.insert(before = size);
  }
  // 64 to 512, 16 between a power of two and the next up to 64 KiB, 32 above.
  EXPECT_EQ(sizes.size(), 4u + 7 * 16 + 32 + 17);
}

TEST(Padding, a_message_is_the_same_however_it_is_cut) {
  std::vector<uint8_t> content(100);
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<uint8_t>(i + 1);
  const std::vector<uint8_t> whole = padded_message(content);
  ASSERT_EQ(whole.size(), 128u);
  EXPECT_EQ(whole[3], 100u);
  EXPECT_TRUE(std::equal(content.begin(), content.end(), whole.begin() + kLengthPrefix));
  EXPECT_TRUE(all_zeros(std::span(whole).subspan(104)));
  for (uint32_t begin = 0; begin <= whole.size(); ++begin) {
    for (uint32_t end = begin; end <= whole.size(); ++end) {
      std::vector<uint8_t> part(end - begin, 0xee);
      copy_padded(content, begin, part);
      ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + begin)) << begin;
    }
  }
}

TEST(Padding, one_bit_is_seen_wherever_it_stands) {
  std::vector<uint8_t> bytes(300);
  EXPECT_TRUE(all_zeros(bytes));
  EXPECT_TRUE(all_zeros({}));
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = 0x80;
    ASSERT_FALSE(all_zeros(bytes)) << i;
    bytes[i] = 0;
  }
}

}  // namespace
}  // namespace sluice::wire
