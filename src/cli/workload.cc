// SPDX-License-Identifier: Apache-2.0
#include "cli/workload.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sluice::cli {
namespace {

constexpr uint32_t kWhole = 1'000'000'000;

std::span<const QuantilePoint> table_of(absl::string_view name) {
  if (name == "W1") return kW1;
  if (name == "W2") return kW2;
  if (name == "W3") return kW3;
  if (name == "W4") return kW4;
  if (name == "W5") return kW5;
  return {};
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

uint32_t Workload::quantile(uint32_t below) const {
  const auto upper = std::lower_bound(
      points_.begin(), points_.end(), below,
      [](const QuantilePoint& point, uint32_t value) { return point.below < value; });
  if (upper == points_.begin()) return std::min(points_.front().size, max_size_);
  const QuantilePoint& high = *upper;
  const QuantilePoint& low = *(upper - 1);
  const uint64_t span = high.below - low.below;
  const uint64_t into = below - low.below;
  const uint64_t size = low.size + (high.size - low.size) * into / span;
  return static_cast<uint32_t>(std::min<uint64_t>(size, max_size_));
}

uint32_t Workload::draw(base::Prng& prng) const {
  if (points_.empty()) return max_size_;
  return quantile(static_cast<uint32_t>(1 + prng.uniform(kWhole)));
}

double Workload::mean() const {
  if (points_.empty()) return max_size_;
  constexpr uint32_t kSamples = 100'000;
  double sum = 0;
  for (uint32_t i = 0; i < kSamples; ++i) sum += quantile(i * (kWhole / kSamples) + 5'000);
  return sum / kSamples;
}

}  // namespace sluice::cli
