// SPDX-License-Identifier: Apache-2.0
#include "crypto/policy.h"

#include <gtest/gtest.h>

namespace sluice::crypto {
namespace {

std::shared_ptr<const Policy> read(const std::string& text) {
  const PolicyResult result = Policy::parse("p", text);
  EXPECT_EQ(result.error, "");
  return result.policy;
}

std::string error_of(const std::string& text) {
  const PolicyResult result = Policy::parse("p", text);
  EXPECT_EQ(result.policy == nullptr, !result.ok());
  return result.error;
}

// Verifies MUST-P1
TEST(Policy, what_no_line_allows_is_denied) {
  for (const char* text : {"", "\n\n", "# allow * connect\n", "allow * call all use all\n"}) {
    const PolicyDecision decision = read(text)->connect("a.example");
    EXPECT_FALSE(decision.allowed) << text;
    EXPECT_EQ(read(text)->rule_text(decision), "default");
  }
}

TEST(Policy, a_name_a_group_and_everybody) {
  const auto policy = read(
      "allow A.Example connect\r\n"
      "  allow\t.job7.example connect # a group\n");
  EXPECT_TRUE(policy->connect("a.example").allowed);
  EXPECT_EQ(policy->rule_text(policy->connect("a.example")), "p:1");
  EXPECT_FALSE(policy->connect("b.a.example").allowed);
  EXPECT_TRUE(policy->connect("job7.example").allowed);
  EXPECT_TRUE(policy->connect("x.y.job7.example").allowed);
  EXPECT_EQ(policy->connect("x.job7.example").line, 2u);
  EXPECT_FALSE(policy->connect("job77.example").allowed);
  EXPECT_FALSE(policy->connect("x.ajob7.example").allowed);
  EXPECT_FALSE(policy->connect("example").allowed);
  EXPECT_TRUE(read("allow * connect")->connect("anybody").allowed);
}

TEST(Policy, its_rules_are_told_as_they_are_understood) {
  const auto policy = read(
      "allow A.Example connect call 1-5,9 use all\n"
      "# nothing\n"
      "deny .job7.example use one-way\n"
      "allow * call all\n");
  EXPECT_EQ(policy->rule_lines(),
            (std::vector<std::string>{
                "p:1: allow a.example connect", "p:1: allow a.example call 1-5,9",
                "p:1: allow a.example use rpc,one-way", "p:3: deny .job7.example use one-way",
                "p:4: allow * call 0-65535"}));
}

// Verifies MUST-P1
TEST(Policy, a_denial_wins_whatever_the_order) {
  for (const char* text : {"allow .example connect\ndeny bad.example connect\n",
                           "deny bad.example connect\nallow .example connect\n"}) {
    const auto policy = read(text);
    EXPECT_TRUE(policy->connect("good.example").allowed);
    EXPECT_FALSE(policy->connect("bad.example").allowed);
    EXPECT_NE(policy->connect("bad.example").line, 0u);
    EXPECT_TRUE(policy->connect("a.bad.example").allowed);
  }
}

TEST(Policy, a_message_needs_its_service_and_its_layer) {
  const auto policy = read(
      "allow a.example connect call 1-5,9 use rpc\n"
      "allow .example call 100\n"
      "deny .example call 3\n"
      "allow b.example call all use all\n"
      "deny b.example use one-way\n");
  const auto line = [&](const char* name, uint16_t service, PolicyLayer layer) {
    const PolicyDecision decision = policy->send(name, service, layer);
    EXPECT_EQ(policy->permissions(name)->allows(service, layer), decision.allowed)
        << name << service;
    return decision.allowed ? static_cast<int>(decision.line) : -static_cast<int>(decision.line);
  };
  EXPECT_EQ(line("a.example", 1, PolicyLayer::kRpc), 1);
  EXPECT_EQ(line("a.example", 9, PolicyLayer::kRpc), 1);
  EXPECT_EQ(line("a.example", 100, PolicyLayer::kRpc), 2);
  EXPECT_EQ(line("a.example", 3, PolicyLayer::kRpc), -3);
  EXPECT_EQ(line("a.example", 6, PolicyLayer::kRpc), 0);
  EXPECT_EQ(line("a.example", 1, PolicyLayer::kOneWay), 0);
  EXPECT_EQ(line("b.example", 65535, PolicyLayer::kRpc), 4);
  EXPECT_EQ(line("b.example", 0, PolicyLayer::kOneWay), -5);
  EXPECT_EQ(line("b.example", 3, PolicyLayer::kRpc), -3);
  EXPECT_EQ(line("c.example", 100, PolicyLayer::kRpc), 0);
}

// What is asked for each message says the same as the rules, for every service.
TEST(Policy, permissions_are_the_rules) {
  const auto policy = read("allow * use rpc call 7,63-65,128-1000\ndeny .x call 64,500-600\n");
  for (const char* name : {"a", "a.x"}) {
    const auto permissions = policy->permissions(name);
    for (uint32_t service = 0; service <= UINT16_MAX; ++service) {
      const auto number = static_cast<uint16_t>(service);
      ASSERT_EQ(permissions->allows(number, PolicyLayer::kRpc),
                policy->send(name, number, PolicyLayer::kRpc).allowed)
          << name << " " << service;
      ASSERT_FALSE(permissions->allows(number, PolicyLayer::kOneWay));
    }
  }
}

TEST(Policy, an_error_names_the_line_and_what_to_write) {
  EXPECT_EQ(error_of("\n# x\npermit a connect"),
            "p:3: 'permit' is no beginning; write allow or deny");
  EXPECT_EQ(error_of("allow a.example"), "p:1: the rule is not whole; write allow WHO connect");
  EXPECT_EQ(error_of("deny"), "p:1: the rule is not whole; write deny WHO connect");
  EXPECT_EQ(
      error_of("allow *.example connect"),
      "p:1: '*.example' names nobody; write a.dc.example, .dc.example for that name and those "
      "below it, or *");
  EXPECT_NE(error_of("allow . connect").find("'.' names nobody"), std::string::npos);
  EXPECT_NE(error_of("allow a..b connect").find("names nobody"), std::string::npos);
  EXPECT_EQ(error_of("allow a kill"),
            "p:1: 'kill' cannot be allowed or denied; write connect, call or use");
  EXPECT_EQ(error_of("allow a call"), "p:1: call names no service; write call 1-5,9 or call all");
  EXPECT_EQ(error_of("allow a call ,"), "p:1: call names no service; write call 1-5,9 or call all");
  for (const char* list : {"5-1", "65536", "-1", "1-", "x", "1.5", "1--2", "+1"}) {
    EXPECT_NE(error_of(std::string("allow a call ") + list).find("is no service; write numbers"),
              std::string::npos)
        << list;
  }
  EXPECT_EQ(error_of("allow a connect use kv"), "p:1: 'kv' is no layer; write rpc, one-way or all");
  EXPECT_EQ(error_of("allow a use"), "p:1: use names no layer; write use rpc,one-way");
  EXPECT_EQ(error_of("allow a connect\n\x1b[2J"),
            "p:2: '?[2J' is no beginning; write allow or deny");
}

TEST(Policy, limits_of_the_text) {
  const std::string rule = "allow a connect\n";
  std::string most;
  for (size_t i = 0; i < kMaxPolicyRules; ++i) most += rule;
  EXPECT_EQ(read(most)->rules(), kMaxPolicyRules);
  EXPECT_NE(error_of(most + rule).find("p:4097: the file has more than 4096 clauses"),
            std::string::npos);
  const std::string line = "allow a connect #";
  const std::string longest = line + std::string(kMaxPolicyLine - line.size(), 'x');
  EXPECT_EQ(read(longest)->rules(), 1u);
  EXPECT_NE(error_of(longest + "x").find("p:1: the line is longer than 4096"), std::string::npos);
  const std::string full(kMaxPolicyBytes, '\n');
  EXPECT_EQ(read(full)->rules(), 0u);
  EXPECT_NE(error_of(full + "\n").find("p: the file is longer than 1048576"), std::string::npos);
}

}  // namespace
}  // namespace sluice::crypto
