// SPDX-License-Identifier: Apache-2.0
//
// What the kernel says of a test's own memory: proc(5), /proc/pid/smaps.
#ifndef SLUICE_TEST_UNIT_BASE_MAPPINGS_H_
#define SLUICE_TEST_UNIT_BASE_MAPPINGS_H_

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace sluice::test {

// The flags of the mapping that the address lies in, each with a space behind it; empty where the
// kernel tells none.
inline std::string mapping_flags(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t from = 0;
    uintptr_t to = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
      here =
          from <= reinterpret_cast<uintptr_t>(address) && reinterpret_cast<uintptr_t>(address) < to;
    } else if (here && line.rfind("VmFlags:", 0) == 0) {
      return line.substr(8) + " ";
    }
  }
  return "";
}

inline bool tells_dumped(const void* address) { return !mapping_flags(address).empty(); }

inline bool left_out_of_dumps(const void* address) {
  return mapping_flags(address).find(" dd ") != std::string::npos;
}

}  // namespace sluice::test

#endif  // SLUICE_TEST_UNIT_BASE_MAPPINGS_H_
