// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_CHECK_H_
#define SLUICE_BASE_CHECK_H_

namespace sluice::base {

// Told of a failed check before the process stops; it may log, and may not return control to the
// caller of the check: when it returns, the process traps. It can be called on any thread.
using CheckHandler = void (*)(const char* condition, const char* file, int line);

// Installs `handler` (nullptr: stop without a word) for all threads; returns the one before it.
CheckHandler set_check_handler(CheckHandler handler) noexcept;

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace sluice::base

// Stops the process when the condition is false, in every build: for what would otherwise corrupt
// memory or break a security property.
#define SLUICE_CHECK(...)                                               \
  (__builtin_expect(!(__VA_ARGS__), 0) != 0                             \
       ? ::sluice::base::check_failed(#__VA_ARGS__, __FILE__, __LINE__) \
       : static_cast<void>(0))

// The same in debug builds; in others the condition is compiled but never evaluated.
#ifdef NDEBUG
#define SLUICE_DCHECK(...) static_cast<void>(sizeof((__VA_ARGS__) ? 1 : 0))
#else
#define SLUICE_DCHECK(...) SLUICE_CHECK(__VA_ARGS__)
#endif

#endif  // SLUICE_BASE_CHECK_H_
