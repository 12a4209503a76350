// SPDX-License-Identifier: Apache-2.0
//
// `sluice audit`: whether an audit log is as it was written. And what a start looks at first.
#ifndef SLUICE_CLI_AUDIT_H_
#define SLUICE_CLI_AUDIT_H_

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/options.h"

namespace sluice::cli {

// What is known of a log: how many records, and the hash of the last one, for people to keep.
// `head` is one that somebody has kept (64 hexadecimal digits), which some record must have; empty:
// none. DataLoss names the first line that is wrong, InvalidArgument what is no hash.
absl::StatusOr<std::string> verify_audit(const std::vector<std::string>& files,
                                         const std::string& head);

// Carries out the words behind `sluice audit`; errors go to standard error. Returns the exit
// status.
int run_audit(const std::vector<std::string>& arguments, FILE* out);

// The policy file can be read and understood, and the audit log be continued: looked at before
// anything is brought up. One sentence that says what to change.
absl::Status check_access_files(const Options& options);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_AUDIT_H_
