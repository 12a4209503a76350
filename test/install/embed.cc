// SPDX-License-Identifier: Apache-2.0
// Built outside the tree with what pkg-config says, and nothing else.
#include <cstdio>

#include "echo.h"

int main() {
  std::printf("sluice %s, wire %u\n", sluice::library_version(), sluice::wire_version());
  Echo echo;
  if (!echo.start()) return 1;
  for (uint32_t length : {1u, 64u, 1400u, 100'000u}) {
    if (!echo.round_trip(length)) return 1;
  }
  std::printf("ok\n");
  return 0;
}
