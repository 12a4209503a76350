// SPDX-License-Identifier: Apache-2.0
#include "cli/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <string>

#include "cli/real_file.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1'800'000'000 * kSecond;

class Identity : public testing::Test {
 protected:
  Identity() : folder_(*TemporaryFolder::make()) {}

  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  std::string run(const std::vector<std::string>& words, uint64_t now = kNow) {
    const auto text = identity_command(words, options, now);
    return text.ok() ? *text : "error: " + std::string(text.status().message());
  }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  unsigned mode(const std::string& name) const {
    struct stat facts {};
    EXPECT_EQ(stat(path(name).c_str(), &facts), 0) << name;
    return facts.st_mode & 0777u;
  }
  void make_ca(const std::vector<std::string>& below = {}) {
    options = {};
    options.out = path("ca");
    options.below = below;
    ASSERT_NE(run({"ca"}).find("ca.pem: CA for "), std::string::npos);
    options = {};
    options.ca = path("ca");
    options.out = path("out");
  }

  TemporaryFolder folder_;
  IdentityOptions options;
};

TEST_F(Identity, a_ca_issues_certificates_and_shows_them) {
  make_ca({"DC.example"});
  EXPECT_EQ(mode("ca/ca.key"), 0600u);
  EXPECT_EQ(mode("ca/ca.pem"), 0644u);
  const std::string said = run({"issue", "A.dc.example", "b.dc.example"});
  EXPECT_NE(
      said.find("a.dc.example.pem: a.dc.example, b.dc.example, ECDSA P-256, until 2027-02-14"),
      std::string::npos)
      << said;
  EXPECT_EQ(mode("out/a.dc.example.key"), 0600u);
  const std::string shown = run({"show", path("out/a.dc.example.pem"), path("ca/ca.pem")});
  EXPECT_NE(shown.find("a.dc.example, b.dc.example\n  valid, from 2027-01-15 07:59:00 UTC until "
                       "2027-02-14 08:00:00 UTC\n  issued by sluice CA; key ECDSA P-256"),
            std::string::npos)
      << shown;
  EXPECT_NE(shown.find("CA for names below dc.example"), std::string::npos) << shown;
  EXPECT_NE(run({"show", path("ca/ca.pem")}, kNow + 400'000'000 * kSecond).find("expired"),
            std::string::npos);
  EXPECT_NE(run({"show", path("ca/ca.pem")}, 5).find("not yet valid"), std::string::npos);
}

TEST_F(Identity, keys_may_be_ed25519_and_lives_short) {
  options.key_type = "ed25519";
  make_ca();
  options.key_type = "ed25519";
  options.lifetime = kSecond / 2;
  EXPECT_NE(run({"issue", "a"}).find("Ed25519, until 2027-01-15 08:00:00.500 UTC"),
            std::string::npos);
}

TEST_F(Identity, a_renewed_certificate_keeps_its_names_and_its_key) {
  make_ca();
  run({"issue", "a.example", "b.example"});
  const std::string key = content("out/a.example.key");
  const std::string before = content("out/a.example.pem");
  const std::string said = run({"renew", path("out/a.example.pem")}, kNow + 3600 * kSecond);
  EXPECT_NE(said.find("a.example, b.example"), std::string::npos) << said;
  EXPECT_EQ(content("out/a.example.key"), key);
  EXPECT_EQ(mode("out/a.example.key"), 0600u);
  EXPECT_NE(content("out/a.example.pem"), before);
  EXPECT_NE(run({"show", path("out/a.example.pem")}).find("until 2027-02-14 09:00:00"),
            std::string::npos);
}

TEST_F(Identity, nothing_outlives_its_ca) {
  options.lifetime = 3600 * kSecond;
  options.out = path("ca");
  run({"ca"});
  options = {};
  options.ca = path("ca");
  options.out = path("out");
  EXPECT_NE(run({"issue", "a"}).find("until 2027-01-15 09:00:00 UTC, with its CA"),
            std::string::npos);
  EXPECT_NE(run({"issue", "b"}, kNow + 7200 * kSecond).find("has expired"), std::string::npos);
}

TEST_F(Identity, nothing_is_overwritten_by_chance) {
  make_ca();
  run({"issue", "a"});
  const std::string before = content("out/a.key");
  EXPECT_NE(run({"issue", "a"}).find("use identity renew"), std::string::npos);
  EXPECT_EQ(content("out/a.key"), before);
  options = {};
  options.out = path("ca");
  EXPECT_NE(run({"ca"}).find("has a CA already"), std::string::npos);
}

TEST_F(Identity, mistakes_are_told_with_what_to_change) {
  make_ca({"dc.example"});
  EXPECT_NE(run({}).find("choose ca, issue, renew or show"), std::string::npos);
  EXPECT_NE(run({"revoke"}).find("choose ca, issue, renew or show"), std::string::npos);
  EXPECT_NE(run({"ca", "more"}).find("'more'"), std::string::npos);
  EXPECT_NE(run({"issue"}).find("name who it is for"), std::string::npos);
  EXPECT_NE(run({"issue", "*.dc.example"}).find("no DNS name"), std::string::npos);
  EXPECT_NE(run({"issue", "a.other.example"}).find("names below dc.example only"),
            std::string::npos);
  EXPECT_NE(run({"show"}).find("name a file"), std::string::npos);
  EXPECT_NE(run({"show", path("none")}).find("cannot be read"), std::string::npos);
  EXPECT_NE(run({"show", path("ca/ca.key")}).find("no readable certificate"), std::string::npos);
  EXPECT_NE(run({"renew", path("ca/ca.pem")}).find("is a CA's"), std::string::npos);
  EXPECT_NE(run({"renew"}).find("name one certificate"), std::string::npos);
  options.key_type = "rsa";
  EXPECT_NE(run({"issue", "a.dc.example"}).find("choose p256 or ed25519"), std::string::npos);
  options = {};
  options.out = path("out");
  EXPECT_NE(run({"issue", "a"}).find("--ca=DIR"), std::string::npos);
  options.ca = path("elsewhere");
  EXPECT_NE(run({"issue", "a"}).find("cannot be read"), std::string::npos);
}

TEST_F(Identity, a_key_of_another_ca_is_found_out) {
  make_ca();
  options.out = path("other");
  run({"ca"});
  options.out = path("out");
  std::ofstream(path("ca/ca.key"), std::ios::trunc) << content("other/ca.key");
  EXPECT_NE(run({"issue", "a"}).find("do not belong together"), std::string::npos);
}

TEST_F(Identity, the_program_answers_with_its_exit_status) {
  FILE* nowhere = std::fopen("/dev/null", "w");
  EXPECT_EQ(run_identity({"--help"}, nowhere), 0);
  EXPECT_EQ(run_identity({"ca", "--out=" + path("ca"), "--days=1"}, nowhere), 0);
  EXPECT_EQ(run_identity({"ca", "--out=" + path("ca")}, nowhere), 1);
  EXPECT_EQ(run_identity({"ca", "--days=0", "--out=" + path("x")}, nowhere), 2);
  EXPECT_EQ(run_identity({"nonsense"}, nowhere), 2);
  std::fclose(nowhere);
}

}  // namespace
}  // namespace sluice::cli
