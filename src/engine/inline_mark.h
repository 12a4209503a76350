// SPDX-License-Identifier: Apache-2.0
//
// What an inline engine leaves with a frame for its port.
#ifndef SLUICE_ENGINE_INLINE_MARK_H_
#define SLUICE_ENGINE_INLINE_MARK_H_

#include <cstdint>

namespace sluice::engine {

struct InlineMark {
  static constexpr uint64_t kGoOn = UINT64_MAX;  // No record of a message has this number.

  void* context = nullptr;  // The engine's own.
  uint64_t resync = kGoOn;  // The number of the record, where it does not go on from the last.
};

// Where RTE_MBUF_DYNFIELD finds a frame's; negative where packet buffers have no room for it. They
// have little to lend, and a frame is marked for one engine, so all engines share the field.
int inline_mark_offset();

}  // namespace sluice::engine

#endif  // SLUICE_ENGINE_INLINE_MARK_H_
