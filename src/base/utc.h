// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_UTC_H_
#define SLUICE_BASE_UTC_H_

#include <cstdint>
#include <string>

namespace sluice::base {

// "2026-11-21 23:43:04 UTC" of nanoseconds since 1970, with ".500" where there is a part of a
// second.
std::string utc_text(uint64_t unix_ns);

}  // namespace sluice::base

#endif  // SLUICE_BASE_UTC_H_
