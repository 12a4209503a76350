// SPDX-License-Identifier: Apache-2.0
#include "cli/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace sluice::cli {
namespace {

struct Unit {
  absl::string_view name;
  double factor;
};

// Three figures of a value that is at least 1 in its unit.
std::string three_figures(double value) {
  if (value >= 99.95) return absl::StrFormat("%.0f", value);
  if (value >= 9.995) return absl::StrFormat("%.1f", value);
  return absl::StrFormat("%.2f", value);
}

// The value in the largest of the units (in ascending order) of which it has at least one.
std::string scaled(double value, const Unit* units, size_t count, absl::string_view suffix) {
  size_t best = 0;
  for (size_t i = 1; i < count; ++i) {
    if (value >= units[i].factor * 0.9995) best = i;
  }
  return absl::StrCat(three_figures(value / units[best].factor), " ", units[best].name, suffix);
}

constexpr std::array<Unit, 4> kMetric = {{{"", 1}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}}};
constexpr std::array<Unit, 4> kTime = {{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}};

// A decimal number followed by one of the units; the product, when it is whole and not too large.
std::optional<uint64_t> parse_scaled(absl::string_view text, const Unit* units, size_t count) {
  const size_t digits = text.find_first_not_of("0123456789.");
  const absl::string_view number = text.substr(0, digits);
  const absl::string_view unit =
      digits == absl::string_view::npos ? absl::string_view() : text.substr(digits);
  double value = 0;
  if (number.empty() || !absl::SimpleAtod({number.data(), number.size()}, &value)) {
    return std::nullopt;
  }
  for (size_t i = 0; i < count; ++i) {
    if (unit != units[i].name) continue;
    const double product = value * units[i].factor;
    if (product > 9.2e18 ||
        std::abs(product - std::round(product)) > 1e-6 * std::max(product, 1.0)) {
      return std::nullopt;
    }
    return static_cast<uint64_t>(std::llround(product));
  }
  return std::nullopt;
}

// Letters to insert, delete or replace to make one word of the other.
size_t edit_distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

}  // namespace

std::string count_text(uint64_t value) {
  std::string digits = absl::StrCat(value);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string bytes_text(uint64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  return scaled(static_cast<double>(bytes), kMetric.data(), kMetric.size(), "B");
}

std::string nanos_text(uint64_t nanos) {
  if (nanos < 1000) return absl::StrCat(nanos, " ns");
  return scaled(static_cast<double>(nanos), kTime.data(), kTime.size(), "");
}

std::string rate_text(double per_second) {
  return scaled(per_second, kMetric.data(), kMetric.size(), "/s");
}

std::string bits_text(double bits_per_second) {
  return scaled(bits_per_second, kMetric.data(), kMetric.size(), "b/s");
}

std::optional<uint64_t> parse_count(absl::string_view text) {
  static constexpr std::array<Unit, 8> kUnits = {{{"", 1},
                                                  {"k", 1e3},
                                                  {"K", 1e3},
                                                  {"M", 1e6},
                                                  {"G", 1e9},
                                                  {"Ki", 1024},
                                                  {"Mi", 1048576},
                                                  {"Gi", 1073741824}}};
  if (text.size() > 1 && text.back() == 'B') text.remove_suffix(1);
  return parse_scaled(text, kUnits.data(), kUnits.size());
}

std::optional<uint64_t> parse_nanos(absl::string_view text) {
  static constexpr std::array<Unit, 6> kUnits = {
      {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9}}};
  return parse_scaled(text, kUnits.data(), kUnits.size());
}

std::optional<uint32_t> parse_ppm(absl::string_view text) {
  static constexpr std::array<Unit, 2> kUnits = {{{"%", 1e4}, {"ppm", 1}}};
  if (text == "0") return 0;
  const auto ppm = parse_scaled(text, kUnits.data(), kUnits.size());
  if (!ppm || *ppm > 1'000'000) return std::nullopt;
  return static_cast<uint32_t>(*ppm);
}

std::string nearest(absl::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = 1 + word.size() / 3;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance || (distance == best_distance && best.empty())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string Table::text(size_t indent) const {
  std::vector<size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string out;
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line(indent, ' ');
    std::string rule(indent, ' ');
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string cell = i < rows_[r].size() ? rows_[r][i] : "";
      const std::string pad(widths[i] - cell.size(), ' ');
      const std::string gap(i == 0 ? 0 : 2, ' ');
      absl::StrAppend(&line, gap, i == 0 ? cell + pad : pad + cell);
      absl::StrAppend(&rule, gap, std::string(widths[i], '-'));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&out, line, "\n");
    if (r == 0) absl::StrAppend(&out, rule, "\n");
  }
  return out;
}

}  // namespace sluice::cli
