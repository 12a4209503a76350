// SPDX-License-Identifier: Apache-2.0
#include "cli/services.h"

#include "rig_support.h"
#include "sluice/thread_client.h"

namespace sluice::cli {
namespace {

class ServicesTest : public testing::Test {
 protected:
  void SetUp() override {
    rig_ = running_rig(small_options(), {.serve = true, .files = false}, 4'000'000);
    ASSERT_NE(rig_, nullptr);
    auto client = ThreadClient::create(rig_->engine(), {});
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = std::move(*client);
  }
  void TearDown() override { client_.reset(); }

  CallResult call(uint16_t service, const uint8_t* bytes, uint32_t length) {
    CallOptions options;
    options.service = service;
    options.deadline_ns = 10'000'000'000;
    return client_->call_and_wait(rig_->sessions()[0], options, Buffer::borrow(bytes, length));
  }

  std::unique_ptr<Rig> rig_;
  std::unique_ptr<ThreadClient> client_;
};

TEST_F(ServicesTest, the_echo_answers_as_many_bytes) {
  const Content& content = rig_->content();
  for (uint32_t length : {1u, 7u, 8u, 256u, 257u, 1400u, 100'000u, 1'000'000u}) {
    CallResult result = call(kEchoService, content.request(11, length), length);
    ASSERT_EQ(result.code, StatusCode::kOk) << length;
    ASSERT_EQ(result.response.length(), length);
    EXPECT_TRUE(Content::matches(content.response(11, length), 0, result.response.bytes()));
  }
}

TEST_F(ServicesTest, the_sink_answers_a_word_whatever_the_length) {
  const Content& content = rig_->content();
  for (uint32_t length : {8u, 1'000'000u, 1u << 20, (1u << 20) + 1, 4'000'000u}) {
    CallResult result = call(kSinkService, content.request(5, length), length);
    ASSERT_EQ(result.code, StatusCode::kOk) << length;
    EXPECT_EQ(result.response.length(), Content::kWordBytes);
    EXPECT_TRUE(Content::matches(content.response(5, 8), 0, result.response.bytes()));
  }
}

TEST_F(ServicesTest, wrong_bytes_are_answered_with_data_loss) {
  std::vector<uint8_t> bytes(5000, 7);
  EXPECT_EQ(call(kEchoService, bytes.data(), 5000).code, StatusCode::kDataLoss);
  bytes.assign(rig_->content().request(1, 5000), rig_->content().request(1, 5000) + 5000);
  bytes[4999] ^= 1;
  EXPECT_EQ(call(kSinkService, bytes.data(), 5000).code, StatusCode::kDataLoss);
  EXPECT_EQ(rig_->served_corrupt(), 2u);
}

TEST_F(ServicesTest, wrong_bytes_in_a_stream_are_found) {
  std::vector<uint8_t> bytes(rig_->content().request(1, 3'000'000),
                             rig_->content().request(1, 3'000'000) + 3'000'000);
  bytes[2'999'999] ^= 1;
  EXPECT_EQ(call(kSinkService, bytes.data(), 3'000'000).code, StatusCode::kDataLoss);
  EXPECT_EQ(rig_->served_corrupt(), 1u);
}

TEST_F(ServicesTest, longer_messages_than_can_be_checked_are_refused) {
  const std::vector<uint8_t> bytes(5'000'000);
  EXPECT_EQ(call(kSinkService, bytes.data(), 5'000'000).code, StatusCode::kTooLarge);
  EXPECT_EQ(call(kEchoService, bytes.data(), 2'000'000).code, StatusCode::kTooLarge);
}

}  // namespace
}  // namespace sluice::cli
