// SPDX-License-Identifier: Apache-2.0
#include "engine/access.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/crypto_loader.h"
#include "engine/limits.h"
#include "wire/ip_address.h"

namespace sluice::engine {
namespace {

using crypto::RefuseReason;

std::shared_ptr<const crypto::Policy> policy_of(const std::string& text) {
  return crypto::Policy::parse("p", text).policy;
}

crypto::HandshakeResult proved(const std::string& name) {
  crypto::HandshakeResult out;
  out.local.session_id = base::SessionId(0x10001);
  out.peer_name = name;
  out.peer_chain = {"test CA", name};
  return out;
}

class AccessTest : public testing::Test {
 protected:
  AccessTest() : file(testing::TempDir() + "sluice-access-" + std::to_string(::getpid())) {
    std::filesystem::remove(file);
    auto made = AuditLog::open(
        {.file = file,
         .primitives = (*load_crypto(""))->primitives,
         .wall_clock = {.now = [](void*) { return uint64_t{1}; }, .context = nullptr},
         .write = [this](int fd, const void* bytes, size_t size) -> ssize_t {
           if (!full) return ::write(fd, bytes, size);
           errno = ENOSPC;
           return -1;
         }});
    EXPECT_TRUE(made.ok()) << made.status();
    log = *std::move(made);
  }
  ~AccessTest() override { std::filesystem::remove(file); }

  // "" when accepted.
  std::string judge(Access* access, const std::string& name) {
    const crypto::PeerJudge judge = access->judge();
    std::string detail;
    const RefuseReason reason = judge.judge(judge.context, proved(name), false, &detail);
    if (reason == RefuseReason::kNone) return "";
    return std::string(crypto::refuse_reason_text(reason)) + " (" + detail + ")";
  }
  // How many lines of the log have all of these.
  size_t lines(const std::vector<std::string>& parts) const {
    std::ifstream in(file);
    size_t count = 0;
    for (std::string line; std::getline(in, line);) {
      bool all = true;
      for (const std::string& part : parts) all = all && line.find(part) != std::string::npos;
      if (all) ++count;
    }
    return count;
  }
  Access::Setup setup(std::shared_ptr<const crypto::Policy> policy) {
    return {.node = "n", .policy = std::move(policy), .audit = log.get(), .stats = &stats};
  }

