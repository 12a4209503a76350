// SPDX-License-Identifier: Apache-2.0
#include "base/utc.h"

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace sluice::base {

std::string utc_text(uint64_t unix_ns) {
  using absl::Dec;
  using absl::kZeroPad2;
  constexpr uint64_t kMillisPerSecond = 1000;
  const uint64_t millis = unix_ns / 1'000'000;
  const absl::CivilSecond time =
      absl::CivilSecond(1970) + static_cast<int64_t>(millis / kMillisPerSecond);
  std::string out =
      absl::StrCat(Dec(time.year(), absl::kZeroPad4), "-", Dec(time.month(), kZeroPad2), "-",
                   Dec(time.day(), kZeroPad2), " ", Dec(time.hour(), kZeroPad2), ":",
                   Dec(time.minute(), kZeroPad2), ":", Dec(time.second(), kZeroPad2));
  const uint64_t fraction = millis % kMillisPerSecond;
  if (fraction != 0) absl::StrAppend(&out, ".", Dec(fraction, absl::kZeroPad3));
  return out + " UTC";
}

}  // namespace sluice::base
