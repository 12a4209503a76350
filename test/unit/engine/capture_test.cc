// SPDX-License-Identifier: Apache-2.0
#include "engine/capture.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace sluice::engine {
namespace {

class CaptureFile : public testing::Test {
 protected:
  CaptureFile() : path(testing::TempDir() + "sluice-capture-test.pcap") {}
  ~CaptureFile() override { std::filesystem::remove(path); }
  std::vector<uint8_t> read() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::string path;
};

void put(CaptureRing* ring, uint64_t when, const std::vector<uint8_t>& frame) {
  const auto size = static_cast<uint32_t>(frame.size());
  ASSERT_TRUE(ring->begin(when, size, size));
  ring->add(frame.data(), frame.size());
  ring->commit();
}

uint32_t word(const std::vector<uint8_t>& bytes, size_t at) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

TEST_F(CaptureFile, holds_the_frames_with_nanoseconds) {
  {
    auto capture = Capture::open(path, 1u << 20, 2);
    ASSERT_TRUE(capture.ok()) << capture.status();
    put((*capture)->ring(0), 5'000'000'007, {1, 2, 3});
    put((*capture)->ring(0), 6'000'000'008, {4, 5});
    EXPECT_EQ((*capture)->recorded(), 2u);
  }
  const auto bytes = read();
  ASSERT_EQ(bytes.size(), 24u + 16 + 3 + 16 + 2);
  EXPECT_EQ(word(bytes, 0), 0xa1b23c4du);
  EXPECT_EQ(word(bytes, 20), 1u);
  EXPECT_EQ(word(bytes, 24), 5u);
  EXPECT_EQ(word(bytes, 28), 7u);
  EXPECT_EQ(word(bytes, 32), 3u);
  EXPECT_EQ(bytes[40], 1);
  EXPECT_EQ(word(bytes, 43), 6u);
}

TEST_F(CaptureFile, stops_at_its_limit_between_two_records) {
  {
    auto capture = Capture::open(path, 100, 1);
    ASSERT_TRUE(capture.ok());
    for (int i = 0; i < 10; ++i) put((*capture)->ring(0), 1, std::vector<uint8_t>(20, 9));
  }
  EXPECT_EQ(read().size(), 24u + 2 * 36);
}

TEST_F(CaptureFile, a_path_that_cannot_be_written_is_an_error) {
  const auto capture = Capture::open("/no-such-directory/x.pcap", 100, 1);
  ASSERT_FALSE(capture.ok());
  EXPECT_NE(std::string(capture.status().message()).find("/no-such-directory/x.pcap"),
            std::string::npos);
}

TEST(CaptureRing, wraps_and_counts_what_does_not_fit) {
  CaptureRing ring(256);
  std::vector<uint8_t> out;
  const std::vector<uint8_t> frame(60, 3);
  for (int round = 0; round < 20; ++round) {
    put(&ring, 1, frame);
    put(&ring, 2, frame);
    ring.drain(&out);
  }
  EXPECT_EQ(out.size(), 40u * 76);
  put(&ring, 1, frame);
  put(&ring, 1, frame);
  put(&ring, 1, frame);
  EXPECT_FALSE(ring.begin(1, 60, 60));
  EXPECT_EQ(ring.dropped(), 1u);
  EXPECT_EQ(ring.recorded(), 43u);
}

}  // namespace
}  // namespace sluice::engine
