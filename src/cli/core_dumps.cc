// SPDX-License-Identifier: Apache-2.0
#include "cli/core_dumps.h"

#include <fcntl.h>
#include <unistd.h>

namespace sluice::cli {

bool keep_memory_out_of_core_dumps() {
  const int file = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = write(file, "0\n", 2) == 2;
  close(file);
  return written;
}

}  // namespace sluice::cli
