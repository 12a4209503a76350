// SPDX-License-Identifier: Apache-2.0
#include "engine/audit_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "engine/crypto_loader.h"
#include "engine/limits.h"

namespace sluice::engine {
namespace {

const crypto::Primitives* primitives() { return (*load_crypto(""))->primitives; }

crypto::AuditRecord record_of(const std::string& event) {
  crypto::AuditRecord record;
  record.event = event;
  return record;
}

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() : file(testing::TempDir() + "sluice-audit-" + std::to_string(::getpid())) {
    std::filesystem::remove(file);
  }
  ~AuditLogTest() override {
    for (const std::string& each : files()) std::filesystem::remove(each);
  }

  absl::StatusOr<std::unique_ptr<AuditLog>> open() {
    return AuditLog::open(
        {.file = file,
         .primitives = primitives(),
         .wall_clock = {.now = [](void*) { return uint64_t{1}; }, .context = nullptr},
         .write = [this](int fd, const void* bytes, size_t size) -> ssize_t {
           if (room == 0) {
             errno = ENOSPC;
             return -1;
           }
           const ssize_t done = ::write(fd, bytes, std::min(size, room));
           room -= static_cast<size_t>(done);
           return done;
         },
         .max_bytes = max_bytes,
         .sync =
             [this](int fd) {
               ++syncs;
               if (!sync_fails) return ::fdatasync(fd);
               errno = EIO;
               return -1;
             }});
  }
  // The full files, oldest first, and the present one.
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    const std::filesystem::path path(file);
    for (const auto& each : std::filesystem::directory_iterator(path.parent_path())) {
      const std::string name = each.path().filename().string();
      if (name.starts_with(path.filename().string() + ".")) out.push_back(each.path().string());
    }
    std::sort(out.begin(), out.end());
    out.push_back(file);
    return out;
  }
  std::string content() const {
    std::ostringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
  }
  void write(const std::string& text) { std::ofstream(file, std::ios::binary) << text; }
  // "" for a good chain of `records` records, the problem otherwise.
  std::string check(uint64_t records) const {
    crypto::AuditVerifier verifier(primitives());
    for (const std::string& each : files()) {
      verifier.next_file();
      std::ifstream in(each);
      std::string line;
      while (std::getline(in, line)) {
        if (!verifier.take(line)) return verifier.problem();
      }
    }
    if (!verifier.finish(content().ends_with('\n'))) return verifier.problem();
    return verifier.records() == records ? "" : std::to_string(verifier.records()) + " records";
  }

  std::string file;
  size_t room = SIZE_MAX;  // Bytes that the disk still takes.
  uint64_t max_bytes = 0;
  bool sync_fails = false;
  int syncs = 0;
};

// Verifies MUST-P6
TEST_F(AuditLogTest, a_full_file_is_kept_and_the_chain_goes_on_in_another) {
  max_bytes = 2000;
  uint64_t records = 0;
  for (int start = 0; start < 2; ++start) {
    auto log = open();
    ASSERT_TRUE(log.ok()) << log.status();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE((*log)->append(record_of("accept")));
    records = (*log)->records();
    EXPECT_EQ((*log)->not_rotated(), 0u);
  }
  EXPECT_GE(files().size(), 4u);
  EXPECT_EQ(records, 40 + files().size() - 1);  // The first of each further file tells of it.
  EXPECT_EQ(check(records), "");
  for (const std::string& each : files()) EXPECT_LT(std::filesystem::file_size(each), 3000u);
  // The last one alone is no log, and says what is missing.
  crypto::AuditVerifier alone(primitives());
  std::istringstream in(content());
  std::string line;
  std::getline(in, line);
  EXPECT_FALSE(alone.take(line));
  EXPECT_EQ(alone.problem(), "line 1: it goes on where another file ends: name that one before it");
}

TEST_F(AuditLogTest, where_no_other_file_can_be_begun_the_log_goes_on) {
  max_bytes = 1000;
  auto log = open();
  ASSERT_TRUE(log.ok()) << log.status();
  std::filesystem::create_directory(file + ".next");
  for (int i = 0; i < 10; ++i) EXPECT_TRUE((*log)->append(record_of("accept")));
  EXPECT_GE((*log)->not_rotated(), 1u);
  EXPECT_LT((*log)->not_rotated(), 8u);
  std::filesystem::remove(file + ".next");
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(check(10), "");
}

// A crash between the two names leaves both to one file.
TEST_F(AuditLogTest, what_a_crash_leaves_of_a_new_file_is_gone_over) {
  max_bytes = 1000;
  { ASSERT_TRUE((*open())->append(record_of("start"))); }
  std::ofstream(file + ".next") << "half a rec";
  std::filesystem::create_hard_link(file, file + ".000000000001");
  auto log = open();
  ASSERT_TRUE(log.ok()) << log.status();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE((*log)->append(record_of("accept")));
  EXPECT_EQ((*log)->not_rotated(), 0u);
  std::filesystem::remove(file + ".000000000001");
  EXPECT_EQ(check((*log)->records()), "");
}

