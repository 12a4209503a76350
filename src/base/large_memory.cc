// SPDX-License-Identifier: Apache-2.0
#include "base/large_memory.h"

#include <sys/mman.h>

#include <new>

namespace sluice::base {

// A kernel that will not has no bearing on what the memory holds.
void advise_huge_pages(void* memory, size_t bytes) { (void)madvise(memory, bytes, MADV_HUGEPAGE); }

void* map_untouched(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

void unmap(void* memory, size_t bytes) { munmap(memory, bytes); }

}  // namespace sluice::base
