// SPDX-License-Identifier: Apache-2.0
//
// The one machine-readable form that every tool of the project writes:
// {"command": ..., "version": ..., "machine": {...}, "results": [{"metric", "value", "unit",
// "labels"}]}. The metric names are stable and listed in README.md.
#ifndef SLUICE_CLI_JSON_REPORT_H_
#define SLUICE_CLI_JSON_REPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>
#include "absl/strings/string_view.h"

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/machine.h"

namespace sluice::cli {

using Labels = std::vector<std::pair<std::string, std::string>>;

class JsonReport {
 public:
  // `command` is the command line that made the figures, `version` that of the library.
  JsonReport(std::string command, std::string version, Machine machine)
      : command_(std::move(command)), version_(std::move(version)), machine_(std::move(machine)) {}

  // Results keep the order in which they were added.
  void add(absl::string_view metric, uint64_t value, absl::string_view unit, Labels labels = {});
  void add_real(absl::string_view metric, double value, absl::string_view unit, Labels labels = {});

  size_t results() const { return results_.size(); }
  std::string text() const;

 private:
  struct Result {
    std::string metric;
    std::string value;  // As JSON.
    std::string unit;
    Labels labels;
  };

  std::string command_;
  std::string version_;
  Machine machine_;
  std::vector<Result> results_;
};

// Whole numbers without a point; null for what is no finite number.
std::string json_real(double value);

// The content of a file.
absl::StatusOr<std::string> read_whole(const std::string& path);
// Whether write_whole() has a chance, tried before the work is done rather than after.
absl::Status check_writable(const std::string& path);
// Writes a file whole or not at all: beside its place, made durable, then moved there. A path that
// is a pipe or a device is written directly. `mode` is that of a new file's permissions.
absl::Status write_whole(const std::string& path, absl::string_view text, unsigned mode = 0644);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_JSON_REPORT_H_
