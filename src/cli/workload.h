// SPDX-License-Identifier: Apache-2.0
//
// Message sizes: always the same, or drawn from a distribution.
#ifndef SLUICE_CLI_WORKLOAD_H_
#define SLUICE_CLI_WORKLOAD_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include "absl/strings/string_view.h"

#include "absl/status/statusor.h"
#include "base/prng.h"
#include "cli/workload_tables.h"

namespace sluice::cli {

// A range of sizes that is reported on its own: a tenth of a distribution, or the one fixed size.
struct SizeClass {
  uint32_t from = 0;
  uint32_t to = 0;           // Inclusive.
  std::string name() const;  // "64" or "36-76".
};

inline constexpr size_t kMaxSizeClasses = 10;

// The sizes of one run. Copyable; drawing needs no memory.
class Workload {
 public:
  // All messages have `size` bytes, at least 1.
  static Workload fixed(uint32_t size);
  // "W1" to "W5"; larger sizes than `max_size` (at least 1) are drawn as `max_size`, as Homa's own
  // benchmark does at 1 MB.
  static absl::StatusOr<Workload> named(absl::string_view name, uint32_t max_size);

  uint32_t draw(base::Prng& prng) const;
  // In ascending order, together covering every size that is drawn.
  const std::vector<SizeClass>& classes() const { return classes_; }
  size_t class_of(uint32_t size) const {
    size_t i = 0;
    while (i + 1 < classes_.size() && size > classes_[i].to) ++i;
    return i;
  }
  uint32_t max_size() const { return max_size_; }
  double mean() const;
  const std::string& name() const { return name_; }

 private:
  Workload(std::string name, std::span<const QuantilePoint> points, uint32_t max_size);
  uint32_t quantile(uint32_t below) const;

  std::string name_;
  std::span<const QuantilePoint> points_;  // Of static storage; empty for a fixed size.
  uint32_t max_size_ = 1;
  std::vector<SizeClass> classes_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_WORKLOAD_H_
