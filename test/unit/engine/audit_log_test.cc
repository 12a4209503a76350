// SPDX-License-Identifier: Apache-2.0
#include "engine/audit_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

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
  ~AuditLogTest() override { std::filesystem::remove(file); }

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
         }});
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
    std::istringstream in(content());
    std::string line;
    while (std::getline(in, line)) {
      if (!verifier.take(line)) return verifier.problem();
    }
    if (!verifier.finish(content().ends_with('\n'))) return verifier.problem();
    return verifier.records() == records ? "" : std::to_string(verifier.records()) + " records";
  }

  std::string file;
  size_t room = SIZE_MAX;  // Bytes that the disk still takes.
};

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
