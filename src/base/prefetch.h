// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_PREFETCH_H_
#define SLUICE_BASE_PREFETCH_H_

#include <cstddef>

namespace sluice::base {

inline constexpr size_t kCacheLine = 64;

// Starts to load the line of the cache that holds `at`, any address, to be written as well. The
// empty statement is what keeps it: GCC (12) takes a function that does nothing but prefetch for
// one without effects, and drops every call of it.
inline void prefetch(const void* at) {
  __builtin_prefetch(at, 1);
  asm volatile("");
}

// The lines that hold [at, at + bytes).
inline void prefetch(const void* at, size_t bytes) {
  const auto* const first = static_cast<const char*>(at);
  for (size_t line = 0; line < bytes; line += kCacheLine) prefetch(first + line);
}

}  // namespace sluice::base

#endif  // SLUICE_BASE_PREFETCH_H_
