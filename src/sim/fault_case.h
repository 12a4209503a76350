// SPDX-License-Identifier: Apache-2.0
//
// A run of the fault machine that can be made smaller than its seed says, and written down: the
// form in which failures are kept.
#ifndef SLUICE_SIM_FAULT_CASE_H_
#define SLUICE_SIM_FAULT_CASE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/fault_plan.h"

namespace sluice::sim {

struct FaultCase {
  uint64_t seed = 0;
  std::vector<FaultKind> kinds;  // Those of the seed's plan that stay.
  uint32_t calls = 0;            // Upper bounds of what the plan says.
  uint32_t longest_message = 0;

  friend bool operator==(const FaultCase&, const FaultCase&) = default;
};

// All that the seed stands for.
FaultCase fault_case(uint64_t seed);
FaultPlan fault_plan(const FaultCase& fault_case);

// Lines of `key = value`; `#` begins a comment. Without `kinds`, `calls` or `longest`, the plan's.
// Errors name the line.
std::string fault_case_text(const FaultCase& fault_case);
absl::StatusOr<FaultCase> parse_fault_case(absl::string_view text);

// The smallest case that still fails, of those tried, at most `attempts`: without this kind of
// fault or that, with fewer calls, with shorter messages. `failing` is one that fails.
FaultCase shrink_fault_case(FaultCase failing, uint32_t attempts,
                            const std::function<bool(const FaultCase&)>& fails);

}  // namespace sluice::sim

#endif  // SLUICE_SIM_FAULT_CASE_H_
