// SPDX-License-Identifier: Apache-2.0
#include "sluice/version.h"

#include "wire/header.h"

#define SLUICE_TEXT_OF(number) #number
#define SLUICE_TEXT(number) SLUICE_TEXT_OF(number)

namespace sluice {

const char* library_version() {
  return SLUICE_TEXT(SLUICE_VERSION_MAJOR) "." SLUICE_TEXT(SLUICE_VERSION_MINOR) "." SLUICE_TEXT(
      SLUICE_VERSION_PATCH);
}

uint8_t wire_version() { return wire::kWireVersion; }

}  // namespace sluice
