// SPDX-License-Identifier: Apache-2.0
#include "wire/esp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "wire_test_util.h"

namespace sluice::wire {
namespace {

// Verifies MUST-S1: the reserved SPIs are below every base, and no two bases share an SPI.
TEST(Esp, bases_are_apart) {
  EXPECT_FALSE(esp_base_valid(0));
  EXPECT_FALSE(esp_base_valid(256));
  EXPECT_FALSE(esp_base_valid(511));
  EXPECT_FALSE(esp_base_valid(513));
  EXPECT_TRUE(esp_base_valid(512));
  EXPECT_TRUE(esp_base_valid(0xfffffe00));
  EXPECT_EQ(esp_spi(0xfffffe00, 127, 255), 0xffffffffu);
}

// Verifies MUST-S2: every lane and each of four epochs in a row has its own.
TEST(Esp, an_spi_names_lane_and_epoch) {
  std::set<uint32_t> all;
  for (unsigned lane = 0; lane < base::limits::kMaxLanesPerSession; ++lane) {
    for (unsigned epoch = 252; epoch < 260; ++epoch) {
      const auto number = static_cast<uint8_t>(lane);
      const uint32_t spi = esp_spi(1024, number, static_cast<uint8_t>(epoch));
      EXPECT_EQ(spi, 1024 + 4 * lane + epoch % 4);
      EXPECT_EQ(esp_lane(spi), number);
      EXPECT_EQ(esp_lane_key(spi), esp_lane_key(esp_spi(1024, number, 0)));
      all.insert(spi);
    }
  }
  EXPECT_EQ(all.size(), kEspSpis);
  EXPECT_EQ(*all.rbegin() - *all.begin(), kEspSpis - 1);
}

// Verifies MUST-S2: SPI, sequence and IV, as RFC 4303 and RFC 4106 have them.
TEST(Esp, header_has_golden_bytes) {
  const EspHeader header{0x0badc600, 7, 0x8000000000000102};
  ByteVector bytes(kEspPacketMin);
  header.emit(bytes.data());
  EXPECT_EQ(to_hex(std::span(bytes).first(kEspHeaderSize)), "0badc600000000078000000000000102");
  const auto view = EspView::parse(bytes.data(), bytes.size());
  ASSERT_TRUE(view);
  EXPECT_EQ(view->value(), header);
  EXPECT_EQ(view->sealed_length(), kEspPacketMin - 32);
}

// Verifies MUST-S3: what is shorter than any, or sealed in no multiple of 4 bytes, is none.
TEST(Esp, lengths_are_held_to_bounds) {
  const ByteVector bytes(kEspPacketMin + 8);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(EspView::parse(bytes.data(), size).has_value(),
              size >= kEspPacketMin && size % 4 == 0)
        << size;
  }
}

// Verifies MUST-S3: 1, 2, 3, as RFC 4303 numbers them, then their count and the next header.
TEST(Esp, trailers_have_golden_bytes) {
  const char* const wanted[] = {"010202fd", "0101fd", "00fd", "01020303fd"};
  for (uint32_t length = 32; length < 36; ++length) {
    ByteVector plaintext(length + kEspTrailerMax, 0xee);
    const uint32_t size = write_esp_trailer(plaintext.data(), length, 253);
    EXPECT_EQ(to_hex(std::span(plaintext).subspan(length, size)),
              length % 4 == 0 ? "010202fd" : wanted[length % 4]);
    EXPECT_EQ((length + size) % 4, 0u);
    EXPECT_EQ(esp_content(plaintext.data(), length + size, 253), length);
  }
}

// Verifies MUST-S3: any other trailer is none of ours, whichever byte of it differs.
TEST(Esp, other_trailers_are_refused) {
  for (uint32_t length = 32; length < 36; ++length) {
    ByteVector plaintext(length + kEspTrailerMax);
    const uint32_t size = write_esp_trailer(plaintext.data(), length, 253);
    for (uint32_t at = length; at < length + size; ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        ByteVector other = plaintext;
        other[at] ^= static_cast<uint8_t>(1u << bit);
        const auto found = esp_content(other.data(), length + size, 253);
        // No padding at all is right at the end of a content that is longer by what it was.
        const bool none = at == length + size - 2 && other[at] == 0;
        EXPECT_EQ(found.has_value(), none) << length << " " << at;
        if (none) {
          EXPECT_EQ(*found, length + size - kEspTrailerMin);
        }
      }
    }
    EXPECT_FALSE(esp_content(plaintext.data(), length + size, 17));
  }
  // More padding than fills up, and more than there is.
  const ByteVector longer = {1, 2, 3, 4, 5, 6, 6, 253};
  EXPECT_FALSE(esp_content(longer.data(), 8, 253));
  const ByteVector bare = {3, 253};
  EXPECT_FALSE(esp_content(bare.data(), 2, 253));
  EXPECT_FALSE(esp_content(bare.data(), 1, 253));
  EXPECT_FALSE(esp_content(bare.data(), 0, 253));
}

}  // namespace
}  // namespace sluice::wire
