// SPDX-License-Identifier: Apache-2.0
#include "cli/file_format.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(FileFormat, a_begin_survives_the_journey) {
  const auto message = encode(FileBegin{1234567890123, "a file.txt"});
  EXPECT_EQ(file_verb(message), FileVerb::kBegin);
  const auto begin = decode_begin(message);
  ASSERT_TRUE(begin);
  EXPECT_EQ(begin->size, 1234567890123u);
  EXPECT_EQ(begin->name, "a file.txt");
}

TEST(FileFormat, replies_survive_the_journey) {
  const auto begin = decode_begin_reply(encode(FileBeginReply{7, 65536}));
  ASSERT_TRUE(begin);
  EXPECT_EQ(begin->transfer, 7u);
  EXPECT_EQ(begin->max_message, 65536u);
  Digest digest{};
  digest[31] = 9;
  const auto end = decode_end_reply(encode(FileEndReply{true, digest}));
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->match);
  EXPECT_EQ(end->digest, digest);
}

TEST(FileFormat, chunks_and_ends_survive_the_journey) {
  std::vector<uint8_t> message(kChunkHeaderBytes + 3, 0xAB);
  encode_chunk_header(5, 1u << 20, message.data());
  const auto chunk = decode_chunk(message);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->transfer, 5u);
  EXPECT_EQ(chunk->offset, 1u << 20);
  EXPECT_EQ(chunk->bytes.size(), 3u);
  const auto end = decode_end(encode(FileEnd{5, Digest{1, 2, 3}}));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->digest, (Digest{1, 2, 3}));
}

TEST(FileFormat, every_truncation_is_refused) {
  const auto begin = encode(FileBegin{10, "name"});
  for (size_t length = 0; length < begin.size(); ++length) {
    EXPECT_FALSE(decode_begin({begin.data(), length})) << length;
  }
  const auto end = encode(FileEnd{5, Digest{}});
  for (size_t length = 0; length < end.size(); ++length) {
    EXPECT_FALSE(decode_end({end.data(), length})) << length;
  }
  const std::vector<uint8_t> header(kChunkHeaderBytes, 2);
  EXPECT_FALSE(decode_chunk(header));  // No byte follows.
}

TEST(FileFormat, other_verbs_are_refused) {
  std::vector<uint8_t> message = encode(FileBegin{10, "name"});
  for (int verb : {0, 2, 3, 4, 255}) {
    message[0] = static_cast<uint8_t>(verb);
    EXPECT_FALSE(decode_begin(message));
  }
}

TEST(FileFormat, names_that_leave_the_folder_are_refused) {
  for (const char* name : {"", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a\nb"}) {
    EXPECT_FALSE(plain_file_name(name)) << name;
    EXPECT_FALSE(decode_begin(encode(FileBegin{1, name}))) << name;
  }
  EXPECT_FALSE(plain_file_name(std::string(256, 'a')));
  EXPECT_TRUE(plain_file_name(std::string(255, 'a')));
}

TEST(FileFormat, a_receiver_without_room_for_a_chunk_is_refused) {
  EXPECT_FALSE(decode_begin_reply(encode(FileBeginReply{7, kChunkHeaderBytes})));
}

}  // namespace
}  // namespace sluice::cli
