// SPDX-License-Identifier: Apache-2.0
#include "base/large_memory.h"

#include <sys/mman.h>

namespace sluice::base {

// A kernel that will not has no bearing on what the memory holds.
void advise_huge_pages(void* memory, size_t bytes) { (void)madvise(memory, bytes, MADV_HUGEPAGE); }

}  // namespace sluice::base
