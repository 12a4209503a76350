// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_TEST_UNIT_CRYPTO_PUBLISHED_VECTORS_H_
#define SLUICE_TEST_UNIT_CRYPTO_PUBLISHED_VECTORS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace sluice::crypto::test {

// One published case: its fields by name. Values are as printed in the file, hexadecimal mostly.
using Case = std::map<std::string, std::string, std::less<>>;

// The whole file, or an empty string.
std::string read_file(const std::string& path);

// NIST's .rsp files: "[Name = value]" headings hold until changed, "Name = value" lines make up a
// case, "FAIL" on its own adds the field FAIL, and an empty line ends the case.
size_t for_each_rsp_case(std::string_view text, const std::function<void(const Case&)>& visit);

// Wycheproof's JSON: hands out the objects that have a "tcId", with their scalar fields and those
// that stand before them in the objects around them (a group's key).
size_t for_each_wycheproof_case(std::string_view text,
                                const std::function<void(const Case&)>& visit);

}  // namespace sluice::crypto::test

#endif  // SLUICE_TEST_UNIT_CRYPTO_PUBLISHED_VECTORS_H_