  std::string file;
  bool full = false;
  ControlStats stats;
  std::unique_ptr<AuditLog> log;
};

TEST_F(AccessTest, the_policy_decides_and_the_log_says_so) {
  Access access(setup(policy_of("allow a connect call 1 use rpc\n")));
  EXPECT_EQ(judge(&access, "a"), "");
  EXPECT_EQ(judge(&access, "b"), "the policy does not let this name connect (b, rule default)");
  EXPECT_EQ(stats.peers_denied.value(), 1u);
  EXPECT_EQ(lines({"\"accept\"", "\"subject\":\"a\"", "\"responsible\":\"test CA\"",
                   "\"session\":\"00010001\"", "\"rule\":\"p:1\"", "\"decision\":\"allow\""}),
            1u);
  EXPECT_EQ(lines({"\"refuse\"", "\"subject\":\"b\"", "\"rule\":\"default\""}), 1u);
  EXPECT_TRUE(access.may_connect("a"));
  EXPECT_FALSE(access.may_connect("b"));
  EXPECT_TRUE(access.permissions("a")->allows(1, crypto::PolicyLayer::kRpc));
  access.set_policy(policy_of("allow b connect\n"));
  EXPECT_FALSE(access.may_connect("a"));
}

TEST_F(AccessTest, without_a_policy_everything_is_allowed_and_on_record) {
  Access access(setup(nullptr));
  EXPECT_EQ(judge(&access, "a"), "");
  EXPECT_EQ(access.permissions("a"), nullptr);
  EXPECT_TRUE(access.may_connect("a"));
  EXPECT_EQ(lines({"\"accept\"", "\"rule\":\"none\""}), 1u);
}

TEST_F(AccessTest, without_a_log_nothing_is_written) {
  Access access({.node = "n", .policy = policy_of(""), .audit = nullptr, .stats = &stats});
  EXPECT_NE(judge(&access, "a"), "");
  access.ended(SessionInfo(), base::Code::kClosed, "");
  EXPECT_EQ(lines({}), 0u);
}

// Verifies MUST-P5
TEST_F(AccessTest, what_cannot_be_recorded_is_refused) {
  Access access(setup(policy_of("allow * connect\n")));
  full = true;
  EXPECT_NE(judge(&access, "a").find("the audit log cannot be written"), std::string::npos);
  EXPECT_EQ(stats.audit_refused.value(), 1u);
  full = false;
  EXPECT_EQ(judge(&access, "a"), "");
  EXPECT_EQ(lines({"\"refuse\"", "\"deny\"", "the audit log cannot be written"}), 1u);
  EXPECT_EQ(lines({"\"accept\""}), 2u);
}

TEST_F(AccessTest, uses_and_ends_name_the_session_and_who_answers) {
  Access access(setup(policy_of("allow a connect call 1 use rpc\n")));
  SessionInfo info;
  info.session = base::SessionId(0x20002);
  info.peer = {*wire::parse_ip_address("10.0.0.2"), 7470};
  info.peer_name = "a";
  info.peer_chain = {"test CA", "a"};
  const Use good{info.session, 1, crypto::PolicyLayer::kRpc, true};
  const Use bad{info.session, 2, crypto::PolicyLayer::kOneWay, false};
  access.used(info, good);
  access.used(info, bad);
  access.used_up(info, good, 42);
  access.ended(info, base::Code::kExpired, "because");
  const std::string who = "\"session\":\"00020002\",\"peer\":\"10.0.0.2 port 7470\"";
  EXPECT_EQ(lines({who, "\"accept\"", "\"object\":\"service 1 rpc\"", "\"rule\":\"p:1\""}), 1u);
  EXPECT_EQ(lines({who, "\"refuse\"", "\"object\":\"service 2 one-way\"", "\"default\""}), 1u);
  EXPECT_EQ(lines({who, "\"total\"", "\"count\":42,"}), 1u);
  EXPECT_EQ(lines({who, "\"end\"", "\"reason\":\"expired: because\""}), 1u);
  access.set_policy(policy_of(""));
  access.used_up(info, good, 43);
  EXPECT_EQ(lines({"\"count\":43,", "\"rule\":\"an earlier policy\""}), 1u);
}

TEST_F(AccessTest, strangers_get_so_many_records_and_are_counted_beyond) {
  Access access(setup(policy_of("")));
  transport::ConnectorEvent event;
  event.peer = {*wire::parse_ip_address("10.0.0.9"), 7};
  event.refuse = RefuseReason::kCertificateExpired;
  event.refused_here = true;
  event.reason = "it has expired";
  for (uint32_t i = 0; i < limits::kAuditStrangersPerSecond + 5; ++i) {
    access.refused(event, base::millis(1));
  }
  EXPECT_EQ(lines({"it has expired"}), limits::kAuditStrangersPerSecond);
  EXPECT_EQ(stats.audit_unrecorded.value(), 5u);
  access.refused(event, base::seconds(2));
  EXPECT_EQ(lines({"\"count\":6,"}), 1u);
  // The judge has recorded its own; what is no refusal is none.
  const size_t before = lines({});
  event.refuse = RefuseReason::kPolicy;
  access.refused(event, base::seconds(9));
  event.refuse = RefuseReason::kNone;
  access.refused(event, base::seconds(9));
  EXPECT_EQ(lines({}), before);
  event.refuse = RefuseReason::kPolicy;
  event.refused_here = false;
  access.refused(event, base::seconds(9));
  EXPECT_EQ(lines({}), before + 1);
}

}  // namespace
}  // namespace sluice::engine
