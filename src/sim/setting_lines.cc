// SPDX-License-Identifier: Apache-2.0
#include "sim/setting_lines.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace sluice::sim {

std::vector<SettingLine> setting_lines(absl::string_view text) {
  std::vector<SettingLine> lines;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    lines.push_back({number, line, absl::StripAsciiWhitespace(parts.first),
                     absl::StripAsciiWhitespace(parts.second)});
  }
  return lines;
}

}  // namespace sluice::sim
