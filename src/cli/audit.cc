// SPDX-License-Identifier: Apache-2.0
#include "cli/audit.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/args.h"
#include "cli/json_report.h"
#include "cli/runner.h"
#include "crypto/audit.h"
#include "crypto/policy.h"
#include "engine/audit_log.h"
#include "engine/crypto_loader.h"
#include "engine/mechanism.h"

namespace sluice::cli {
namespace {

std::string audit_help(const OptionSet& set) {
  return absl::StrCat(
      "sluice audit: the log that --audit=FILE writes\n\n"
      "  sluice audit verify FILE... [--head=HASH]   whether it is as it was written\n\n"
      "Every record is bound to the one before it, so that a line changed, removed, added or "
      "moved\n"
      "is found. A log cut short at its end is found by a head that was kept elsewhere. Of a log\n"
      "in several files (--audit-size) all are named, the oldest first: audit.log.* audit.log\n",
      set.help());
}

absl::Status broken(const std::string& file, const std::string& problem) {
  return absl::DataLossError(absl::StrCat(file, ": ", problem));
}

absl::Status read_lines(const std::string& file, crypto::AuditVerifier* verifier) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat(file, " cannot be read: ", strerror(errno)));
  std::string line;
  bool whole = true;
  while (std::getline(in, line)) {
    whole = !in.eof();
    if (!verifier->take(line)) return broken(file, verifier->problem());
  }
  if (in.bad()) return absl::UnavailableError(absl::StrCat(file, " cannot be read"));
  return verifier->finish(whole) ? absl::OkStatus() : broken(file, verifier->problem());
}

}  // namespace

absl::StatusOr<std::string> verify_audit(const std::vector<std::string>& files,
                                         const std::string& head) {
  const auto library = engine::load_crypto("");
  if (!library.ok()) return library.status();
  crypto::AuditVerifier verifier((*library)->primitives);
  if (!head.empty()) {
    const auto wanted = crypto::parse_audit_hash(head);
    if (!wanted) {
      return absl::InvalidArgumentError(
          absl::StrCat("--head: '", head, "' is no hash: write the 64 digits of a head"));
    }
    verifier.look_for(*wanted);
  }
  for (const std::string& file : files) {
    verifier.next_file();
    const absl::Status status = read_lines(file, &verifier);
    if (!status.ok()) return status;
  }
  const std::string& last = files.back();
  if (!head.empty() && !verifier.found()) {
    return broken(
        last, absl::StrCat("no record has the head ", head, ": it was cut short, or begun anew"));
  }
  std::string out = absl::StrCat(last, ": ", verifier.records(), " records, unbroken");
  if (files.size() > 1) absl::StrAppend(&out, ", in ", files.size(), " files");
  if (verifier.torn() > 0) {
    absl::StrAppend(&out, ", and ", verifier.torn(), " torn by a crash, which they tell of");
  }
  return absl::StrCat(out, "\nhead ", crypto::audit_hash_text(verifier.head()), "\n");
}

int run_audit(const std::vector<std::string>& arguments, FILE* out) {
  std::string head;
  OptionSet set;
  set.section("Options");
  set.add_text("head", "HASH", "the log has to have this head, told by an earlier verify", &head);
  const auto words = set.parse(arguments);
  absl::StatusOr<std::string> text = audit_help(set);
  if (!words.ok()) {
    text = words.status();
  } else if (std::find(words->begin(), words->end(), "--help") == words->end()) {
    if (words->size() >= 2 && words->front() == "verify") {
      text = verify_audit({words->begin() + 1, words->end()}, head);
    } else {
      text = absl::InvalidArgumentError("audit: write sluice audit verify FILE...");
    }
  }
  if (text.ok()) {
    std::fputs(text->c_str(), out);
    return kExitOk;
  }
  std::fprintf(stderr, "sluice: %s\n", std::string(text.status().message()).c_str());
  return absl::IsInvalidArgument(text.status()) ? kExitUsage : kExitFailed;
}

absl::Status check_access_files(const Options& o) {
  if (!o.policy_file.empty()) {
    const auto text = read_whole(o.policy_file);
    if (!text.ok()) return text.status();
    const crypto::PolicyResult policy = crypto::Policy::parse(o.policy_file, *text);
    if (!policy.ok()) return absl::InvalidArgumentError(policy.error);
  }
  if (o.audit_file.empty()) return absl::OkStatus();
  const auto library = engine::load_crypto("");
  if (!library.ok()) return library.status();
  return engine::AuditLog::open({.file = o.audit_file,
                                 .primitives = (*library)->primitives,
                                 .wall_clock = engine::system_wall_clock(),
                                 .write = {},
                                 .max_bytes = 0,
                                 .sync = {}})
      .status();
}

}  // namespace sluice::cli
