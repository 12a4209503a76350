// SPDX-License-Identifier: Apache-2.0
#include "cli/sha256.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace sluice::cli {
namespace {

std::span<const uint8_t> bytes(const char* text) {
  return {reinterpret_cast<const uint8_t*>(text), std::char_traits<char>::length(text)};
}

// FIPS 180-4's examples.
TEST(Sha256, gives_the_published_digests) {
  const auto abc = sha256(bytes("abc"));
  ASSERT_TRUE(abc.ok()) << abc.status();
  EXPECT_EQ(digest_text(*abc), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_text(*sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, reads_files) {
  const std::string path = testing::TempDir() + "sluice-sha-" + std::to_string(::getpid());
  std::ofstream(path) << "abc";
  EXPECT_EQ(*sha256_of_file(path), *sha256(bytes("abc")));
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_EQ(*sha256_of_file(path), *sha256({}));
  std::remove(path.c_str());
  EXPECT_FALSE(sha256_of_file(path).ok());
  EXPECT_FALSE(sha256_of_file(testing::TempDir()).ok());
}

}  // namespace
}  // namespace sluice::cli
