// SPDX-License-Identifier: Apache-2.0
// A program that uses OpenSSL 3 itself and embeds Sluice, which brings BoringSSL: both must work,
// in turns and at the same time, and neither may see the other's names.
#include <atomic>
#include <cstdio>
#include <thread>

#include "echo.h"
#include "openssl_beside.h"

int main() {
  if (!say("OpenSSL before", openssl_seals() && openssl_hashes())) return 1;
  Echo echo;
  if (!echo.start()) return 1;
  if (!say("separate scopes", scopes_are_apart())) return 1;

  std::atomic<bool> stop = false;
  std::atomic<bool> sealed = true;
  std::thread other([&] {
    while (!stop) sealed = openssl_seals() && openssl_hashes() && sealed;
  });
  bool echoed = true;
  for (uint32_t i = 1; i <= 200 && echoed; ++i) echoed = echo.round_trip(i * 37);
  stop = true;
  other.join();
  if (!say("Sluice beside OpenSSL", echoed) || !say("OpenSSL beside Sluice", sealed)) return 1;
  if (!say("OpenSSL after", openssl_seals() && openssl_hashes())) return 1;
  std::printf("ok\n");
  return 0;
}
