// SPDX-License-Identifier: Apache-2.0
#include "cli/audit.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/json_report.h"
#include "cli/real_file.h"
#include "cli/runner.h"
#include "crypto/audit.h"
#include "engine/crypto_loader.h"

namespace sluice::cli {
namespace {

class AuditTest : public testing::Test {
 protected:
  AuditTest() : folder_(*TemporaryFolder::make()), chain_((*engine::load_crypto(""))->primitives) {}

  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  std::string next() {
    crypto::AuditRecord record;
    record.event = "accept";
    return chain_.add(record);
  }
  std::string verify(const std::string& head = "") {
    const auto text = verify_audit({path("log")}, head);
    return text.ok() ? *text : "error: " + std::string(text.status().message());
  }
  int run(const std::vector<std::string>& words) {
    FILE* out = std::tmpfile();
    const int status = run_audit(words, out);
    std::fclose(out);
    return status;
  }

  TemporaryFolder folder_;
  crypto::AuditChain chain_;
};

TEST_F(AuditTest, a_good_log_has_its_head_told) {
  const std::string first = next();
  const std::string kept = crypto::audit_hash_text(chain_.head());
  write("log", first + next());
  const std::string said = absl::StrCat(path("log"), ": 2 records, unbroken\nhead ",
                                        crypto::audit_hash_text(chain_.head()), "\n");
  EXPECT_EQ(verify(), said);
  EXPECT_EQ(verify(kept), said);
  EXPECT_EQ(run({"verify", path("log"), "--head=" + kept}), kExitOk);
}

TEST_F(AuditTest, a_log_in_several_files_is_checked_as_one) {
  const std::string first = next();
  write("log.1", first + next());
  const std::string rest = next();
  write("log", rest);
  const auto text = verify_audit({path("log.1"), path("log")}, "");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_NE(text->find("log: 3 records, unbroken, in 2 files"), std::string::npos) << *text;
  EXPECT_EQ(run({"verify", path("log.1"), path("log")}), kExitOk);
  EXPECT_EQ(run({"verify", path("log"), path("log.1")}), kExitFailed);
  EXPECT_EQ(run({"verify", path("log")}), kExitFailed);
  write("log.1", next());
  EXPECT_NE(std::string(verify_audit({path("log.1"), path("log")}, "").status().message())
                .find("log.1: "),
            std::string::npos);
}

TEST_F(AuditTest, what_is_wrong_is_one_line_that_names_the_place) {
  const std::string first = next();
  const std::string second = next();
  const std::string head = crypto::audit_hash_text(chain_.head());
  write("log", second);
  EXPECT_NE(verify().find("log: line 1: it does not follow"), std::string::npos);
  write("log", first + second.substr(0, 50));
  EXPECT_NE(verify().find("log: line 2: it is torn"), std::string::npos);
  write("log", first);
  EXPECT_NE(verify(head).find("it was cut short"), std::string::npos);
  EXPECT_EQ(run({"verify", path("log"), "--head=" + head}), kExitFailed);
  EXPECT_NE(verify("12").find("--head: '12' is no hash"), std::string::npos);
}

TEST_F(AuditTest, words_that_are_not_understood) {
  EXPECT_EQ(run({"--help"}), kExitOk);
  EXPECT_EQ(run({}), kExitUsage);
  EXPECT_EQ(run({"verify"}), kExitUsage);
  EXPECT_EQ(run({"verify", path("none"), path("none")}), kExitFailed);
  EXPECT_EQ(run({"verify", path("none")}), kExitFailed);
  EXPECT_EQ(run({"verify", "a", "--heda=x"}), kExitUsage);
}

TEST_F(AuditTest, files_are_looked_at_before_the_start) {
  Options options;
  EXPECT_TRUE(check_access_files(options).ok());
  options.policy_file = path("policy");
  EXPECT_NE(check_access_files(options).message().find("cannot be read"), absl::string_view::npos);
  write("policy", "allow a fly\n");
  EXPECT_NE(check_access_files(options).message().find("policy:1: 'fly'"), absl::string_view::npos);
  write("policy", "allow a connect\n");
  EXPECT_TRUE(check_access_files(options).ok());
  options.audit_file = path("log");
  EXPECT_TRUE(check_access_files(options).ok());
  EXPECT_EQ(*read_whole(path("log")), "");
  write("log", "words\n");
  EXPECT_NE(check_access_files(options).message().find("does not end with a record"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace sluice::cli
