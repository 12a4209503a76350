// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/file_jobs.h"
#include "cli/mode.h"

namespace sluice::cli {
namespace {

absl::Status prepare(Options* options) {
  if (options->file.empty() && !options->words.empty()) {
    options->file = options->words.front();
    options->words.erase(options->words.begin());
  }
  if (options->file.empty()) {
    return absl::InvalidArgumentError("sendfile needs a file: sluice sendfile FILE ...");
  }
  if (::access(options->file.c_str(), R_OK) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", options->file, ": ", strerror(errno)));
  }
  return check_peer(*options);
}

uint32_t longest(const Options& /*options*/) { return 1; }

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  if (options.embedded()) rig->receive_files(options.folder, options.overwrite);
  return std::make_unique<SendFileJob>(rig, options.file, "");
}

}  // namespace

const Mode kSendfileMode = {
    .name = "sendfile",
    .summary = "send a file, checked by SHA-256",
    .help =
        "Sends a file to a sluice recvfile, which keeps it when its SHA-256 is right. With both\n"
        "ends in this process it arrives in --dir.\n"
        "  sluice sendfile FILE --port=... --address=... --peer=10.0.0.2 --psk-file=key\n",
    .connects = true,
    .roles = {.serve = false, .files = true},
    .prepare = &prepare,
    .longest = &longest,
    .make = &make,
};

}  // namespace sluice::cli
