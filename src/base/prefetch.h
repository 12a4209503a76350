// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_PREFETCH_H_
#define SLUICE_BASE_PREFETCH_H_

#include <cstddef>

namespace sluice::base {

inline constexpr size_t kCacheLine = 64;

// Starts to load the line of the cache that holds `at`, any address, to be written as well. On x86
// the compiler would ask for it to be read, as not every processor of that level can do more: to
// older ones this instruction means nothing, and does none. The empty statement elsewhere is what
// keeps it: GCC (12) takes a function that does nothing but prefetch for one without effects, and
// drops every call of it.
inline void prefetch(const void* at) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
  asm volatile("");
#endif
}

// The lines that hold [at, at + bytes).
inline void prefetch(const void* at, size_t bytes) {
  const auto* const first = static_cast<const char*>(at);
  for (size_t line = 0; line < bytes; line += kCacheLine) prefetch(first + line);
}

}  // namespace sluice::base

#endif  // SLUICE_BASE_PREFETCH_H_
