// SPDX-License-Identifier: Apache-2.0
#include "cli/file_receiver.h"

#include "cli/caller.h"
#include "cli/real_file.h"
#include "rig_support.h"
#include "sluice/thread_client.h"

namespace sluice::cli {
namespace {

class FileReceiverTest : public testing::Test {
 protected:
  FileReceiverTest() : folder_(std::move(*TemporaryFolder::make())) {}

  void SetUp() override {
    rig_ = running_rig(small_options());
    ASSERT_NE(rig_, nullptr);
    receiver_ = &rig_->receive_files(folder_.path(), false);
    client_ = std::move(*ThreadClient::create(rig_->engine(), {}));
  }
  void TearDown() override { client_.reset(); }

  CallResult ask(const std::vector<uint8_t>& message) {
    CallOptions options;
    options.service = kFileService;
    options.deadline_ns = 10'000'000'000;
    return client_->call_and_wait(
        rig_->sessions()[0], options,
        Buffer::borrow(message.data(), static_cast<uint32_t>(message.size())));
  }

  TemporaryFolder folder_;
  std::unique_ptr<Rig> rig_;
  std::unique_ptr<ThreadClient> client_;
  FileReceiver* receiver_ = nullptr;
};

TEST_F(FileReceiverTest, garbage_is_rejected_and_the_service_goes_on) {
  EXPECT_EQ(ask({1, 2, 3}).code, StatusCode::kInvalidArgument);
  EXPECT_EQ(ask(std::vector<uint8_t>(100, 9)).code, StatusCode::kInvalidArgument);
  EXPECT_EQ(ask(encode(FileBegin{10, "../evil"})).code, StatusCode::kInvalidArgument);
  EXPECT_EQ(ask(encode(FileEnd{77, {}})).code, StatusCode::kNotFound);
  EXPECT_EQ(receiver_->take_errors().size(), 4u);
  EXPECT_EQ(ask(encode(FileBegin{0, "good"})).code, StatusCode::kOk);
}

TEST_F(FileReceiverTest, a_wrong_digest_is_told_to_the_sender) {
  CallResult begun = ask(encode(FileBegin{0, "f"}));
  ASSERT_EQ(begun.code, StatusCode::kOk);
  const auto reply = decode_begin_reply(begun.response.bytes());
  ASSERT_TRUE(reply);
  CallResult ended = ask(encode(FileEnd{reply->transfer, {}}));
  ASSERT_EQ(ended.code, StatusCode::kOk);
  EXPECT_FALSE(decode_end_reply(ended.response.bytes())->match);
  const auto files = receiver_->take();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_FALSE(files[0].match);
  EXPECT_EQ(receiver_->files(), 1u);
}

}  // namespace
}  // namespace sluice::cli
