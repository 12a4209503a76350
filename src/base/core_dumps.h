// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_BASE_CORE_DUMPS_H_
#define SLUICE_BASE_CORE_DUMPS_H_

#include <cstddef>

namespace sluice::base {

// Leaves [memory, memory + bytes) out of core dumps, and what else lies in its first and last page
// (madvise(2), MADV_DONTDUMP). Holds for the addresses until they are unmapped; what an allocator
// puts there afterwards is left out, too. A kernel that will not has no bearing on the memory.
void keep_out_of_core_dumps(void* memory, size_t bytes);

}  // namespace sluice::base

#endif  // SLUICE_BASE_CORE_DUMPS_H_
