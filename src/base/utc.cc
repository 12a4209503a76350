// SPDX-License-Identifier: Apache-2.0
#include "base/utc.h"

namespace sluice::base {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;
constexpr uint64_t kSecondsPerDay = 86'400;
constexpr uint64_t kDaysPerEra = 146'097;  // 400 years.

struct Date {
  uint64_t year;
  uint64_t month;
  uint64_t day;
};

// Years are counted from March, so that the leap day is the last of one: the months before it then
// always begin on the same days, which a line through them gives.
Date date_of(uint64_t days_since_1970) {
  const uint64_t days = days_since_1970 + 719'468;  // Since the first of March of the year 0.
  const uint64_t in_era = days % kDaysPerEra;
  const uint64_t year_of_era = (in_era - in_era / 1460 + in_era / 36'524 - in_era / 146'096) / 365;
  const uint64_t day_of_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint64_t shifted = (5 * day_of_year + 2) / 153;  // March is 0.
  const uint64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const uint64_t year = days / kDaysPerEra * 400 + year_of_era + (month <= 2 ? 1 : 0);
  return {year, month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

std::string digits(uint64_t value, size_t width) {
  const std::string text = std::to_string(value);
  return std::string(text.size() < width ? width - text.size() : 0, '0') + text;
}

}  // namespace

std::string utc_text(uint64_t unix_ns) {
  const uint64_t seconds = unix_ns / kNanosPerSecond;
  const uint64_t millis = unix_ns / 1'000'000 % 1000;
  const Date date = date_of(seconds / kSecondsPerDay);
  std::string out = digits(date.year, 4) + "-" + digits(date.month, 2) + "-" + digits(date.day, 2) +
                    " " + digits(seconds % kSecondsPerDay / 3600, 2) + ":" +
                    digits(seconds % 3600 / 60, 2) + ":" + digits(seconds % 60, 2);
  if (millis != 0) out += "." + digits(millis, 3);
  return out + " UTC";
}

}  // namespace sluice::base
