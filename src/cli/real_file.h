// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_REAL_FILE_H_
#define SLUICE_CLI_REAL_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::cli {

// A folder of its own below the system's temporary one, removed with its files at the end.
class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> make();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Writes a file of at least `least` bytes of real content: this program, and behind it the
// libraries it has loaded, repeated as often as it takes.
absl::Status write_real_file(const std::string& path, uint64_t least);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REAL_FILE_H_
