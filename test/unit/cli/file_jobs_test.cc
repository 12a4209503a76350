// SPDX-License-Identifier: Apache-2.0
#include "cli/file_jobs.h"

#include <filesystem>
#include <fstream>

#include "cli/real_file.h"
#include "rig_support.h"

namespace sluice::cli {
namespace {

class FileJobsTest : public testing::Test {
 protected:
  FileJobsTest() : folder_(std::move(*TemporaryFolder::make())) {
    path_ = folder_.path() + "/sent.bin";
    std::filesystem::create_directory(folder_.path() + "/in");
  }

  void write_file(size_t bytes) {
    std::ofstream out(path_, std::ios::binary);
    for (size_t i = 0; i < bytes; ++i) out.put(static_cast<char>(i * 7 + i / 251));
  }

  absl::Status send(Rig* rig) {
    SendFileJob job(rig, path_, "");
    JsonReport json = empty_report();
    const absl::Status status = run_to_end(&job, &json, &text_);
    json_ = json.text();
    return status;
  }

  std::string arrived() const { return folder_.path() + "/in/sent.bin"; }

  TemporaryFolder folder_;
  std::string path_;
  std::string json_;
  std::string text_;
};

TEST_F(FileJobsTest, a_file_arrives_as_it_is) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  rig->receive_files(folder_.path() + "/in", false);
  write_file(5'000'001);
  EXPECT_EQ(send(rig.get()), absl::OkStatus());
  EXPECT_EQ(*sha256_of_file(arrived()), *sha256_of_file(path_));
  EXPECT_NE(json_.find("\"file.sha256_match\", \"value\": 1"), std::string::npos);
  EXPECT_NE(text_.find("SHA-256 matches"), std::string::npos);
}

TEST_F(FileJobsTest, an_empty_file_and_a_faulty_network_make_no_difference) {
  Options options = small_options();
  options.faults.loss_ppm = options.faults.duplicate_ppm = options.faults.reorder_ppm = 20'000;
  auto rig = running_rig(options);
  ASSERT_NE(rig, nullptr);
  rig->receive_files(folder_.path() + "/in", true);
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{3'000'000}}) {
    write_file(bytes);
    EXPECT_EQ(send(rig.get()), absl::OkStatus());
    EXPECT_EQ(std::filesystem::file_size(arrived()), bytes);
    EXPECT_EQ(*sha256_of_file(arrived()), *sha256_of_file(path_));
  }
}

TEST_F(FileJobsTest, an_existing_file_is_not_replaced_and_the_sender_hears_why) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  FileReceiver& receiver = rig->receive_files(folder_.path() + "/in", false);
  std::ofstream(arrived()) << "mine";
  write_file(100);
  const absl::Status status = send(rig.get());
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(std::filesystem::file_size(arrived()), 4u);
  EXPECT_EQ(receiver.take_errors().size(), 1u);
}

TEST_F(FileJobsTest, a_missing_file_is_said) {
  auto rig = running_rig(small_options());
  ASSERT_NE(rig, nullptr);
  rig->receive_files(folder_.path() + "/in", false);
  EXPECT_TRUE(absl::IsNotFound(send(rig.get())));
}

TEST_F(FileJobsTest, the_receiving_job_lists_its_files) {
  Options options = small_options();
  options.folder = folder_.path() + "/in";
  auto rig = running_rig(options);
  ASSERT_NE(rig, nullptr);
  ReceiveFilesJob receiving(rig.get(), 1);
  ASSERT_TRUE(receiving.start().ok());
  write_file(1000);
  EXPECT_EQ(send(rig.get()), absl::OkStatus());
  EXPECT_TRUE(receiving.done());
  JsonReport json = empty_report();
  std::string text;
  EXPECT_EQ(receiving.finish(&json, &text), absl::OkStatus());
  EXPECT_NE(text.find("1 files received, 0 of them wrong"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
