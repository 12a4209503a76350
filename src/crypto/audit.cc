// SPDX-License-Identifier: Apache-2.0
#include "crypto/audit.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json_text.h"
#include "base/utc.h"

namespace sluice::crypto {
namespace {

constexpr std::string_view kBegin = "{\"seq\":";
constexpr std::string_view kPrevious = ",\"prev\":\"";
constexpr std::string_view kHash = "\",\"hash\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr size_t kHashText = 2 * kSha256Size;
// What follows a record's content.
constexpr size_t kTail = kPrevious.size() + kHashText + kHash.size() + kHashText + kEnd.size();
constexpr size_t kMaxChain = 6;  // A certificate, its issuers, the anchor, and one to spare.

std::string cut(std::string_view text) { return base::json_string(text.substr(0, kMaxAuditText)); }

void add_text(std::string* out, const char* name, std::string_view text) {
  *out += std::string(",\"") + name + "\":" + cut(text);
}

void add_number(std::string* out, const char* name, uint64_t value) {
  *out += std::string(",\"") + name + "\":" + std::to_string(value);
}

std::string chain_text(const std::vector<std::string>& chain) {
  std::string out = "[";
  for (size_t i = 0; i < chain.size() && i < kMaxChain; ++i) {
    if (i > 0) out += ",";
    out += base::json_string(std::string_view(chain[i]).substr(0, kMaxAuditText / 2));
  }
  return out + "]";
}

std::string content_of(const AuditRecord& record, uint64_t sequence) {
  std::string out = std::string(kBegin) + std::to_string(sequence);
  add_text(&out, "time", base::utc_text(record.time_ns));
  add_number(&out, "ns", record.time_ns);
  add_text(&out, "event", record.event);
  add_text(&out, "node", record.node);
  add_text(&out, "session", record.session);
  add_text(&out, "peer", record.peer);
  add_text(&out, "subject", record.subject);
  add_text(&out, "key", record.key);
  add_text(&out, "responsible", record.chain.empty() ? std::string_view() : record.chain.front());
  out += ",\"chain\":" + chain_text(record.chain);
  add_text(&out, "verb", record.verb);
  add_text(&out, "object", record.object);
  add_text(&out, "decision", record.decision);
  add_text(&out, "rule", record.rule);
  add_text(&out, "reason", record.reason);
  add_number(&out, "count", record.count);
  return out;
}

}  // namespace

std::string audit_hash_text(const AuditHash& hash) {
  std::string out;
  for (const uint8_t byte : hash) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::optional<AuditHash> parse_audit_hash(std::string_view text) {
  AuditHash out;
  if (text.size() != kHashText) return std::nullopt;
  for (size_t i = 0; i < out.size(); ++i) {
    const char* digits = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, out[i], 16);
    if (error != std::errc() || end != digits + 2 || *digits == '-') return std::nullopt;
  }
  return out;
}

AuditHash audit_hash_of(const Primitives& primitives, std::string_view bytes) {
  AuditHash out;
  const ByteView part = view_of(bytes);
  primitives.sha256(&part, 1, out.data());
  return out;
}

void AuditChain::resume(uint64_t sequence, const AuditHash& head) {
  sequence_ = sequence;
  head_ = head;
}

// PROTOCOL MUST-P6
std::string AuditChain::add(const AuditRecord& record) {
  ++sequence_;
  std::string line = content_of(record, sequence_);
  line += std::string(kPrevious) + audit_hash_text(head_);
  head_ = audit_hash_of(*primitives_, line);
  line += std::string(kHash) + audit_hash_text(head_) + std::string(kEnd) + "\n";
  return line;
}

std::optional<AuditLine> read_audit_line(const Primitives& primitives, std::string_view line) {
  AuditLine out;
  if (!line.starts_with(kBegin) || line.size() < kBegin.size() + kTail ||
      line.size() > kMaxAuditLine) {
    return std::nullopt;
  }
  const char* first = line.data() + kBegin.size();
  const auto [end, error] = std::from_chars(first, line.data() + line.size(), out.sequence);
  if (error != std::errc() || *end != ',') return std::nullopt;
  std::string_view tail = line.substr(line.size() - kTail);
  const std::string_view hashed =
      line.substr(0, line.size() - kTail + kPrevious.size() + kHashText);
  const auto previous = parse_audit_hash(tail.substr(kPrevious.size(), kHashText));
  const auto hash = parse_audit_hash(tail.substr(kTail - kEnd.size() - kHashText, kHashText));
  if (!tail.starts_with(kPrevious) || !tail.ends_with(kEnd) || !previous || !hash ||
      tail.substr(kPrevious.size() + kHashText, kHash.size()) != kHash) {
    return std::nullopt;
  }
  out.previous = *previous;
  out.hash = *hash;
  out.intact = audit_hash_of(primitives, hashed) == *hash;
  return out;
}

bool AuditVerifier::fail(const std::string& what) {
  problem_ = "line " + std::to_string(lines_) + ": " + what;
  return false;
}

bool AuditVerifier::take(std::string_view line) {
  ++lines_;
  const auto read = read_audit_line(*primitives_, line);
  if (!read) {
    torn_text_ += line;
    torn_text_ += '\n';
    if (torn_text_.size() <= kMaxAuditTorn) return true;
    return fail("it is no record, and no torn one either");
  }
  if (!read->intact) return fail("it was changed: its hash is not that of its content");
  if (records_ == 0 && read->sequence > 1 &&
      line.find(",\"event\":\"rotate\"") != std::string_view::npos) {
    return fail("it goes on where another file ends: name that one before it");
  }
  if (read->sequence != records_ + 1 || read->previous != head_) {
    return fail("it does not follow the line before it: one was removed, added or moved");
  }
  const bool tells_of_torn = line.find(",\"event\":\"torn\"") != std::string_view::npos;
  if (tells_of_torn == torn_text_.empty()) {
    return fail(tells_of_torn ? "it tells of a torn line, and there is none before it"
                              : "the line before it is no record, and it does not tell of it");
  }
  if (tells_of_torn) {
    const std::string hash = audit_hash_text(audit_hash_of(*primitives_, torn_text_));
    if (line.find(",\"object\":\"" + hash + "\"") == std::string_view::npos) {
      return fail("it tells of another torn line than the one before it");
    }
    torn_ += static_cast<uint64_t>(std::count(torn_text_.begin(), torn_text_.end(), '\n'));
    torn_text_.clear();
  }
  ++records_;
  head_ = read->hash;
  if (wanted_ && head_ == *wanted_) found_ = true;
  return true;
}

bool AuditVerifier::finish(bool whole) {
  if (lines_ == 0) return true;
  if (!whole) return fail("it is torn: the file does not end with a line's end");
  if (!torn_text_.empty()) return fail("it is no record");
  return true;
}

}  // namespace sluice::crypto
