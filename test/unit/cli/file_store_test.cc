// SPDX-License-Identifier: Apache-2.0
#include "cli/file_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::cli {
namespace {

class FileStoreTest : public testing::Test {
 protected:
  FileStoreTest() : folder_(testing::TempDir() + "sluice-store-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~FileStoreTest() override { std::filesystem::remove_all(folder_); }

  size_t files() const {
    const auto entries = std::filesystem::directory_iterator(folder_);
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }
  static std::span<const uint8_t> part(const std::vector<uint8_t>& bytes, size_t from, size_t to) {
    return {bytes.data() + from, to - from};
  }

  std::string folder_;
  const std::vector<uint8_t> bytes_ = std::vector<uint8_t>(10'000, 0x5A);
};

TEST_F(FileStoreTest, a_file_appears_when_it_is_complete_and_right) {
  FileStore store(folder_, false);
  const auto transfer = store.begin({bytes_.size(), "f"}, 100);
  ASSERT_TRUE(transfer.ok()) << transfer.status();
  EXPECT_TRUE(store.chunk({*transfer, 5'000, part(bytes_, 5'000, 10'000)}, 150).ok());
  EXPECT_TRUE(store.chunk({*transfer, 0, part(bytes_, 0, 5'000)}, 160).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/f"));
  const auto file = store.end({*transfer, *sha256(bytes_)}, 200);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->match);
  EXPECT_EQ(file->bytes, bytes_.size());
  EXPECT_EQ(file->nanos, 100u);
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/f"), bytes_.size());
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileStoreTest, an_empty_file_is_a_file) {
  FileStore store(folder_, false);
  const auto transfer = store.begin({0, "empty"}, 0);
  ASSERT_TRUE(transfer.ok());
  const auto file = store.end({*transfer, *sha256({})}, 0);
  EXPECT_TRUE(file->match);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/empty"));
}

TEST_F(FileStoreTest, a_damaged_or_incomplete_file_does_not_appear) {
  FileStore store(folder_, false);
  const auto damaged = store.begin({bytes_.size(), "damaged"}, 0);
  EXPECT_TRUE(store.chunk({*damaged, 0, bytes_}, 0).ok());
  EXPECT_FALSE(store.end({*damaged, Digest{}}, 0)->match);
  const auto partial = store.begin({bytes_.size(), "partial"}, 0);
  EXPECT_FALSE(store.end({*partial, *sha256(bytes_)}, 0)->match);
  EXPECT_EQ(files(), 0u);
}

TEST_F(FileStoreTest, an_existing_file_is_kept_unless_it_may_be_replaced) {
  std::ofstream(folder_ + "/f") << "mine";
  FileStore careful(folder_, false);
  EXPECT_TRUE(absl::IsAlreadyExists(careful.begin({1, "f"}, 0).status()));
  FileStore bold(folder_, true);
  const auto transfer = bold.begin({bytes_.size(), "f"}, 0);
  EXPECT_TRUE(bold.chunk({*transfer, 0, bytes_}, 0).ok());
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/f"), 4u);
  EXPECT_TRUE(bold.end({*transfer, *sha256(bytes_)}, 0)->match);
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/f"), bytes_.size());
}

TEST_F(FileStoreTest, bytes_outside_the_file_are_refused) {
  FileStore store(folder_, false);
  const auto transfer = store.begin({100, "f"}, 0);
  EXPECT_TRUE(absl::IsOutOfRange(store.chunk({*transfer, 50, part(bytes_, 0, 51)}, 0)));
  EXPECT_TRUE(absl::IsOutOfRange(store.chunk({*transfer, ~0ull, part(bytes_, 0, 2)}, 0)));
  EXPECT_TRUE(absl::IsNotFound(store.chunk({*transfer + 1, 0, part(bytes_, 0, 2)}, 0)));
  EXPECT_TRUE(absl::IsNotFound(store.end({*transfer + 1, {}}, 0).status()));
}

TEST_F(FileStoreTest, what_is_under_way_is_bounded_and_leaves_nothing_behind) {
  {
    FileStore store(folder_, false);
    for (size_t i = 0; i < FileStore::kMaxTransfers; ++i) {
      EXPECT_TRUE(store.begin({10, "f" + std::to_string(i)}, 0).ok());
    }
    EXPECT_TRUE(absl::IsResourceExhausted(store.begin({10, "more"}, 0).status()));
    EXPECT_TRUE(absl::IsResourceExhausted(store.begin({~0ull, "huge"}, 0).status()));
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(FileStoreTest, a_silent_sender_is_given_up) {
  FileStore store(folder_, false);
  const auto silent = store.begin({10, "silent"}, 0);
  const auto alive = store.begin({10, "alive"}, 0);
  EXPECT_TRUE(store.chunk({*alive, 0, part(bytes_, 0, 1)}, FileStore::kPatience).ok());
  store.expire(FileStore::kPatience + 1);
  EXPECT_EQ(store.under_way(), 1u);
  EXPECT_TRUE(absl::IsNotFound(store.chunk({*silent, 0, part(bytes_, 0, 1)}, 0)));
}

TEST_F(FileStoreTest, a_missing_folder_is_said) {
  FileStore store(folder_ + "/none", false);
  EXPECT_TRUE(absl::IsUnavailable(store.begin({10, "f"}, 0).status()));
}

}  // namespace
}  // namespace sluice::cli
