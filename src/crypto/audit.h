// SPDX-License-Identifier: Apache-2.0
//
// The audit log's lines: written as a chain, and checked. Pure: no file is touched here.
#ifndef SLUICE_CRYPTO_AUDIT_H_
#define SLUICE_CRYPTO_AUDIT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/primitives.h"

namespace sluice::crypto {

using AuditHash = std::array<uint8_t, kSha256Size>;

// Texts are cut to so many bytes before they are written as JSON, where a byte may become six; and
// so a line, its end not counted, is never longer than this.
inline constexpr size_t kMaxAuditText = 512;
inline constexpr size_t kMaxAuditLine = 65536;

// What a crash may leave at the end of a log: several, where each start after it was cut short too.
inline constexpr size_t kMaxAuditTorn = 2 * kMaxAuditLine;

// What happened. Everything stands in every line, empty where it does not apply.
struct AuditRecord {
  uint64_t time_ns = 0;  // Since 1970, UTC.
  // "start", "stop"; "accept", "refuse", "end" (of a session); "reload"; "torn" and "lost" (of the
  // log's own lines); "rotate" (the first of another file).
  std::string event;
  std::string node;                // This side's own name.
  std::string session;             // Its id on this side.
  std::string peer;                // Address and port.
  std::string subject;             // The name that the peer proved,
  std::string key;                 // the SHA-256 of its public key,
  std::vector<std::string> chain;  // and who answers for it, from the anchor to the peer.
  std::string verb;                // "connect", "call", "use"
  std::string object;              // What was to be used: a service, a layer, a file.
  std::string decision;            // "allow" or "deny".
  std::string rule;                // "FILE:LINE" of the policy's, "default", or "none".
  std::string reason;              // A sentence.
  uint64_t count = 0;              // Of messages.
};

// Writes records as lines of JSON, each bound to the one before by SHA-256:
//   {"seq":N, ..., "prev":"HASH","hash":"HASH"}
// `prev` is the `hash` of the line before, zeros in the first; `hash` is over the line's bytes
// before `,"hash"`. The responsible party is the first of the record's chain.
class AuditChain {
 public:
  explicit AuditChain(const Primitives* primitives) : primitives_(primitives) {}
  // Goes on after a line with this number and hash.
  void resume(uint64_t sequence, const AuditHash& head);
  // The next line, with its end.
  std::string add(const AuditRecord& record);

  uint64_t sequence() const { return sequence_; }  // Of the last line; 0: none yet.
  const AuditHash& head() const { return head_; }

 private:
  const Primitives* primitives_;
  uint64_t sequence_ = 0;
  AuditHash head_{};
};

// One line taken apart, its hash recomputed.
struct AuditLine {
  uint64_t sequence = 0;
  AuditHash previous{};
  AuditHash hash{};
  bool intact = false;  // The hash is that of the content.
};
// Nothing when it has not the form of a record.
std::optional<AuditLine> read_audit_line(const Primitives& primitives, std::string_view line);

// Checks lines one after the other. Lines that are no records are torn, by a crash in the middle of
// writing; they are accepted where the next record is about them ("torn", with their hash).
class AuditVerifier {
 public:
  explicit AuditVerifier(const Primitives* primitives) : primitives_(primitives) {}

  // The next lines are those of another file, with numbers of its own in problem().
  void next_file() { lines_ = 0; }
  // A line without its end. False at the first that breaks the chain: problem() says how.
  bool take(std::string_view line);
  // After the last one. `whole`: it had an end.
  bool finish(bool whole);

  const std::string& problem() const { return problem_; }
  uint64_t lines() const { return lines_; }      // Taken of this file,
  uint64_t records() const { return records_; }  // records among them,
  uint64_t torn() const { return torn_; }        // and torn ones that a record tells of.
  const AuditHash& head() const { return head_; }
  // Whether some line had this hash.
  void look_for(const AuditHash& hash) { wanted_ = hash; }
  bool found() const { return found_; }

 private:
  bool fail(const std::string& what);

  const Primitives* primitives_;
  uint64_t lines_ = 0;
  uint64_t records_ = 0;
  uint64_t torn_ = 0;
  AuditHash head_{};
  std::string torn_text_;  // The lines since the last record.
  std::optional<AuditHash> wanted_;
  bool found_ = false;
  std::string problem_;
};

// 64 hexadecimal digits, and back.
std::string audit_hash_text(const AuditHash& hash);
std::optional<AuditHash> parse_audit_hash(std::string_view text);
AuditHash audit_hash_of(const Primitives& primitives, std::string_view bytes);

}  // namespace sluice::crypto

#endif  // SLUICE_CRYPTO_AUDIT_H_
