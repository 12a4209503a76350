// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_JSON_TEXT_H_
#define SLUICE_BASE_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace sluice::base {

// A string as JSON, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace sluice::base

#endif  // SLUICE_BASE_JSON_TEXT_H_
