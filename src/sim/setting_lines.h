// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_SIM_SETTING_LINES_H_
#define SLUICE_SIM_SETTING_LINES_H_

#include <vector>

#include "absl/strings/string_view.h"

namespace sluice::sim {

// One line of a file of settings, without the blanks around its parts, which point into the text.
struct SettingLine {
  int number = 0;  // In the text, from 1 on.
  absl::string_view whole;
  absl::string_view name;
  absl::string_view value;  // Empty, too, where the line has no `=`.
};

// The `name = value` lines of a scenario or a fault case. What follows a `#` is a comment; lines
// with nothing else are left out.
std::vector<SettingLine> setting_lines(absl::string_view text);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_SETTING_LINES_H_
