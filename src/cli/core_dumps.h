// SPDX-License-Identifier: Apache-2.0
#ifndef SLUICE_CLI_CORE_DUMPS_H_
#define SLUICE_CLI_CORE_DUMPS_H_

namespace sluice::cli {

// Leaves all memory of this process and of its children, now and later, out of core dumps: one has
// the threads' registers and nothing that they point to (core(5), coredump_filter). False where the
// kernel will not.
bool keep_memory_out_of_core_dumps();

}  // namespace sluice::cli

#endif  // SLUICE_CLI_CORE_DUMPS_H_
