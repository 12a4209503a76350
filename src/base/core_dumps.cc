// SPDX-License-Identifier: Apache-2.0
#include "base/core_dumps.h"

#include <sys/auxv.h>
#include <sys/mman.h>

#include <cstdint>

namespace sluice::base {

void keep_out_of_core_dumps(void* memory, size_t bytes) {
  if (bytes == 0) return;
  const uintptr_t page = getauxval(AT_PAGESZ);
  const uintptr_t begin = reinterpret_cast<uintptr_t>(memory) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(memory) + bytes;
  (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTDUMP);
}

}  // namespace sluice::base
