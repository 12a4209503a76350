// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_LARGE_MEMORY_H_
#define SLUICE_BASE_LARGE_MEMORY_H_

#include <cstddef>

namespace sluice::base {

// A page of the second size on x86-64 and (with pages of 4 KB) on aarch64.
inline constexpr size_t kHugePage = size_t{2} << 20;

// Asks the kernel to back [memory, memory + bytes), which begins a huge page, with such pages
// (transparent_hugepage(7) on `madvise` or `always`; elsewhere nothing happens). Tables that are
// touched at random otherwise spend as much time in looking up pages as in loading lines.
void advise_huge_pages(void* memory, size_t bytes);

// Zeros that take memory page by page, where they are first touched; they begin a page. What an
// allocator gives may have been touched by it (MALLOC_PERTURB_). Throws std::bad_alloc.
void* map_untouched(size_t bytes);
void unmap(void* memory, size_t bytes);

}  // namespace sluice::base

#endif  // SLUICE_BASE_LARGE_MEMORY_H_
