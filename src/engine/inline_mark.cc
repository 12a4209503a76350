// SPDX-License-Identifier: Apache-2.0
#include "engine/inline_mark.h"

#include <rte_mbuf_dyn.h>

namespace sluice::engine {

int inline_mark_offset() {
  static const rte_mbuf_dynfield field = {.name = "sluice_inline_mark",
                                          .size = sizeof(InlineMark),
                                          .align = alignof(InlineMark),
                                          .flags = 0};
  return rte_mbuf_dynfield_register(&field);
}

}  // namespace sluice::engine
