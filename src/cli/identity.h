// SPDX-License-Identifier: Apache-2.0
//
// `sluice identity`: a local CA and the certificates it issues, one command each. Files are PEM;
// private keys are readable by their owner alone, and every file is written whole or not at all.
#ifndef SLUICE_CLI_IDENTITY_H_
#define SLUICE_CLI_IDENTITY_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::cli {

struct IdentityOptions {
  std::string ca;                  // Folder with ca.pem and ca.key.
  std::string out;                 // Folder to write to.
  std::vector<std::string> below;  // Of a new CA: the suffixes that it may issue for.
  std::string ca_name = "sluice CA";
  uint64_t lifetime = 0;  // ns; 0: the command's default.
  std::string key_type = "p256";
};

// Carries out `ca`, `issue NAME...`, `renew FILE` or `show FILE...` at the wall-clock time `now_ns`
// (since 1970) and returns what to print. Errors are one line that says what to change;
// InvalidArgument for what was not understood.
absl::StatusOr<std::string> identity_command(const std::vector<std::string>& words,
                                             const IdentityOptions& options, uint64_t now_ns);

// The program's part after the word `identity`; returns its exit status.
int run_identity(const std::vector<std::string>& arguments, FILE* out);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_IDENTITY_H_
