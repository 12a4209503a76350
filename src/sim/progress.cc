// SPDX-License-Identifier: Apache-2.0
#include "sim/progress.h"

#include <algorithm>

namespace sluice::sim {
namespace {

double arrived_between(const ProgressPoint& from, const ProgressPoint& to) {
  return static_cast<double>(to.arrived - from.arrived);
}

double length(const ProgressPoint& from, const ProgressPoint& to) {
  return static_cast<double>((to.time - from.time).value());
}

}  // namespace

double backlog_growth(std::span<const ProgressPoint> points) {
  if (points.size() < 4) return 0;
  points = points.subspan(points.size() / 2);
  const auto count = static_cast<double>(points.size());
  double mean_time = 0;
  double mean_backlog = 0;
  for (const ProgressPoint& point : points) {
    mean_time += length(points.front(), point) / count;
    mean_backlog += static_cast<double>(point.backlog()) / count;
  }
  double together = 0;
  double squares = 0;
  for (const ProgressPoint& point : points) {
    const double time = length(points.front(), point) - mean_time;
    together += time * (static_cast<double>(point.backlog()) - mean_backlog);
    squares += time * time;
  }
  return squares > 0 ? together / squares : 0;
}

std::optional<Picos> recovery_time(std::span<const ProgressPoint> points, Picos fault) {
  size_t first = 0;
  while (first < points.size() && points[first].time < fault) ++first;
  if (first == points.size() || first < 2) return std::nullopt;
  const ProgressPoint& before = points[first - 1];
  const double normal =
      kNormalShare * arrived_between(points.front(), before) / length(points.front(), before);
  const size_t stride = std::max<uint64_t>(1, kRecoverySpan / (points[1].time - points[0].time));
  // From the end back to the last span that is too low.
  std::optional<Picos> recovered;
  for (size_t i = points.size(); i-- > first;) {
    if (i + stride >= points.size()) continue;
    const ProgressPoint& last = points[i + stride];
    if (arrived_between(points[i], last) < normal * length(points[i], last)) break;
    recovered = points[i].time - fault;
  }
  return recovered;
}

}  // namespace sluice::sim