// Verifies MUST-P5
TEST_F(AuditLogTest, what_has_to_be_durable_is_or_is_told_not_to_be) {
  auto log = open();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_TRUE((*log)->append(record_of("accept")));
  EXPECT_EQ(syncs, 0);
  EXPECT_TRUE((*log)->append_durably(record_of("accept")));
  EXPECT_EQ(syncs, 1);
  (*log)->sync();  // Nothing is new.
  EXPECT_EQ(syncs, 1);
  EXPECT_TRUE((*log)->append(record_of("end")));
  (*log)->sync();
  EXPECT_EQ(syncs, 2);
  sync_fails = true;
  EXPECT_FALSE((*log)->append_durably(record_of("accept")));
  sync_fails = false;
  EXPECT_TRUE((*log)->append_durably(record_of("accept")));
}

TEST_F(AuditLogTest, a_log_is_continued) {
  std::string head;
  for (int i = 0; i < 3; ++i) {
    auto log = open();
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_TRUE((*log)->append(record_of("start")));
    EXPECT_TRUE((*log)->append(record_of("stop")));
    head = (*log)->head();
    EXPECT_EQ((*log)->records(), 2u * (i + 1));
  }
  EXPECT_EQ(check(6), "");
  EXPECT_NE(content().find(head), std::string::npos);
  struct stat info = {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, files_that_cannot_be_are_refused) {
  auto first = open();
  ASSERT_TRUE(first.ok());
  EXPECT_NE(open().status().message().find("by another process"), std::string::npos);
  first->reset();
  write("some text\n");
  EXPECT_NE(open().status().message().find("does not end with a record"), std::string::npos);
  EXPECT_EQ(content(), "some text\n");
  write("{\"seq\": 1}\n");
  EXPECT_NE(open().status().message().find("does not end with a record"), std::string::npos);
  const std::string good = file;
  file = "/dev/null";
  EXPECT_NE(open().status().message().find("no regular file"), std::string::npos);
  file = testing::TempDir() + "none/audit";
  EXPECT_NE(open().status().message().find("cannot be opened: No such file"), std::string::npos);
  file = good;
}

TEST_F(AuditLogTest, a_torn_line_is_kept_and_told_of) {
  ASSERT_TRUE((*open())->append(record_of("start")));
  const std::string one = content();
  ASSERT_TRUE((*open())->append(record_of("stop")));
  const std::string two = content();
  for (size_t cut = one.size() + 1; cut < two.size() - 1; cut += 7) {
    write(two.substr(0, cut));
    auto log = open();
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_TRUE((*log)->append(record_of("start")));
    EXPECT_EQ(check(3), "") << cut;
    EXPECT_TRUE(content().starts_with(two.substr(0, cut) + "\n"));
    EXPECT_NE(content().find("\"event\":\"torn\""), std::string::npos);
  }
  // Only the line's end is missing: nothing is torn.
  write(two.substr(0, two.size() - 1));
  ASSERT_TRUE((*open())->append(record_of("start")));
  EXPECT_EQ(check(3), "");
  EXPECT_EQ(content().find("torn"), std::string::npos);
  // Torn at the very beginning; and again before the record that tells of it was written.
  write(one.substr(0, 30));
  room = 40;
  EXPECT_FALSE((*open())->append(record_of("start")));
  room = SIZE_MAX;
  ASSERT_TRUE((*open())->append(record_of("start")));
  EXPECT_EQ(check(2), "");
}

TEST_F(AuditLogTest, what_cannot_be_written_waits_in_order) {
  auto log = open();
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE((*log)->healthy());
  room = 100;  // Less than a record.
  EXPECT_FALSE((*log)->append(record_of("accept")));
  EXPECT_FALSE((*log)->append(record_of("refuse")));
  EXPECT_FALSE((*log)->healthy());
  EXPECT_EQ(content().size(), 100u);
  EXPECT_EQ((*log)->append_or_say(record_of("end")).message(),
            "the audit log " + file +
                " cannot be written: No space left on device; make room, or name another file");
  room = SIZE_MAX;
  EXPECT_TRUE((*log)->healthy());
  EXPECT_EQ(check(3), "");
  EXPECT_LT(content().find("accept"), content().find("refuse"));
  EXPECT_EQ((*log)->lost(), 0u);
}

TEST_F(AuditLogTest, a_file_that_was_removed_is_no_record) {
  auto log = open();
  ASSERT_TRUE(log.ok());
  EXPECT_TRUE((*log)->append(record_of("start")));
  std::filesystem::remove(file);
  EXPECT_FALSE((*log)->healthy());
  EXPECT_NE((*log)->append_or_say(record_of("accept")).message().find("the file was removed"),
            std::string::npos);
}

TEST_F(AuditLogTest, what_is_lost_is_counted_and_told_of) {
  auto log = open();
  ASSERT_TRUE(log.ok());
  room = 0;
  for (size_t i = 0; i < limits::kMaxAuditBacklog + 3; ++i) {
    EXPECT_FALSE((*log)->append(record_of("refuse")));
  }
  EXPECT_EQ((*log)->lost(), 3u);
  room = SIZE_MAX;
  EXPECT_TRUE((*log)->append(record_of("accept")));
  EXPECT_EQ(check(limits::kMaxAuditBacklog + 2), "");
  EXPECT_NE(content().find("\"event\":\"lost\""), std::string::npos);
  EXPECT_NE(content().find("\"count\":3,"), std::string::npos);
}

}  // namespace
}  // namespace sluice::engine
