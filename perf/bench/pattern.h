// SPDX-License-Identifier: Apache-2.0
//
// What the messages of the contestants hold, so that each of them can be checked.
#ifndef SLUICE_PERF_BENCH_PATTERN_H_
#define SLUICE_PERF_BENCH_PATTERN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace sluice::bench {

inline constexpr size_t kPattern = 1 << 20;  // Of the bytes that all messages repeat.

// Messages hold the same bytes again and again, as those of `sluice` do: none of them needs to be
// made, and each can be checked.
inline const std::vector<uint8_t>& pattern() {
  static const std::vector<uint8_t> bytes = [] {
    std::vector<uint8_t> made(kPattern);
    uint32_t state = 1;
    for (uint8_t& byte : made) {
      state = state * 1'664'525 + 1'013'904'223;
      byte = static_cast<uint8_t>(state >> 24);
    }
    return made;
  }();
  return bytes;
}

inline void check_bytes(const uint8_t* bytes, size_t count, size_t offset) {
  while (count > 0) {
    const size_t place = offset % kPattern;
    const size_t part = std::min(count, kPattern - place);
    if (std::memcmp(bytes, pattern().data() + place, part) != 0) {
      std::fprintf(stderr, "a message arrived with wrong bytes\n");
      std::exit(1);
    }
    bytes += part;
    count -= part;
    offset += part;
  }
}

}  // namespace sluice::bench

#endif  // SLUICE_PERF_BENCH_PATTERN_H_
