// SPDX-License-Identifier: Apache-2.0
//
// Numbers as people write and read them, and tables of them.
#ifndef SLUICE_CLI_TEXT_H_
#define SLUICE_CLI_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include "absl/strings/string_view.h"

namespace sluice::cli {

// "1,234,567".
std::string count_text(uint64_t value);
// "64 B", "1.50 KB", "10.0 MB": three figures, powers of ten.
std::string bytes_text(uint64_t bytes);
// "950 ns", "1.23 us", "45.6 ms", "7.89 s".
std::string nanos_text(uint64_t nanos);
// "3.21 M/s".
std::string rate_text(double per_second);
// "25.1 Gb/s".
std::string bits_text(double bits_per_second);

// "64", "1k", "1.5M", "2G" (powers of ten), "64Ki", "1Mi", "1Gi" (powers of two); a trailing "B" is
// allowed. Nothing when it is no such number, not whole, or over 2^63.
std::optional<uint64_t> parse_count(absl::string_view text);
// "250us", "10ms", "5s", "2min"; a bare number is in seconds.
std::optional<uint64_t> parse_nanos(absl::string_view text);
// "1%", "0.5%", "200ppm", and 0 without a unit: millionths, at most 1'000'000.
std::optional<uint32_t> parse_ppm(absl::string_view text);

// The candidate that `word` was most likely meant to be; empty when none is near.
std::string nearest(absl::string_view word, const std::vector<std::string>& candidates);

// Rows of cells, printed with each column as wide as its widest cell. The first column is aligned
// to the left, the others to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  // Lines that end with '\n', each begun with `indent` blanks; the head is underlined.
  std::string text(size_t indent = 2) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TEXT_H_
