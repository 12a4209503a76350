// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_VERSION_H_
#define SLUICE_VERSION_H_

#include <cstdint>

#include "sluice/export.h"

// The version of these headers, for conditional compilation.
#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0

namespace sluice {

// The version of the library that is loaded, such as "0.1.0"; a static string. Any thread.
SLUICE_EXPORT const char* library_version();

// The version of the packet format that the library speaks. It moves by itself: two libraries of
// different versions talk to each other as long as this number is the same. Any thread.
SLUICE_EXPORT uint8_t wire_version();

}  // namespace sluice

#endif  // SLUICE_VERSION_H_
