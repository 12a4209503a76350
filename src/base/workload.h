// SPDX-License-Identifier: Apache-2.0
//
// Message sizes: always the same, or drawn from a distribution.
#ifndef SLUICE_BASE_WORKLOAD_H_
#define SLUICE_BASE_WORKLOAD_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/workload_tables.h"

namespace sluice::base {

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
  // The parts that shares of messages are counted in.
  static constexpr uint32_t kWhole = 1'000'000'000;

  // All messages have `size` bytes, at least 1.
  static Workload fixed(uint32_t size);
  // "W1" to "W5"; larger sizes than `max_size` (at least 1) are drawn as `max_size`, as Homa's own
  // benchmark does at 1 MB.
  static absl::StatusOr<Workload> named(absl::string_view name, uint32_t max_size);

  // The size that belongs to a random number of which all 64 bits are equally likely.
  uint32_t sample(uint64_t random) const;
  // The smallest size s such that `share` of kWhole messages, 1 to kWhole, have at most s bytes.
  uint32_t quantile(uint32_t share) const;
  // How many of kWhole messages have at most `size` bytes.
  uint32_t share_up_to(uint32_t size) const;
  // In ascending order, together covering every size that is drawn.
  const std::vector<SizeClass>& classes() const { return classes_; }
  size_t class_of(uint32_t size) const {
    size_t i = 0;
    while (i + 1 < classes_.size() && size > classes_[i].to) ++i;
    return i;
  }
  uint32_t max_size() const { return max_size_; }
  // Exactly that of what sample() returns.
  double mean() const;
  const std::string& name() const { return name_; }

 private:
  Workload(std::string name, std::span<const QuantilePoint> points, uint32_t max_size);

  std::string name_;
  std::span<const QuantilePoint> points_;  // Of static storage; empty for a fixed size.
  uint32_t max_size_ = 1;
  std::vector<SizeClass> classes_;
};

}  // namespace sluice::base

#endif  // SLUICE_BASE_WORKLOAD_H_
