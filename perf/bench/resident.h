// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_PERF_BENCH_RESIDENT_H_
#define SLUICE_PERF_BENCH_RESIDENT_H_

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace sluice::bench {

// Memory of this process that is in use, in bytes.
inline double resident_bytes() {
  unsigned long size = 0;
  unsigned long pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  const bool read = file != nullptr && std::fscanf(file, "%lu %lu", &size, &pages) == 2;
  if (file != nullptr) std::fclose(file);
  if (!read) {
    std::fprintf(stderr, "/proc/self/statm cannot be read\n");
    std::exit(1);
  }
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace sluice::bench

#endif  // SLUICE_PERF_BENCH_RESIDENT_H_
