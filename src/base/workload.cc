// SPDX-License-Identifier: Apache-2.0
#include "base/workload.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::base {
namespace {

std::span<const QuantilePoint> table_of(absl::string_view name) {
  if (name == "W1") return kW1;
  if (name == "W2") return kW2;
  if (name == "W3") return kW3;
  if (name == "W4") return kW4;
  if (name == "W5") return kW5;
  return {};
}

// The sum of floor(step * i / span) over i = 1 to count, by the steps of Euclid's algorithm: whole
// parts are summed in closed form, and what remains is the same sum with the axes exchanged.
uint64_t floor_sum(uint64_t count, uint64_t span, uint64_t step) {
  uint64_t sum = 0;
  uint64_t n = count + 1;  // Of i = 0 to count.
  uint64_t m = span;
  uint64_t a = step;
  uint64_t b = 0;
  for (;;) {
    sum += n * (n - 1) / 2 * (a / m) + n * (b / m);
    a %= m;
    b %= m;
    const uint64_t top = a * n + b;
    if (top < m) return sum;
    n = top / m;
    b = top % m;
    std::swap(m, a);
  }
}

// The sum of the sizes at every share in (low.below, high.below], none counted above max_size.
uint64_t segment_sum(const QuantilePoint& low, const QuantilePoint& high, uint32_t max_size) {
  const uint64_t span = high.below - low.below;
  const uint64_t rise = high.size - low.size;
  if (low.size >= max_size) return span * max_size;
  // From share `capped` on, counted from low's, sizes are at least max_size.
  const uint64_t room = max_size - low.size;
  const uint64_t capped = rise < room ? span + 1 : (room * span + rise - 1) / rise;
  const uint64_t count = std::min(capped - 1, span);
  return count * low.size + (span == 0 ? 0 : floor_sum(count, span, rise)) +
         (span - count) * max_size;
}

}  // namespace

std::string SizeClass::name() const {
  return from == to ? absl::StrCat(to) : absl::StrCat(from, "-", to);
}

Workload::Workload(std::string name, std::span<const QuantilePoint> points, uint32_t max_size)
    : name_(std::move(name)), points_(points), max_size_(max_size) {
  uint32_t from = points_.empty() ? max_size : std::min(points_.front().size, max_size);
  const size_t tenths = points_.empty() ? 1 : kMaxSizeClasses;
  for (size_t i = 1; i <= tenths; ++i) {
    const uint32_t to =
        points_.empty() ? max_size : quantile(static_cast<uint32_t>(i * (kWhole / tenths)));
    if (i < tenths && to < from) continue;  // A size that fills several tenths is one class.
    if (to < from) break;
    classes_.push_back({from, to});
    from = to + 1;
  }
}

Workload Workload::fixed(uint32_t size) { return Workload(absl::StrCat(size, " B"), {}, size); }

absl::StatusOr<Workload> Workload::named(absl::string_view name, uint32_t max_size) {
  const std::span<const QuantilePoint> points = table_of(name);
  if (points.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no workload '", std::string(name), "': choose W1, W2, W3, W4 or W5"));
  }
  return Workload(std::string(name), points, std::min(max_size, points.back().size));
}

uint32_t Workload::quantile(uint32_t share) const {
  if (points_.empty()) return max_size_;
  const auto upper = std::lower_bound(
      points_.begin(), points_.end(), share,
      [](const QuantilePoint& point, uint32_t value) { return point.below < value; });
  if (upper == points_.begin()) return std::min(points_.front().size, max_size_);
  const QuantilePoint& high = *upper;
  const QuantilePoint& low = *(upper - 1);
  const uint64_t span = high.below - low.below;
  const uint64_t into = share - low.below;
  const uint64_t size = low.size + (high.size - low.size) * into / span;
  return static_cast<uint32_t>(std::min<uint64_t>(size, max_size_));
}

uint32_t Workload::sample(uint64_t random) const {
  __extension__ using Wide = unsigned __int128;
  return quantile(1 + static_cast<uint32_t>(static_cast<Wide>(random) * kWhole >> 64));
}

uint32_t Workload::share_up_to(uint32_t size) const {
  // quantile() ascends: the last share whose size is small enough lies in [low, high].
  uint32_t low = 0;
  uint32_t high = kWhole;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (quantile(middle) <= size) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

double Workload::mean() const {
  if (points_.empty()) return max_size_;
  uint64_t sum = 0;
  for (size_t i = 1; i < points_.size(); ++i) {
    sum += segment_sum(points_[i - 1], points_[i], max_size_);
  }
  return static_cast<double>(sum) / kWhole;
}

}  // namespace sluice::base
