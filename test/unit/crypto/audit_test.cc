// SPDX-License-Identifier: Apache-2.0
#include "crypto/audit.h"

#include <gtest/gtest.h>

#include "crypto/boringssl/module.h"

namespace sluice::crypto {
namespace {

const Primitives* primitives() { return &sluice_boringssl_v1()->primitives; }

AuditRecord sample(const std::string& event) {
  AuditRecord record;
  record.time_ns = 1'700'000'000'500'000'000;
  record.event = event;
  record.subject = "client.example";
  record.chain = {"test CA", "client.example"};
  return record;
}

std::vector<std::string> log_of(size_t count) {
  AuditChain chain(primitives());
  std::vector<std::string> lines;
  for (size_t i = 0; i < count; ++i) lines.push_back(chain.add(sample("accept")));
  return lines;
}

// What the verifier finds wrong with lines as a file holds them.
std::string problem_of(const std::vector<std::string>& lines) {
  AuditVerifier verifier(primitives());
  for (const std::string& line : lines) {
    const bool whole = line.ends_with('\n');
    if (!verifier.take(line.substr(0, line.size() - (whole ? 1 : 0)))) return verifier.problem();
    if (!whole) return verifier.finish(false) ? "" : verifier.problem();
  }
  return verifier.finish(true) ? "" : verifier.problem();
}

// Verifies MUST-P6
TEST(Audit, a_line_has_everything_and_is_bound_to_the_one_before) {
  AuditChain chain(primitives());
  const std::string first = chain.add(sample("accept"));
  EXPECT_EQ(first.substr(0, first.find(",\"prev\"")),
            "{\"seq\":1,\"time\":\"2023-11-14 22:13:20.500 UTC\",\"ns\":1700000000500000000,"
            "\"event\":\"accept\",\"node\":\"\",\"session\":\"\",\"peer\":\"\","
            "\"subject\":\"client.example\",\"key\":\"\",\"responsible\":\"test CA\","
            "\"chain\":[\"test CA\",\"client.example\"],\"verb\":\"\",\"object\":\"\","
            "\"decision\":\"\",\"rule\":\"\",\"reason\":\"\",\"count\":0");
  const auto read = read_audit_line(*primitives(), first.substr(0, first.size() - 1));
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->intact);
  EXPECT_EQ(read->sequence, 1u);
  EXPECT_EQ(read->previous, AuditHash());
  EXPECT_EQ(read->hash, chain.head());
  AuditChain later(primitives());
  later.resume(1, chain.head());
  EXPECT_EQ(problem_of({first, later.add(sample("end"))}), "");
}

TEST(Audit, a_whole_log_is_good_and_its_head_can_be_looked_for) {
  AuditVerifier verifier(primitives());
  AuditChain chain(primitives());
  chain.add(sample("start"));
  verifier.look_for(chain.head());
  for (const std::string& line : log_of(0)) ADD_FAILURE() << line;
  AuditChain again(primitives());
  for (const char* event : {"start", "accept", "end"}) {
    const std::string line = again.add(sample(event));
    EXPECT_TRUE(verifier.take(line.substr(0, line.size() - 1))) << verifier.problem();
  }
  EXPECT_TRUE(verifier.finish(true));
  EXPECT_EQ(verifier.records(), 3u);
  EXPECT_EQ(verifier.head(), again.head());
  EXPECT_TRUE(verifier.found());
  EXPECT_EQ(problem_of({}), "");
}

// Verifies MUST-P6
TEST(Audit, every_changed_byte_is_found) {
  const std::vector<std::string> lines = log_of(3);
  EXPECT_EQ(problem_of(lines), "");
  for (size_t line = 0; line < lines.size(); ++line) {
    for (size_t at = 0; at + 1 < lines[line].size(); ++at) {
      std::vector<std::string> changed = lines;
      changed[line][at] = static_cast<char>(changed[line][at] ^ 1);
      EXPECT_NE(problem_of(changed), "") << line << " " << at;
    }
  }
}

TEST(Audit, a_removed_added_or_moved_line_is_found) {
  const std::vector<std::string> lines = log_of(4);
  const std::string moved =
      "it does not follow the line before it: one was removed, added or moved";
  EXPECT_EQ(problem_of({lines[1], lines[2]}), "line 1: " + moved);
  EXPECT_EQ(problem_of({lines[0], lines[2], lines[3]}), "line 2: " + moved);
  EXPECT_EQ(problem_of({lines[0], lines[2], lines[1]}), "line 2: " + moved);
  EXPECT_EQ(problem_of({lines[0], lines[0]}), "line 2: " + moved);
  EXPECT_EQ(problem_of({lines[0], lines[1]}), "");  // Only a remembered head tells of this.
}

TEST(Audit, a_torn_line_is_accepted_where_the_next_record_tells_of_it) {
  const std::vector<std::string> lines = log_of(2);
  const std::string torn = lines[1].substr(0, 40);
  EXPECT_EQ(problem_of({lines[0], torn}),
            "line 2: it is torn: the file does not end with a line's end");
  EXPECT_EQ(problem_of({lines[0], torn + "\n"}), "line 2: it is no record");
  EXPECT_EQ(problem_of({lines[0], torn + "\n", lines[1]}),
            "line 3: the line before it is no record, and it does not tell of it");
  AuditRecord tells = sample("torn");
  tells.object = audit_hash_text(audit_hash_of(*primitives(), torn + "\n" + torn + "\n"));
  AuditChain chain(primitives());
  chain.resume(1, read_audit_line(*primitives(), lines[0].substr(0, lines[0].size() - 1))->hash);
  const std::string told = chain.add(tells);
  EXPECT_EQ(problem_of({lines[0], torn + "\n", torn + "\n", told}), "");
  EXPECT_EQ(problem_of({lines[0], torn + "\n", told}),
            "line 3: it tells of another torn line than the one before it");
  EXPECT_EQ(problem_of({lines[0], told}),
            "line 2: it tells of a torn line, and there is none before it");
  EXPECT_EQ(problem_of({lines[0], std::string(kMaxAuditTorn, 'x') + "\n"}),
            "line 2: it is no record, and no torn one either");
}

TEST(Audit, texts_are_cut_so_that_a_line_has_its_bound) {
  const std::string bad(2 * kMaxAuditText, '\x01');
  AuditRecord record = sample(bad);
  record.node = record.session = record.peer = record.subject = record.key = bad;
  record.verb = record.object = record.decision = record.rule = record.reason = bad;
  record.chain.assign(20, bad);
  record.time_ns = record.count = UINT64_MAX;
  AuditChain chain(primitives());
  const std::string line = chain.add(record);
  EXPECT_LE(line.size() - 1, kMaxAuditLine);
  EXPECT_EQ(problem_of({line}), "");
  EXPECT_FALSE(read_audit_line(*primitives(), std::string(kMaxAuditLine + 1, '{')).has_value());
}

TEST(Audit, hashes_are_text_of_64_digits) {
  AuditHash hash{};
  hash[0] = 0xa5;
  hash[31] = 0x0f;
  EXPECT_EQ(parse_audit_hash(audit_hash_text(hash)), hash);
  EXPECT_EQ(parse_audit_hash("x" + audit_hash_text(hash).substr(1)), std::nullopt);
  EXPECT_EQ(parse_audit_hash(audit_hash_text(hash) + "0"), std::nullopt);
}

}  // namespace
}  // namespace sluice::crypto
