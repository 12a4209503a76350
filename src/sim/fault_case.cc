// SPDX-License-Identifier: Apache-2.0
#include "sim/fault_case.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sim/setting_lines.h"

namespace sluice::sim {
namespace {

absl::Status wrong(int line, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", why));
}

bool parse_kinds(absl::string_view text, std::vector<FaultKind>* kinds) {
  kinds->clear();
  for (absl::string_view name : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    name = absl::StripAsciiWhitespace(name);
    const auto* const found = std::find(std::begin(kFaultNames), std::end(kFaultNames), name);
    if (found == std::end(kFaultNames)) return false;
    kinds->push_back(static_cast<FaultKind>(found - std::begin(kFaultNames)));
  }
  return true;
}

// Tries smaller cases, one change at a time, for as long as it may.
class Shrinker {
 public:
  Shrinker(FaultCase failing, uint32_t attempts, const std::function<bool(const FaultCase&)>& fails)
      : best_(std::move(failing)), left_(attempts), fails_(fails) {}

  FaultCase run() {
    FaultCase before;
    do {
      before = best_;
      lower(&FaultCase::calls);
      lower(&FaultCase::longest_message);
      drop_kinds();
    } while (left_ > 0 && !(best_ == before));
    return best_;
  }

 private:
  bool takes(const FaultCase& smaller) {
    if (left_ == 0) return false;
    --left_;
    if (!fails_(smaller)) return false;
    best_ = smaller;
    return true;
  }

  void drop_kinds() {
    for (size_t i = best_.kinds.size(); i-- > 0;) {
      FaultCase smaller = best_;
      smaller.kinds.erase(smaller.kinds.begin() + static_cast<ptrdiff_t>(i));
      takes(smaller);
    }
  }

  // By large steps while they succeed, and by ever smaller ones.
  void lower(uint32_t FaultCase::*figure) {
    for (uint32_t part : {2u, 4u, 8u}) {
      for (;;) {
        FaultCase smaller = best_;
        smaller.*figure -= std::max(smaller.*figure / part, 1u);
        if (best_.*figure <= 1 || !takes(smaller)) break;
      }
    }
  }

  FaultCase best_;
  uint32_t left_;
  const std::function<bool(const FaultCase&)>& fails_;
};

}  // namespace

FaultCase fault_case(uint64_t seed) {
  const FaultPlan plan = fault_plan(seed);
  FaultCase all;
  all.seed = seed;
  all.calls = plan.calls;
  all.longest_message = plan.longest_message;
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    if (plan.rate[i] != 0) all.kinds.push_back(static_cast<FaultKind>(i));
  }
  return all;
}

FaultPlan fault_plan(const FaultCase& fault_case) {
  FaultPlan plan = fault_plan(fault_case.seed);
  const auto& kinds = fault_case.kinds;
  for (uint32_t i = 0; i < kFaultKinds; ++i) {
    const bool stays =
        std::find(kinds.begin(), kinds.end(), static_cast<FaultKind>(i)) != kinds.end();
    if (!stays) plan.rate[i] = 0;
  }
  plan.calls = std::min(plan.calls, fault_case.calls);
  plan.longest_message = std::min(plan.longest_message, fault_case.longest_message);
  return plan;
}

std::string fault_case_text(const FaultCase& fault_case) {
  const auto name = [](std::string* out, FaultKind kind) { out->append(fault_name(kind)); };
  const std::string kinds = absl::StrJoin(fault_case.kinds, ", ", name);
  return absl::StrCat("seed = ", fault_case.seed, "\nkinds =", kinds.empty() ? "" : " ", kinds,
                      "\ncalls = ", fault_case.calls, "\nlongest = ", fault_case.longest_message,
                      "\n");
}

absl::StatusOr<FaultCase> parse_fault_case(absl::string_view text) {
  FaultCase read;
  bool seeded = false;
  int number = 0;
  for (const SettingLine& line : setting_lines(text)) {
    number = line.number;
    const absl::string_view key = line.name;
    const absl::string_view value = line.value;
    bool good = false;
    if (key == "seed") {
      uint64_t seed = 0;
      good = absl::SimpleAtoi(value, &seed);
      if (good) read = fault_case(seed);
      seeded = good;
    } else if (!seeded) {
      return wrong(number, "the seed comes first");
    } else if (key == "kinds") {
      good = parse_kinds(value, &read.kinds);
    } else if (key == "calls") {
      good = absl::SimpleAtoi(value, &read.calls);
    } else if (key == "longest") {
      good = absl::SimpleAtoi(value, &read.longest_message) && read.longest_message > 0;
    }
    if (!good) return wrong(number, absl::StrCat("'", line.whole, "' is not understood"));
  }
  if (!seeded) return wrong(number, "there is no seed");
  return read;
}

FaultCase shrink_fault_case(FaultCase failing, uint32_t attempts,
                            const std::function<bool(const FaultCase&)>& fails) {
  return Shrinker(std::move(failing), attempts, fails).run();
}

}  // namespace sluice::sim
