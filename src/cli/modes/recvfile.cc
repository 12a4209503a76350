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
  if (options->embedded()) {
    return absl::InvalidArgumentError(
        "recvfile needs a device to be reached by: add --port=DEVICE --address=IP/LEN");
  }
  if (::access(options->folder.c_str(), W_OK | X_OK) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write into --dir=", options->folder, ": ", strerror(errno)));
  }
  return absl::OkStatus();
}

uint32_t longest(const Options& /*options*/) { return 1; }

absl::StatusOr<std::unique_ptr<Job>> make(Rig* rig, const Options& options) {
  return std::make_unique<ReceiveFilesJob>(rig, options.count);
}

}  // namespace

const Mode kRecvfileMode = {
    .name = "recvfile",
    .summary = "receive files",
    .help =
        "Takes files from sluice sendfile into --dir, until --count of them have ended (default:\n"
        "until SIGINT or SIGTERM). A file appears under its name only when it is complete and\n"
        "its SHA-256 is right.\n"
        "  sluice recvfile --dir=in --port=... --address=10.0.0.2/24 --psk-file=key\n",
    .connects = false,
    .roles = {.serve = false, .files = true},
    .prepare = &prepare,
    .longest = &longest,
    .make = &make,
};

}  // namespace sluice::cli
